package budget

import (
	"slices"
	"time"

	"regtok/providers"
)

const (
	// answersToBelieve is how many answers in a row tell nothing until nothing is expected: a proxy's error tells
	// nothing either.
	answersToBelieve = 3
	// longestWait bounds how long a wrong header can silence an account: then one round of requests asks again.
	longestWait = time.Hour
	// shortestPause is for a refusal that says nothing of when to come again.
	shortestPause = time.Second
)

// settle learns from an answer. What it does not tell of, the request may have been counted in.
func (s *state) settle(now moment, q sent, a Answer, r rules) {
	s.roll(now)
	s.remove(q)
	if len(a.Told) > 0 {
		s.manner = telling
	}
	clear, known := make([]*providers.Limit, 0, len(a.Told)), false
	for i := range a.Told {
		told := &a.Told[i]
		if told.Limit > 0 && told.Remaining >= told.Limit {
			clear = append(clear, told) // it was not counted at all, and what is told is nobody's
			continue
		}
		if s.learn(now, q, told) {
			clear, known = append(clear, told), true
		}
	}
	s.heard(q, a, known)
	s.keepUntold(now, q, clear)
	if a.Refused || a.RetryAfter > 0 {
		s.refused(now, q, a, r)
	}
}

// lost notes that a request may have been counted at any time up to now, and a little later.
func (s *state) lost(now moment, q sent) {
	s.roll(now)
	s.remove(q)
	s.note(now.add(late), q)
	if s.manner == silent {
		return
	}
	s.lose(now, &q)
	s.sent = append(s.sent, q)
}

// returned takes back the count of a request that never left.
func (s *state) returned(now moment, q sent) {
	s.roll(now)
	s.remove(q)
	for i := range s.windows {
		if w := &s.windows[i]; concerns(q.of, w.of) {
			w.swept = max(w.swept-sweep(q), 0)
		}
	}
}

func (s *state) remove(q sent) {
	if at := s.find(q.origin, q.id); at >= 0 {
		s.sent = slices.Delete(s.sent, at, at+1)
	}
}

// heard notes whether the provider tells, and that it is known what is used.
func (s *state) heard(q sent, a Answer, clear bool) {
	if clear && q.taken >= s.trusted {
		s.verified = true
	}
	if clear && q.of != "" && !slices.ContainsFunc(a.Told, func(l providers.Limit) bool { return l.Of != "" }) {
		s.common = true
	}
	if s.manner != unheard || a.Refused {
		return
	}
	if s.answers++; s.answers >= answersToBelieve {
		s.manner = silent
	}
}

// learn believes what an answer tells of one allowance, and returns whether it is clear in which window the request was
// counted, so that it is within what was told.
func (s *state) learn(now moment, q sent, told *providers.Limit) bool {
	limit, used := told.Limit, told.Limit-max(told.Remaining, 0)
	reset := min(max(told.Reset, 0), longestWait)
	fresh := window{
		scope: told.Scope, of: told.Of, limit: limit, used: used, asked: q.taken, length: reset,
		from: q.taken.add(reset - rounding), to: now.add(reset + rounding),
	}
	if limit <= 0 {
		fresh.limit = max(told.Remaining, 1)
		fresh.used = fresh.limit - max(told.Remaining, 0)
	}
	at := slices.IndexFunc(s.windows, func(w window) bool { return w.scope == told.Scope && w.of == told.Of })
	if at < 0 {
		fresh.swept = s.sweepsUnderWay(&fresh) + sweep(q)
		s.part(&fresh, q)
		s.windows = append(s.windows, fresh)
		return true
	}
	return s.learnAgain(now, &s.windows[at], fresh, q)
}

// learnAgain puts together what is known of a window, and what is told of the same one, or of one before or after it.
func (s *state) learnAgain(now moment, known *window, fresh window, q sent) bool {
	known.length = max(known.length, fresh.length)
	fresh.length = known.length
	apart := max(known.length-rounding, 0)
	switch {
	case fresh.from > known.to, fresh.to < known.from && fresh.from > now:
		// The second: what is known cannot be, since the window that is told is not over. Clocks can be wrong.
		if now < known.from {
			fresh.used = max(fresh.used, known.used)
		}
		fresh.swept = s.sweepsUnderWay(&fresh) + sweep(q)
		if known.over {
			fresh.swept = max(fresh.swept, known.swept)
		}
		s.part(&fresh, q)
		*known = fresh
	case fresh.to < known.from:
	case fresh.to >= known.from.add(apart) || fresh.from <= known.to.add(-apart):
		return false // it took so long that this may be the next one, or the one before
	default:
		known.from, known.to = max(known.from, fresh.from), min(known.to, fresh.to)
		if !known.over {
			known.used, known.limit = max(known.used, fresh.used), min(known.limit, fresh.limit)
			known.asked = max(known.asked, fresh.asked)
			s.part(known, q)
		}
	}
	return true
}

func sweep(q sent) int {
	if q.priority == providers.Sweeping {
		return 1
	}
	return 0
}

// keepUntold keeps an answered request as a lost one where it may count in a window that its answer did not tell of.
func (s *state) keepUntold(now moment, q sent, clear []*providers.Limit) {
	s.note(now, q)
	for i := range s.windows {
		w := &s.windows[i]
		told := slices.ContainsFunc(clear, func(l *providers.Limit) bool { return l.Scope == w.scope && concerns(q.of, l.Of) })
		kept := slices.ContainsFunc(s.sent, func(other sent) bool {
			return other.origin == q.origin && other.id == q.id && other.only == w.scope
		})
		if told || kept || !concerns(q.of, w.of) {
			continue
		}
		rest := q
		rest.only = w.scope
		s.lose(now, &rest)
		s.sent = append(s.sent, rest)
	}
}

// refused heeds a refusal.
func (s *state) refused(now moment, q sent, a Answer, r rules) {
	wait := min(a.RetryAfter, longestWait)
	exhausted := slices.ContainsFunc(a.Told, func(l providers.Limit) bool { return l.Remaining <= 0 })
	if wait <= 0 && !exhausted {
		wait = shortestPause
	}
	s.paused = max(s.paused, now.add(wait))
	if a.Refused && s.manner != telling {
		s.cut(now, q, r)
	}
}
