package cache

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// mendEvery is the pause between two tries to tell the Store of bumps that it owes, and how long one may take.
	mendEvery = 200 * time.Millisecond
	// toldFor is how long a bump that the Store has taken is repeated when the Store has failed since: it may have
	// come back with less than it had, as a replica that takes over does.
	toldFor = time.Minute
)

// bumps are what the Store was, or has still to be, told.
type bumps struct {
	startMending func()
	hurry        chan struct{}

	mu      sync.Mutex
	owed    map[Scope]int       // how often a bump failed that the Store has not taken since
	told    map[Scope]time.Time // when it took a bump, for toldFor
	waiting []*word             // for what is owed
	mending bool
}

// word is a bump on its way to the other processes.
type word struct {
	taken chan struct{} // closed when the Store has taken it, at that time
	at    time.Time
	heard <-chan struct{} // closed when all have heard; nil: nobody will say so
}

func newBumps(startMending func()) bumps {
	return bumps{
		startMending: startMending,
		hurry:        make(chan struct{}, 1),
		owed:         map[Scope]int{},
		told:         map[Scope]time.Time{},
	}
}

// bump tells the Store of a bump, which is owed when that fails. No breaker keeps it from trying: other processes depend
// on it.
func (f *far) bump(ctx context.Context, scopes []Scope) *word {
	w := &word{taken: make(chan struct{})}
	heard, ok := f.tellBump(context.WithoutCancel(ctx), f.timeout, scopes)
	if !ok {
		f.owe(scopes, w)
		return w
	}
	w.take(heard)
	f.bumps.mu.Lock()
	defer f.bumps.mu.Unlock()
	for scope, at := range f.bumps.told {
		if w.at.Sub(at) >= toldFor {
			delete(f.bumps.told, scope)
		}
	}
	for _, scope := range scopes {
		f.bumps.told[scope] = w.at
	}
	return w
}

func (w *word) take(heard <-chan struct{}) {
	w.at, w.heard = time.Now(), heard
	close(w.taken)
}

// passOn returns when no other process uses what w ended: all have heard, or have ceased to believe what they knew before
// the Store took w. While the Store takes nothing they have nobody to ask, and cease to believe as well.
func (f *far) passOn(w *word) {
	// The clocks of two machines do not run alike.
	lease := f.belief.lease + f.belief.lease/50
	timer := time.NewTimer(lease)
	defer timer.Stop()
	select {
	case <-w.taken:
	case <-timer.C:
		f.unheard.Add(1)
		return
	}
	timer.Reset(time.Until(w.at.Add(lease)))
	select {
	case <-w.heard:
	case <-timer.C:
		f.unheard.Add(1)
	}
}

func (f *far) tellBump(ctx context.Context, timeout time.Duration, scopes []Scope) (heard <-chan struct{}, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	heard, err := f.store.Bump(ctx, scopes...)
	return heard, f.ok(err)
}

// oweTold owes again what the Store may have lost.
func (f *far) oweTold() {
	now := time.Now()
	var scopes []Scope
	f.bumps.mu.Lock()
	for scope, at := range f.bumps.told {
		if now.Sub(at) < toldFor {
			scopes = append(scopes, scope)
		}
	}
	f.bumps.mu.Unlock()
	if len(scopes) > 0 {
		f.owe(scopes, nil)
	}
}

// owe keeps the scopes out of the far tier until the Store has taken a bump of each. w is told then; nil: nobody.
func (f *far) owe(scopes []Scope, w *word) {
	f.bumps.mu.Lock()
	if w != nil {
		f.bumps.waiting = append(f.bumps.waiting, w)
	}
	for _, scope := range scopes {
		f.bumps.owed[scope]++
	}
	mending := f.bumps.mending
	f.bumps.mending = true
	f.bumps.mu.Unlock()
	if !mending {
		f.health.is(bumping, false)
		f.bumps.startMending()
	}
}

// hurry has what is owed told at once.
func (f *far) hurry() {
	select {
	case f.bumps.hurry <- struct{}{}:
	default:
	}
}

// mend repeats the bumps that the Store owes until it has taken them all, and once more when the cache is closed.
func (c *Cache) mend() {
	ticker := time.NewTicker(mendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-c.ctx.Done():
			c.far.settleOwed(context.WithoutCancel(c.ctx))
			return
		case <-ticker.C:
		case <-c.far.bumps.hurry:
		}
		if c.far.settleOwed(c.ctx) {
			return
		}
	}
}

// settleOwed tries once, and tells whether nothing is owed any more.
func (f *far) settleOwed(ctx context.Context) bool {
	f.bumps.mu.Lock()
	owed := maps.Clone(f.bumps.owed)
	waiting := f.bumps.waiting
	f.bumps.waiting = nil
	f.bumps.mu.Unlock()
	heard, ok := f.tellBump(ctx, max(f.timeout, mendEvery), slices.Collect(maps.Keys(owed)))
	f.bumps.mu.Lock()
	defer f.bumps.mu.Unlock()
	if !ok {
		f.bumps.waiting = append(waiting, f.bumps.waiting...)
		return false
	}
	for _, w := range waiting {
		w.take(heard)
	}
	for scope, failures := range owed {
		if f.bumps.owed[scope] == failures { // else another failed meanwhile
			delete(f.bumps.owed, scope)
		}
	}
	f.bumps.mending = len(f.bumps.owed) > 0
	if f.bumps.mending {
		return false
	}
	f.health.is(bumping, true)
	return true
}

// withoutOwed returns the questions that may be asked, and where they stand.
func (f *far) withoutOwed(questions []Question) (asked []Question, indexes []int) {
	f.bumps.mu.Lock()
	defer f.bumps.mu.Unlock()
	for i, question := range questions {
		if f.bumps.owed[question.Key.Scope] == 0 {
			asked = append(asked, question)
			indexes = append(indexes, i)
		}
	}
	return asked, indexes
}

// owes counts the scopes in which the Store owes a bump.
func (f *far) owes() int {
	f.bumps.mu.Lock()
	defer f.bumps.mu.Unlock()
	return len(f.bumps.owed)
}
