package cache

import (
	"context"
	"time"
)

// Look returns what the tiers have for many keys, fresh or stale, a remembered failure too, and whether there is anything:
// it asks the far tier about what the near tier cannot tell, and loads and renews nothing. To NoCache it pays no heed.
func (v *View[K, V]) Look(ctx context.Context, keys []K) (entries []Entry[V], kept []bool) {
	entries, kept = make([]Entry[V], len(keys)), make([]bool, len(keys))
	ctx = context.WithValue(ctx, sinceKey{}, time.Time{})
	now := time.Now()
	var absent []int
	for i, key := range keys {
		if it := v.usable(ctx, key, now); it != nil {
			entries[i], kept[i] = it.entry(now), true
		} else {
			absent = append(absent, i)
		}
	}
	if v.cache.far == nil || len(absent) == 0 || ctx.Err() != nil {
		return entries, kept
	}
	// They are flights that nobody can board, and that come home without a load.
	flights := make([]*flight[K, V], len(absent))
	for i, at := range absent {
		flights[i] = newFlight[K, V](keys[at], v.config.Key(keys[at]))
	}
	v.begin(flights...)
	answers := v.ask(ctx, flights)
	now = time.Now()
	for i, far := range answers {
		if it := v.found(ctx, flights[i], far, now); it != nil {
			entries[absent[i]], kept[absent[i]] = it.entry(now), true
		} else if it := v.held(flights[i].key, now); it != nil && (!far.asked || v.estranged(it, far)) {
			entries[absent[i]], kept[absent[i]] = v.doubtful(it, far, now)
		}
	}
	return entries, kept
}

// found is what a look found. What panics is not found.
func (v *View[K, V]) found(ctx context.Context, f *flight[K, V], far answer, now time.Time) (it *item[K, V]) {
	defer func() {
		if panicked := recover(); panicked != nil {
			_ = v.panicked(panicked, true)
			it = nil
		}
	}()
	return v.settle(ctx, f, far, now)
}
