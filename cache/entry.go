package cache

import (
	"math"
	"sync/atomic"
	"time"
)

// Entry is what a view knows of one key.
type Entry[V any] struct {
	// Value is shared by all readers: never change it. It is the zero V when Err is set.
	Value V
	// Err is the load's error, or the caller's context's, and nil when there is a value, be it stale.
	Err error
	// ObservedAt is when the load finished that Value or Err came from.
	ObservedAt time.Time
	// StaleSince is when Value ceased to be fresh; zero: it is fresh. A fresh value that a caller insisted on
	// renewing in vain counts as stale since ObservedAt.
	StaleSince time.Time
	// Cause is why the last try to renew a stale value failed; nil: none failed, one is under way.
	Cause error
}

// item is an Entry as it is kept near. It never changes but for its atomics.
type item[K comparable, V any] struct {
	view       *View[K, V]
	key        K
	value      V
	err        error // remembered for as long as the item is fresh
	observed   time.Time
	freshUntil time.Time
	goneAt     time.Time
	bytes      uint32

	scope      *scope
	moment     Moment
	far        bool       // it comes from the far tier; when its load began is not known
	generation Generation // under which the far tier would have it; 0: not known

	known   atomic.Int64 // when it was last known to be true, as belief.of has it
	setback atomic.Pointer[setback]
}

// setback is a renewal that failed.
type setback struct {
	err   error
	until time.Time // no other try before
}

// itemBytes is about what an item costs beside its value.
const itemBytes = 320

func (it *item[K, V]) weight() uint32 { return it.bytes }

// satisfies tells whether it was asked for at since or later.
func (it *item[K, V]) satisfies(since time.Time) bool {
	return since.IsZero() || !it.far && !it.moment.at.Before(since)
}

// supersedes implements nearItem. A load that began earlier is older, even if it took longer.
func (it *item[K, V]) supersedes(candidate nearItem) bool {
	other, ok := candidate.(*item[K, V])
	if !ok || other.view != it.view || other.key != it.key {
		return false
	}
	if it.far || other.far {
		return it.observed.After(other.observed)
	}
	return it.moment.at.After(other.moment.at)
}

func (it *item[K, V]) fresh(now time.Time) bool { return now.Before(it.freshUntil) }

func (it *item[K, V]) gone(now time.Time) bool { return !now.Before(it.goneAt) }

// pausing tells that a renewal failed only just now.
func (it *item[K, V]) pausing(now time.Time) bool {
	failed := it.setback.Load()
	return failed != nil && now.Before(failed.until)
}

func (it *item[K, V]) entry(now time.Time) Entry[V] {
	entry := Entry[V]{Value: it.value, Err: it.err, ObservedAt: it.observed}
	if it.fresh(now) {
		return entry
	}
	entry.StaleSince = it.freshUntil
	if failed := it.setback.Load(); failed != nil {
		entry.Cause = failed.err
	}
	return entry
}

// contenting is the entry for those who tolerate that age. Whether somebody else's renewal failed is nothing to them: else
// it would go on being told for as long as they, who renew nothing, let it be.
func (it *item[K, V]) contenting(tolerance time.Duration, now time.Time) Entry[V] {
	entry := it.entry(now)
	if it.contents(tolerance, now) {
		entry.Cause = nil
	}
	return entry
}

// despite is the entry for those who waited for a renewal that failed.
func (it *item[K, V]) despite(err error, now time.Time) Entry[V] {
	entry := it.entry(now)
	entry.Cause = err
	if entry.StaleSince.IsZero() {
		entry.StaleSince = it.observed
	}
	return entry
}

// fail makes it a failure that is remembered for a while.
func (it *item[K, V]) fail(err error, now time.Time, memory time.Duration) {
	it.err = err
	it.observed = now
	it.freshUntil = now.Add(memory)
	it.goneAt = it.freshUntil
	it.bytes = bytesOf(0)
}

func bytesOf(size int) uint32 {
	return uint32(min(max(size, 0)+itemBytes, math.MaxUint32))
}
