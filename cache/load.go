package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// leastPause is how long a failed renewal is left alone.
const leastPause = time.Second

// PanicError is the error of a load that panicked. Its text is for logs.
type PanicError struct {
	View  string
	Value any
	Stack []byte
}

// Error tells the view and what was panicked with.
func (e *PanicError) Error() string {
	return fmt.Sprintf("cache: loading %s panicked: %v", e.View, e.Value)
}

var (
	// errGivenUp ends a flight that nobody waits for any more, so nobody sees it.
	errGivenUp = errors.New("cache: nobody waits")
	// errLost is the error of a load that ended its goroutine instead of returning.
	errLost = errors.New("cache: the load never returned")
)

type turnKey struct{}

// holdsTurn tells that ctx belongs to a load. What a load waits for must not queue behind it.
func holdsTurn(ctx context.Context) bool { return ctx.Value(turnKey{}) != nil }

// depart sends flights off, detached from ctx's end. It does not wait for them.
func (v *View[K, V]) depart(ctx context.Context, flights []*flight[K, V]) {
	ctx = context.WithoutCancel(ctx)
	var ready []*flight[K, V]
	for _, f := range flights {
		if f.after == nil {
			ready = append(ready, f)
			continue
		}
		v.start(func() {
			select {
			case <-f.after:
			case <-f.hurry:
			}
			v.fly(ctx, []*flight[K, V]{f})
		}, f)
	}
	if len(ready) > 0 {
		v.start(func() { v.fly(ctx, ready) }, ready...)
	}
}

// start runs do for flights, unless the cache is closed.
func (v *View[K, V]) start(do func(), flights ...*flight[K, V]) {
	if v.cache.start(do) {
		return
	}
	for _, f := range flights {
		v.finish(f, Entry[V]{Err: ErrClosed})
	}
}

// fly asks the far tier for all flights at once, and brings each home by itself.
func (v *View[K, V]) fly(ctx context.Context, flights []*flight[K, V]) {
	v.begin(flights...)
	answers := make([]answer, len(flights))
	if v.cache.far != nil {
		answers = v.ask(ctx, flights)
	}
	var next atomic.Int64
	var land func()
	land = func() {
		defer func() {
			if int(next.Load()) < len(flights) { // a Decode ended its goroutine, which is no other flight's fault
				v.cache.work.Go(land)
			}
		}()
		for i := int(next.Add(1)) - 1; i < len(flights); i = int(next.Add(1)) - 1 {
			v.land(ctx, flights[i], answers[i])
		}
	}
	// A goroutine for each would cost more than what most have to do.
	for range min(len(flights), runtime.GOMAXPROCS(0)) - 1 {
		v.cache.work.Go(land)
	}
	land()
}

// land brings f home with what the far tier answered, or has it loaded.
func (v *View[K, V]) land(ctx context.Context, f *flight[K, V], far answer) {
	if loads := v.arrive(ctx, f, far); loads != nil {
		v.cache.work.Go(func() { v.load(ctx, loads, far) })
	}
}

// arrive brings f home with what there is, and returns the flight that has to load: f itself, where there is nothing, or
// one that renews what there is; nil: none has to.
func (v *View[K, V]) arrive(ctx context.Context, f *flight[K, V], far answer) (loads *flight[K, V]) {
	defer func() {
		if loads != f {
			v.end(f, recover())
		}
	}()
	now := time.Now()
	it := v.settle(ctx, f, far, now)
	if it == nil {
		old, ok := v.unasked(f, far, now)
		if !ok {
			return f
		}
		v.finish(f, old)
		return nil
	}
	v.finish(f, it.contenting(v.tolerated(f), now))
	// Nobody boards f any more, so this is what all its readers tolerate.
	renewal := v.renewal(it, f.tolerance, now)
	if renewal != nil {
		// The far tier was asked just now. Should a bump have come since, the generation that it told is old, and
		// what is written under it stays hidden.
		v.begin(renewal)
	}
	return renewal
}

// load brings f home with a load, or with what another process loads at the same time.
func (v *View[K, V]) load(ctx context.Context, f *flight[K, V], far answer) {
	defer v.rescue(f)
	theirs, leased := v.lease(ctx, f, far)
	shared := false
	defer func() {
		if !shared {
			v.release(ctx, f, far, leased)
		}
	}()
	if theirs != nil {
		v.keep(theirs)
		v.finish(f, theirs.entry(time.Now()))
		return
	}
	value, err := v.read(ctx, f)
	if err != nil {
		v.failed(ctx, f, far, err)
		return
	}
	it := v.newItem(f.key, f.scope, f.moment, far)
	v.fill(it, value, time.Now())
	v.keep(it)
	v.finish(f, it.entry(it.observed))
	shared = v.share(f.name, it, leased)
}

