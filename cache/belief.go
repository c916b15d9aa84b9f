package cache

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrUnconfirmed is the Entry.Cause of a value that would still be fresh, and that another process may have ended since:
// the Store cannot be asked, and nobody waits for this process to hear of anything.
var ErrUnconfirmed = errors.New("cache: other processes' changes are not heard of at the moment")

// ErrForgotten is an ErrUnconfirmed that will not pass by itself: the Store has lost what it knew, as a Redis that was
// started again, so nobody can tell what other processes ended. Only a load brings an answer.
var ErrForgotten = fmt.Errorf("%w: what is shared has begun anew", ErrUnconfirmed)

// belief says when a process may use what it knows without asking the Store. What it knows was true when the call began
// that fetched or confirmed it. It is believed for lease after that beginning, and only while each bump by another
// process waits for this one, and did so from that beginning on: until this one has heard, or for that long.
type belief struct {
	lease time.Duration
	base  time.Time
	// From when to when bumps wait for this process, since base.
	since, until atomic.Int64
}

func newBelief(lease time.Duration) *belief { return &belief{lease: lease, base: time.Now()} }

// registered notes from when to when bumps wait for this process.
func (b *belief) registered(since, until time.Time) {
	b.since.Store(b.of(since)) // first, so that nobody sees the new end beside the old beginning
	b.until.Store(b.of(until))
}

// of makes an instant comparable: by a clock that nobody sets.
func (b *belief) of(at time.Time) int64 { return int64(at.Sub(b.base)) }

// holds tells whether what was known at an instant may be used without asking.
func (b *belief) holds(known int64, now time.Time) bool {
	at := b.of(now)
	return at < b.until.Load() && b.since.Load() <= known && b.young(known, now)
}

// young tells whether it was known a moment ago.
func (b *belief) young(known int64, now time.Time) bool {
	return b.of(now) < known+int64(b.lease)
}

func (b *belief) listens(now time.Time) bool { return b.of(now) < b.until.Load() }

// believed tells whether the near tier needs no confirmation of it.
func (v *View[K, V]) believed(it *item[K, V], now time.Time) bool {
	far := v.cache.far
	return far == nil || far.belief.holds(it.known.Load(), now)
}

// knew notes when it was known to be true.
func (v *View[K, V]) knew(it *item[K, V], at time.Time) {
	if v.cache.far != nil {
		it.known.Store(v.cache.far.belief.of(at))
	}
}

// admitted is what may be served without asking anybody although the Store cannot be asked, and how: it is said to be old.
// It is served while a load that failed is not to be repeated yet, and else for as long as it would be fresh, or its
// readers tolerate: each reader knows what the answer is worth, and may insist, so that an outage of the Store does not
// burn the upstream's allowance.
func (v *View[K, V]) admitted(it *item[K, V], tolerance time.Duration, now time.Time) (Entry[V], bool) {
	if it == nil || it.err != nil || !v.coverable {
		return Entry[V]{}, false
	}
	if failed := it.setback.Load(); failed != nil && now.Before(failed.until) {
		return it.despite(failed.err, now), true
	}
	if it.fresh(now) || it.contents(tolerance, now) {
		return it.despite(ErrUnconfirmed, now), true
	}
	return Entry[V]{}, false
}
