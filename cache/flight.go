package cache

import (
	"context"
	"time"
)

// flight is one read on its way, shared by everybody who asks meanwhile. What changes is guarded by its view's mu,
// and read freely once done is closed.
type flight[K comparable, V any] struct {
	key    K
	name   Key
	renews bool // what is stale, in the background
	// reluctant tells that its load gives up sooner than that of another reader would.
	reluctant bool
	after     <-chan struct{} // it begins only when this is closed; nil: at once

	waiters   int
	insist    bool          // what is in the far tier does not count
	tolerance time.Duration // of the reader who tolerates least
	begun     bool
	scope     *scope
	moment    Moment

	hurried bool
	hurry   chan struct{} // closed: wait neither for after nor for a turn

	finished bool
	done     chan struct{}
	entry    Entry[V]
}

// board returns the flight that ctx's reader may wait for, and whether it is the reader's to depart. When one has
// landed since the reader looked, it returns the item that it brought.
func (v *View[K, V]) board(ctx context.Context, key K) (it *item[K, V], f *flight[K, V], mine bool) {
	name, since := v.config.Key(key), since(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	current := v.flights[key]
	if current == nil {
		it = v.usable(ctx, key, time.Now())
	}
	if it != nil {
		return it, nil, false
	}
	v.count.waits.Add(1)
	f = current
	if f == nil || !v.carries(f, since) {
		f, mine = newFlight[K, V](key, name), true
		f.reluctant = reluctant(ctx)
		f.insist, f.tolerance = !since.IsZero(), tolerance(ctx)
		// Readers who insist come one by one, each a little later than the flight before. So do those who cannot know
		// whether another process has ended meanwhile what that one brings. Waiting for it lets all who come
		// meanwhile share the next.
		if current != nil && (f.insist || v.held(key, time.Now()) == nil && current.scope.holds(current.moment)) {
			f.after = current.done
		}
		v.flights[key] = f
	}
	f.waiters++
	f.tolerance = min(f.tolerance, tolerance(ctx))
	if holdsTurn(ctx) && !f.hurried {
		f.hurried = true
		close(f.hurry)
	}
	return nil, f, mine
}

// carries tells whether f brings what a reader may have who comes now and insists since then. The view is locked.
func (v *View[K, V]) carries(f *flight[K, V], since time.Time) bool {
	if !f.begun {
		f.insist = f.insist || !since.IsZero()
		return true
	}
	if !f.scope.holds(f.moment) {
		return false
	}
	if !since.IsZero() {
		return f.insist && !f.moment.at.Before(since)
	}
	far := v.cache.far
	return far == nil || far.belief.holds(far.belief.of(f.moment.at), time.Now())
}

// renewal returns the flight that renews it, for the caller to depart; nil: none is due, or its reader needs none.
func (v *View[K, V]) renewal(it *item[K, V], tolerance time.Duration, now time.Time) *flight[K, V] {
	if it.fresh(now) || it.pausing(now) || it.contents(tolerance, now) {
		return nil
	}
	name := v.config.Key(it.key)
	v.mu.Lock()
	defer v.mu.Unlock()
	if current := v.flights[it.key]; current != nil && v.carries(current, time.Time{}) {
		return nil
	}
	if held := v.held(it.key, now); held != nil && held != it {
		return nil // it has landed since
	}
	f := newFlight[K, V](it.key, name)
	f.renews, f.reluctant = true, true
	f.waiters = 1 // so that it is never given up
	v.flights[it.key] = f
	return f
}

func newFlight[K comparable, V any](key K, name Key) *flight[K, V] {
	return &flight[K, V]{key: key, name: name, hurry: make(chan struct{}), done: make(chan struct{})}
}

// wait returns what f brings, or ctx's error once ctx ends before.
func (v *View[K, V]) wait(ctx context.Context, f *flight[K, V]) Entry[V] {
	select {
	case <-f.done: // as most of a batch are by then
		return f.entry
	default:
	}
	select {
	case <-f.done:
		return f.entry
	case <-ctx.Done():
	}
	select {
	case <-f.done:
		return f.entry
	default:
		v.leave(f)
		return Entry[V]{Err: ctx.Err()}
	}
}

func (v *View[K, V]) leave(f *flight[K, V]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f.waiters--
}

// insisted tells whether one of f's readers insists.
func (v *View[K, V]) insisted(f *flight[K, V]) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return f.insist
}

// tolerated is what those of f's readers tolerate so far who tolerate least.
func (v *View[K, V]) tolerated(f *flight[K, V]) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return f.tolerance
}

// wanted tells whether anybody waits for f, whose turn has come. If not, nobody will.
func (v *View[K, V]) wanted(f *flight[K, V]) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.waiters == 0 {
		v.forget(f)
	}
	return f.waiters > 0
}

// begin takes the moment of flights: what is bumped from now on, they cannot bring.
func (v *View[K, V]) begin(flights ...*flight[K, V]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range flights {
		f.scope = v.cache.scopes.get(f.name.Scope)
		f.moment = v.cache.scopes.moment()
		f.begun = true
	}
}

// finish gives f's readers their entry, unless they have one already.
func (v *View[K, V]) finish(f *flight[K, V], entry Entry[V]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.finished {
		return
	}
	f.finished = true
	f.entry = entry
	v.forget(f)
	close(f.done)
}

// forget lets nobody else board f. The view is locked.
func (v *View[K, V]) forget(f *flight[K, V]) {
	if v.flights[f.key] == f {
		delete(v.flights, f.key)
	}
}