// settle returns what the tiers have for f, fresh or stale, and keeps it near; nil: nothing that may be served.
func (v *View[K, V]) settle(ctx context.Context, f *flight[K, V], far answer, now time.Time) *item[K, V] {
	if v.cache.far == nil {
		return nil
	}
	it := v.held(f.key, now)
	if it != nil && !v.confirm(it, far) && (far.asked || !v.believed(it, now)) {
		it = nil
	}
	if f.insist {
		return nil
	}
	if found := v.decode(ctx, f, far, it, now); found != nil {
		v.keep(found)
		return found
	}
	return it
}

// read takes a turn and loads.
func (v *View[K, V]) read(ctx context.Context, f *flight[K, V]) (value V, err error) {
	if v.cache.ctx.Err() != nil {
		return value, ErrClosed
	}
	lane := v.cache.lane(f.name.Scope.Tenant)
	select {
	case lane <- struct{}{}:
		defer func() { <-lane }()
	case <-f.hurry:
	case <-v.cache.ctx.Done():
		return value, ErrClosed
	}
	if !v.wanted(f) {
		return value, errGivenUp
	}
	ctx, cancel := context.WithTimeout(v.inside(ctx, f), v.config.Timeout)
	defer cancel()
	defer context.AfterFunc(v.cache.ctx, cancel)()
	defer func() {
		if panicked := recover(); panicked != nil {
			err = v.panicked(panicked, f.renews)
		}
	}()
	v.count.loads.Add(1)
	value, err = v.config.Load(ctx, f.key)
	if err != nil && v.cache.ctx.Err() != nil {
		return value, ErrClosed // whatever an interrupted load makes of it
	}
	return value, err
}

// inside is the context of a load. What its first reader tolerates is not passed on: others may share the load, and what
// it reads.
func (v *View[K, V]) inside(ctx context.Context, f *flight[K, V]) context.Context {
	ctx = context.WithValue(ctx, turnKey{}, true)
	covered := v.covered(f)
	ctx = context.WithValue(ctx, coveredKey{}, covered)
	if covered { // and what it reads on its way has little time too
		ctx = Reluctant(ctx)
	}
	return Tolerate(ctx, 0)
}

// failed gives f's readers what may be served in spite of err, or err.
func (v *View[K, V]) failed(ctx context.Context, f *flight[K, V], far answer, err error) {
	now := time.Now()
	entry := Entry[V]{Err: err, ObservedAt: now}
	if errors.Is(err, errGivenUp) || errors.Is(err, ErrClosed) {
		v.finish(f, entry)
		return
	}
	v.count.errors.Add(1)
	if !f.scope.holds(f.moment) {
		v.finish(f, entry)
		return
	}
	memory := v.config.Negative(err)
	covered := v.config.ServeStale(err)
	it := v.held(f.key, now)
	if it == nil && covered {
		it = v.decode(ctx, f, far, nil, now)
	}
	if it != nil && it.err == nil && covered {
		if !ofReader(err) {
			it.setback.Store(&setback{err: err, until: now.Add(max(memory, leastPause))})
			v.keep(it)
		}
		v.finish(f, it.despite(err, now))
		return
	}
	failure := v.newItem(f.key, f.scope, f.moment, far)
	failure.fail(err, now, memory)
	if it != nil && !it.supersedes(failure) {
		v.cache.near.drop(v.hash(f.key), it)
	}
	v.keep(failure)
	if v.cache.far != nil && !covered {
		// Before anybody is told, or the next reader might find it there again.
		v.cache.far.retract(ctx, v.farKey(f.name), far.Found)
	}
	v.finish(f, entry)
}

// rescue ends a flight that something beside Load threw off its course. After one that ended well it does nothing.
func (v *View[K, V]) rescue(f *flight[K, V]) { v.end(f, recover()) }

// end ends a flight, unless it has ended, because of what was panicked with, if anything was.
func (v *View[K, V]) end(f *flight[K, V], panicked any) {
	err := errLost
	if panicked != nil {
		err = v.panicked(panicked, true)
	}
	v.finish(f, Entry[V]{Err: err, ObservedAt: time.Now()})
}

// panicked makes an error of what was panicked with, and logs it when nobody may ever see that error.
func (v *View[K, V]) panicked(value any, unseen bool) error {
	err := &PanicError{View: v.config.Name, Value: value, Stack: debug.Stack()}
	if unseen {
		v.cache.log.Error("cache panicked", "view", err.View, "panic", fmt.Sprint(value), "stack", string(err.Stack))
	}
	return err
}
