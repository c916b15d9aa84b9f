package ledger

import "time"

// sweepEvery is how long what has ended may take up memory.
const sweepEvery = time.Hour

// shelf holds values until their time is over. It has to be guarded by whoever owns it.
type shelf[K comparable, V any] struct {
	entries map[K]kept[V]
	swept   time.Time
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
}

func (s *shelf[K, V]) drop(key K) { delete(s.entries, key) }

// size is how many values there are. Those whose time is over count for a while, but never up to most.
func (s *shelf[K, V]) size(most int) int {
	now := time.Now()
	if len(s.entries) >= most || now.Sub(s.swept) >= sweepEvery {
		for key, entry := range s.entries {
			if !now.Before(entry.until) {
				delete(s.entries, key)
			}
		}
		s.swept = now
	}
	return len(s.entries)
}
