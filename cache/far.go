package cache

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// mendEvery is the pause between two tries to tell the Store of a bump that it did not take.
const mendEvery = time.Second

// far guards the Store: short deadlines, no errors to callers, and no use of a scope in which the Store owes a bump.
type far struct {
	store   Store
	nearFor time.Duration
	timeout time.Duration
	errors  atomic.Uint64

	mu      sync.Mutex
	owed    map[Scope]int // how often a bump failed that the Store has not taken since
	mending bool
}

// answer is what the far tier says about one key. asked is false when it could not be asked.
type answer struct {
	Found
	asked bool
}

func newFar(options Options) *far {
	return &far{
		store:   options.Store,
		nearFor: orDefault(options.NearFor, 5*time.Second),
		timeout: orDefault(options.StoreTimeout, 50*time.Millisecond),
		owed:    map[Scope]int{},
	}
}

// getMany asks for all keys at once.
func (f *far) getMany(ctx context.Context, keys []Key) []answer {
	answers := make([]answer, len(keys))
	asked, indexes := f.withoutOwed(keys)
	if len(asked) == 0 {
		return answers
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	found, err := f.store.GetMany(ctx, asked)
	if f.ok(err) && len(found) == len(asked) {
		for i, index := range indexes {
			answers[index] = answer{Found: found[i], asked: true}
		}
	}
	return answers
}

func (f *far) set(ctx context.Context, item Item) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	f.ok(f.store.SetMany(ctx, []Item{item}))
}

func (f *far) deleteMany(ctx context.Context, keys ...Key) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	f.ok(f.store.DeleteMany(ctx, keys))
}

// bump tells the Store of a bump. When that fails, the scopes are owed, and false asks the caller to start mending.
func (f *far) bump(ctx context.Context, scopes []Scope) bool {
	if f.tellBump(ctx, scopes) {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, scope := range scopes {
		f.owed[scope]++
	}
	started := f.mending
	f.mending = true
	return started
}

func (f *far) tellBump(ctx context.Context, scopes []Scope) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.timeout)
	defer cancel()
	return f.ok(f.store.Bump(ctx, scopes...))
}

// mend repeats the bumps that the Store did not take until it has taken them all.
func (c *Cache) mend() {
	ticker := time.NewTicker(mendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-c.ctx.Done():
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
	f.mu.Lock()
	owed := maps.Clone(f.owed)
	f.mu.Unlock()
	scopes := make([]Scope, 0, len(owed))
	for scope := range owed {
		scopes = append(scopes, scope)
	}
	if !f.tellBump(ctx, scopes) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for scope, failures := range owed {
		if f.owed[scope] == failures { // else another failed meanwhile
			delete(f.owed, scope)
		}
	}
	f.mending = len(f.owed) > 0
	return !f.mending
}

// withoutOwed returns the keys that may be asked for, and where they stand in keys.
func (f *far) withoutOwed(keys []Key) (asked []Key, indexes []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, key := range keys {
		if f.owed[key.Scope] == 0 {
			asked = append(asked, key)
			indexes = append(indexes, i)
		}
	}
	return asked, indexes
}

func (f *far) ok(err error) bool {
	if err != nil {
		f.errors.Add(1)
	}
	return err == nil
}
