package expiry

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"sync/atomic"
	"time"

	"regtok/providers"
)

// Watched is what a [Watcher] is made of.
type Watched struct {
	Rule  Rule
	Index Index
	Log   Log
	// Shared tells whether other processes have the same index.
	Shared bool
	// Report hears why the index or the log cannot be reached, again and again while it cannot, and nil when it can; nil: nobody.
	// It must not wait.
	Report func(error)
	// Logger is told of failures that must not be; nil: nobody.
	Logger *slog.Logger
}

// Watcher sees to it that each step is told when its time comes. It decides nothing: it hears of tokens, waits for times, looks at
// tokens, and hands what it learns to the [Rule], and what the rule says to [Record]. Any number of processes may each have
// one with the same index and log: each step is told once, whoever lives. Its methods are safe for concurrent use.
type Watcher struct {
	rule   Rule
	index  Index
	log    Log
	shared bool
	report func(error)
	logger *slog.Logger
	now    func() time.Time // another one in tests of clocks that are wrong

	desk    *desk
	roused  chan struct{} // has room for one
	wakes   atomic.Int64  // when it asks the index again, in Unix nanoseconds; while it does, never
	figures figures
}

const (
	// taken is for how long what is taken from the index is left to this process: as long as a step may be late when it dies.
	taken = 2 * time.Second
	// mostTaken is how many states are taken at once.
	mostTaken = 200
	// together is how long a watcher that shares its index sleeps at most: others put there what comes soon. Alone it
	// wakes for that itself, and looks at the clock now and then, which may have been set.
	together = time.Second
	alone    = 30 * time.Second
	// retryAfter is how long what cannot be reached is left alone.
	retryAfter = time.Second
	// lookTimeout bounds a look at a registry.
	lookTimeout = time.Minute
	// nameTimeout bounds the search for a registry's name.
	nameTimeout = time.Second
	// countEvery is how often states are counted.
	countEvery = 15 * time.Second
)

// NewWatcher makes a watcher, which may be told of lists at once and begins with Run.
func NewWatcher(o Watched) *Watcher {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	return &Watcher{
		rule: o.Rule, index: o.Index, log: o.Log, shared: o.Shared, report: o.Report, logger: o.Logger,
		now: time.Now, desk: newDesk(), roused: make(chan struct{}, 1),
	}
}

// Tell lets the watcher know what was read of a registry's tokens, or written. It waits for nothing, and is dropped when
// there is too much of it: the next list of that registry makes up for it.
func (w *Watcher) Tell(list List) { w.desk.tell(list) }

// Run watches until ctx ends, and looks at tokens through source; nothing of it runs after it returned. Call it once.
func (w *Watcher) Run(ctx context.Context, source Source) {
	ctx, cancel := context.WithCancel(ctx)
	defer w.desk.close()
	defer cancel()
	w.wakes.Store(math.MaxInt64)
	w.desk.start(w.rouse, func(t task) bool {
		return w.survive(ctx, func() error { return w.work(ctx, source, t) })
	})
	for ctx.Err() == nil {
		pause := retryAfter
		w.survive(ctx, func() error {
			pause = w.round(ctx)
			return nil
		})
		w.sleep(ctx, pause)
	}
}

// round takes what is to be looked at, and returns how long nothing else is.
func (w *Watcher) round(ctx context.Context) time.Duration {
	w.count(ctx)
	room := min(w.desk.room(), mostTaken)
	states, next, err := w.index.Take(ctx, w.now(), room, taken)
	if err != nil {
		w.failed(ctx, err)
		return retryAfter
	}
	w.desk.take(states)
	held := w.desk.retry() > 0 || !w.recovered()
	pause := alone
	if w.shared || held || room == 0 {
		pause = together
	}
	if !next.IsZero() && room > 0 {
		pause = min(pause, next.Sub(w.now()))
	}
	return pause
}

// sleep waits, until it is roused at the latest.
func (w *Watcher) sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	w.wakes.Store(w.now().Add(pause).UnixNano())
	defer w.wakes.Store(math.MaxInt64) // what is put now may be overlooked
	select {
	case <-timer.C:
	case <-w.roused:
	case <-ctx.Done():
	}
}

// expect makes sure that the watcher is awake when states that were put have to be looked at.
func (w *Watcher) expect(states []State) {
	for _, s := range states {
		if !s.Over() && s.Look.UnixNano() < w.wakes.Load() {
			w.rouse()
			return
		}
	}
}

// rouse makes the watcher ask the index anew.
func (w *Watcher) rouse() {
	select {
	case w.roused <- struct{}{}:
	default:
	}
}

// Current implements [Events].
func (w *Watcher) Current(ctx context.Context, tokens []Reading) ([]Event, error) {
	ids := make([]providers.ID, len(tokens))
	for i, reading := range tokens {
		ids[i] = reading.Subject.Token
	}
	states, err := w.index.Get(ctx, ids)
	if err != nil {
		return nil, err
	}
	now := w.now()
	var events []Event
	for i, s := range states {
		if e, ok := w.rule.Current(w.rule.Read(s, named(tokens[i], s), now).State, now); ok {
			events = append(events, e)
		}
	}
	return events, nil
}

// survive does something and tells what stands in its way; again: it may work later.
func (w *Watcher) survive(ctx context.Context, do func() error) (again bool) {
	defer func() {
		if p := recover(); p != nil {
			w.panicked(fmt.Sprint(p), debug.Stack())
			again = false
		}
	}()
	if err := do(); err != nil {
		return w.failed(ctx, err)
	}
	return false
}
