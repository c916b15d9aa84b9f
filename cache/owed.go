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
	mendEvery = time.Second
	// toldFor is how long a bump that the Store has taken is repeated when the Store has failed since: it may have
	// come back with less than it had, as a replica that takes over does.
	toldFor = time.Minute
)

// bumps are what the Store was, or has still to be, told.
type bumps struct {
	startMending func()

	mu      sync.Mutex
	owed    map[Scope]int       // how often a bump failed that the Store has not taken since
	told    map[Scope]time.Time // when it took a bump, for toldFor
	mending bool
}

// bump tells the Store of a bump, which is owed when that fails. No breaker keeps it from trying: other processes depend
// on it.
func (f *far) bump(ctx context.Context, scopes []Scope) {
	if !f.tellBump(context.WithoutCancel(ctx), f.timeout, scopes) {
		f.owe(scopes)
		return
	}
	now := time.Now()
	f.bumps.mu.Lock()
	defer f.bumps.mu.Unlock()
	for scope, at := range f.bumps.told {
		if now.Sub(at) >= toldFor {
			delete(f.bumps.told, scope)
		}
	}
	for _, scope := range scopes {
		f.bumps.told[scope] = now
	}
}

func (f *far) tellBump(ctx context.Context, timeout time.Duration, scopes []Scope) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return f.ok(f.store.Bump(ctx, scopes...))
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
		f.owe(scopes)
	}
}

// owe keeps the scopes out of the far tier until the Store has taken a bump of each.
func (f *far) owe(scopes []Scope) {
	f.bumps.mu.Lock()
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
	f.bumps.mu.Unlock()
	if !f.tellBump(ctx, max(f.timeout, mendEvery), slices.Collect(maps.Keys(owed))) {
		return false
	}
	f.bumps.mu.Lock()
	defer f.bumps.mu.Unlock()
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

// withoutOwed returns the keys that may be asked for, and where they stand in keys.
func (f *far) withoutOwed(keys []Key) (asked []Key, indexes []int) {
	f.bumps.mu.Lock()
	defer f.bumps.mu.Unlock()
	for i, key := range keys {
		if f.bumps.owed[key.Scope] == 0 {
			asked = append(asked, key)
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
