package ledger

import "time"

// sweepEvery is how long what has ended may take up memory.
const sweepEvery = time.Hour

// shelf holds values until their time is over. It has to be guarded by whoever owns it.
type shelf[K comparable, V any] struct {
	entries map[K]kept[V]
	swept   time.Time
	soonest time.Time // nothing has ended before that
}

type kept[V any] struct {
	value V
	until time.Time
}

// get returns what is there, and until when.
func (s *shelf[K, V]) get(key K) (found kept[V], ok bool) {
	found, ok = s.entries[key]
	if !ok || !time.Now().Before(found.until) {
		return kept[V]{}, false
	}
	return found, true
}

// put holds value until then, in the place of what is there.
func (s *shelf[K, V]) put(key K, value V, until time.Time) {
	if s.entries == nil {
		s.entries = map[K]kept[V]{}
	}
	s.entries[key] = kept[V]{value, until}
	s.soonest = sooner(s.soonest, until)
}

func (s *shelf[K, V]) drop(key K) { delete(s.entries, key) }

// size is how many values there are. Those whose time is over count for a while, but never up to most.
func (s *shelf[K, V]) size(most int) int {
	now := time.Now()
	if !now.Before(s.soonest) && (len(s.entries) >= most || now.Sub(s.swept) >= sweepEvery) {
		s.sweep(now)
	}
	return len(s.entries)
}

func (s *shelf[K, V]) sweep(now time.Time) {
	s.swept, s.soonest = now, time.Time{}
	for key, entry := range s.entries {
		if now.Before(entry.until) {
			s.soonest = sooner(s.soonest, entry.until)
		} else {
			delete(s.entries, key)
		}
	}
}

// sooner is the sooner of two times, of which the first may be none yet.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
