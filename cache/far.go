package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/errgroup"
)

const (
	// failuresToRest is how many calls in a row have to fail until the Store is left alone, and restFor how long that is.
	failuresToRest = 3
	restFor        = time.Second
	// mostQuestions are asked by one call, and by so many calls at a time: a hundred lists of a hundred tokens are a
	// megabyte.
	mostQuestions = 128
	mostCalls     = 4
)

// far guards the Store: short deadlines, no errors to callers, no calls that are bound to fail, and no use of a scope in
// which the Store owes a bump.
type far struct {
	store   Store
	belief  *belief
	timeout time.Duration
	errors  atomic.Uint64
	unheard atomic.Uint64
	health  health
	reads   *gobreaker.CircuitBreaker[struct{}]
	writes  *gobreaker.CircuitBreaker[struct{}]
	leases  *gobreaker.CircuitBreaker[struct{}]
	bumps   bumps
	desk    desk
	outbox  outbox
	deaf    atomic.Int64 // how often in a row this process could not be registered
}

// answer is what the far tier says about one key. asked is false when it could not be asked.
type answer struct {
	Found
	asked bool
	at    time.Time // when the asking began
}

func newFar(options Options, startMending func()) *far {
	f := &far{
		store:   options.Store,
		belief:  newBelief(orDefault(options.NearFor, time.Second)),
		timeout: orDefault(options.StoreTimeout, 50*time.Millisecond),
		health:  health{report: options.Report},
		bumps:   newBumps(startMending),
	}
	f.reads = f.breaker(func(works bool) { f.health.is(reading, works) })
	f.writes = f.breaker(func(works bool) { f.health.is(writing, works) })
	// A Store that gives no leases takes no values either, which is told then.
	f.leases = f.breaker(func(bool) {})
	return f
}

// breaker lets no call of a kind wait that would wait in vain. It tells whenever that changes.
func (f *far) breaker(tell func(works bool)) *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     restFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresToRest },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to != gobreaker.StateHalfOpen {
				tell(to == gobreaker.StateClosed)
			}
		},
	})
}

// getMany asks all questions: at once, unless they are so many that no Store could answer them in the time of a call.
func (f *far) getMany(ctx context.Context, questions []Question) []answer {
	answers := make([]answer, len(questions))
	asked, indexes := f.withoutOwed(questions)
	if len(asked) <= mostQuestions {
		f.ask(ctx, asked, indexes, answers)
		return answers
	}
	var calls errgroup.Group
	calls.SetLimit(mostCalls)
	for at := 0; at < len(asked); at += mostQuestions {
		end := min(at+mostQuestions, len(asked))
		calls.Go(func() error {
			f.ask(ctx, asked[at:end], indexes[at:end], answers)
			return nil
		})
	}
	_ = calls.Wait()
	return answers
}

// ask asks questions by one call, and puts the answers where their indexes say.
func (f *far) ask(ctx context.Context, questions []Question, indexes []int, answers []answer) {
	if len(questions) == 0 {
		return
	}
	began := time.Now()
	var found []Found
	done := f.call(ctx, f.timeout, f.reads, func(ctx context.Context) (err error) {
		found, err = f.store.GetMany(ctx, questions)
		return err
	})
	if done && len(found) == len(questions) {
		for i, index := range indexes {
			answers[index] = answer{Found: found[i], asked: !found[i].Away, at: began}
		}
	}
}

func (f *far) deleteMany(ctx context.Context, keys ...Key) {
	f.outbox.withdraw(keys)
	f.call(ctx, f.timeout, f.writes, func(ctx context.Context) error { return f.store.DeleteMany(ctx, keys) })
}

// retract has nothing under key any more: neither what was found there nor what is on its way.
func (f *far) retract(ctx context.Context, key Key, found Found) {
	if len(found.Value) > 0 {
		f.deleteMany(ctx, key)
		return
	}
	f.outbox.withdraw([]Key{key})
}

func (f *far) endLease(ctx context.Context, key Key, under Generation) {
	f.call(ctx, f.timeout, f.leases, func(ctx context.Context) error { return f.store.EndLease(ctx, key, under) })
}

// call tells whether do was done: in time, and not left out because it would fail.
func (f *far) call(ctx context.Context, within time.Duration, breaker *gobreaker.CircuitBreaker[struct{}], do func(context.Context) error) bool {
	_, err := breaker.Execute(func() (none struct{}, err error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		err = do(ctx)
		f.ok(err)
		return none, err
	})
	return err == nil
}

// ok notes how a call went. A Store that failed may be another one when it is back, which has not taken all bumps, and may
// not know that.
func (f *far) ok(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return err == nil
	}
	f.errors.Add(1)
	f.health.failed(err)
	if !f.store.Remembers() {
		f.oweTold()
	}
	return false
}

// deafened notes that this process could not be registered: what others change it has to ask for.
func (f *far) deafened(err error) {
	f.health.failed(err)
	if f.deaf.Add(1) >= failuresToRest {
		f.health.is(listening, false)
	}
}

func (f *far) heard() {
	f.deaf.Store(0)
	f.health.is(listening, true)
}

// work is what a Store may be unable to do.
type work int

const (
	reading work = iota
	writing
	bumping
	listening
	works
)

// health tells whether the Store does all its work.
type health struct {
	report func(error) // nil: nobody listens

	mu     sync.Mutex
	last   error // of the calls that failed
	undone [works]bool
}

func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = err
	if h.ailing() {
		h.tell(err)
	}
}

// is notes whether a kind of work is done.
func (h *health) is(kind work, done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.ailing()
	h.undone[kind] = !done
	switch after := h.ailing(); {
	case after && !before && h.last != nil: // else it is only behind
		h.tell(h.last)
	case before && !after:
		h.last = nil
		h.tell(nil)
	}
}

// tell wants h to be locked.
func (h *health) tell(err error) {
	if h.report != nil {
		h.report(err)
	}
}

func (h *health) fails() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ailing()
}

// ailing wants h to be locked.
func (h *health) ailing() bool { return h.undone != [works]bool{} }
