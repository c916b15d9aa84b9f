package cache

import (
	"bytes"
	"context"
	"math/rand/v2"
	"time"
)

// The pauses between two looks grow from one to the other.
const (
	leastLook = 5 * time.Millisecond
	mostLook  = 50 * time.Millisecond
)

// lease lets one process load what several miss at the same time. It returns what another one has loaded meanwhile, or
// nil: then f is to load. It waits no longer than a lease lasts, nor than a load may take, and not at all for a Store that
// cannot say who loads. Until leased nobody else is to load: that ends when what f brings is shared, or by release.
func (v *View[K, V]) lease(ctx context.Context, f *flight[K, V], far answer) (theirs *item[K, V], leased time.Time) {
	if !far.asked || far.Generation == 0 || f.insist || v.config.Encode == nil || v.config.Decode == nil {
		return nil, leased
	}
	key, life := v.farKey(f.name), min(v.cache.leaseFor, v.config.Timeout)
	seen := far.Value
	pause := leastLook
	for began := time.Now(); ; pause = min(2*pause, mostLook) {
		asked := time.Now()
		found, mine := v.cache.lease(key, far.Generation, life)
		if mine {
			leased = asked.Add(life)
		}
		// After a bump nobody finds what is loaded under the generation from before it.
		if !found.asked || found.Generation != far.Generation {
			return nil, leased
		}
		if !bytes.Equal(found.Value, seen) {
			seen = found.Value
			if theirs = v.news(ctx, f, found); theirs != nil {
				return theirs, leased
			}
		}
		if mine || time.Since(began) >= life || !v.wanted(f) || !v.pause(pause) {
			return nil, leased
		}
	}
}

// release lets others load what f has not brought.
func (v *View[K, V]) release(ctx context.Context, f *flight[K, V], far answer, leased time.Time) {
	if time.Now().Before(leased) { // else it may be another's by now
		v.cache.far.endLease(ctx, v.farKey(f.name), far.Generation)
	}
}

// news is what another process stored since f began, if it is newer than what there is near.
func (v *View[K, V]) news(ctx context.Context, f *flight[K, V], found answer) *item[K, V] {
	now := time.Now()
	return v.decode(ctx, f, found, v.held(f.key, now), now)
}

// pause waits for about d; false: the cache is closed.
func (v *View[K, V]) pause(d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-v.cache.ctx.Done():
		return false
	}
}
