package budget

import (
	"slices"
	"time"

	"regtok/providers"
)

// question is a request that asks to be counted.
type question struct {
	Request
	origin uint64
	id     uint64
	// ahead is how many of a higher priority are waiting.
	ahead int
	// promised is how many this process may send without a word from those it shares with.
	promised int
}

// sent is the request once it is taken.
func (q *question) sent(now moment) sent {
	return sent{origin: q.origin, id: q.id, of: q.Of, priority: q.Priority, taken: now}
}

// rules are what does not change while a process runs.
type rules struct {
	start      []providers.Limit
	sweepShare float64
}

// soon is how long to wait for something that may happen at any moment: an answer that others wait for.
const soon = 25 * time.Millisecond

// take counts a request, or tells how long to wait before asking again.
func (s *state) take(now moment, q question, r rules) time.Duration {
	s.roll(now)
	if q.Priority == providers.Sweeping && q.Term != 0 {
		if q.Term < s.term {
			return Never
		}
		s.term = q.Term
	}
	if wait := s.waitFor(now, q, r); wait > 0 {
		return wait
	}
	for i := range s.windows {
		w := &s.windows[i]
		if !concerns(q.Of, w.of) {
			continue
		}
		w.part--
		if q.Priority == providers.Sweeping {
			w.swept++
		}
	}
	s.sent = append(s.sent, q.sent(now))
	return 0
}

// waitFor is the longest of all waits.
func (s *state) waitFor(now moment, q question, r rules) time.Duration {
	wait := s.paused.since(now)
	if s.unknown(q, r) && s.asking(q) {
		wait = max(wait, soon)
	}
	switch {
	case s.alone != nil:
		wait = max(wait, s.waitAlone(now, q))
	case now < s.gather && (q.promised <= 0 || q.Priority == providers.Sweeping):
		wait = max(wait, min(s.gather.since(now), gatherFor))
	}
	if s.manner != telling {
		return max(wait, s.waitAssumed(now, q, r))
	}
	for i := range s.windows {
		if w := &s.windows[i]; concerns(q.Of, w.of) {
			wait = max(wait, s.waitWindow(now, w, q, r))
		}
	}
	return wait
}

// unknown tells whether it is not known what is used of an allowance that the request may count for. One request at a
// time finds out.
func (s *state) unknown(q question, r rules) bool {
	switch {
	case s.manner == silent, s.manner == unheard && len(r.start) > 0:
		return false
	case !s.verified:
		return true
	case q.Of == "" || s.common:
		return false
	}
	return !slices.ContainsFunc(s.windows, func(w window) bool { return w.of == q.Of })
}

// asking tells whether a request that will make it known is under way.
func (s *state) asking(q question) bool {
	return slices.ContainsFunc(s.sent, func(other sent) bool {
		if q.Priority == providers.Sweeping && other.priority == providers.Sweeping {
			return true // lost ones too: how many may be swept is not known either
		}
		return other.underWay() && other.taken >= s.trusted && (!s.verified || other.of == q.Of)
	})
}

// waitWindow is how long a request has to wait for one window.
func (s *state) waitWindow(now moment, w *window, q question, r rules) time.Duration {
	if s.alone != nil {
		if wait := s.waitPart(now, w, q); wait > 0 {
			return wait
		}
	}
	reserve := s.reserve(now, q.origin, w.limit, w)
	free, spare := w.limit-w.used-s.unsettled(w)-reserve, spared(q, w.limit)
	if q.Covered && s.term > 0 && s.alone == nil {
		spare = min(spare+max(r.sweeps(w.limit)-w.swept, 0), w.limit-1)
	}
	switch {
	case q.Priority == providers.Sweeping && w.swept >= r.sweeps(w.limit) && w.over:
		return soon
	case q.Priority == providers.Sweeping && w.swept >= r.sweeps(w.limit):
		return max(w.to.since(now), soon)
	case free > spare, free+s.doubtful(now, q.origin, w) > spare:
		return 0
	case w.over:
		return soon // those that are under way will tell
	case free+reserve > spare+len(s.members):
		return min(max(w.to.since(now), soon), beatEvery) // the others give back what they do not need
	}
	return max(w.to.since(now), soon)
}

// spared is how many requests have to be free beyond the one that asks, for those who go first.
func spared(q question, limit int) int {
	switch q.Priority {
	case providers.Writing:
		return 0
	case providers.Reading:
		switch {
		case limit < 5:
			return min(q.ahead, limit-1)
		case !q.Covered:
			return min(max(1, limit/10, q.ahead), limit-1)
		}
	}
	return min(max(limit/4, q.ahead), limit-1)
}

// sweeps is how many of a window's requests sweeping may take: its share, and one where that is less than one.
func (r rules) sweeps(limit int) int {
	return max(1, int(float64(limit)*r.sweepShare))
}
