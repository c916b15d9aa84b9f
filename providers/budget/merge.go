package budget

import "slices"

// distrust says that only an answer to a later request tells what is used.
func (s *state) distrust(until moment) {
	s.verified, s.trusted = false, max(s.trusted, until)
	s.windows = slices.DeleteFunc(s.windows, func(w window) bool { return w.of != "" }) // each has its own to be asked for
}

// clone is a state of its own.
func (s *state) clone() *state {
	c := *s
	c.windows, c.sent, c.assumed = slices.Clone(s.windows), slices.Clone(s.sent), slices.Clone(s.assumed)
	c.log, c.members = slices.Clone(s.log), slices.Clone(s.members)
	return &c
}

// rejoin adds what a member learned while it was alone.
func (s *state) rejoin(o *state, origin uint64) {
	s.mergeFacts(o)
	for _, q := range o.sent {
		if q.origin == origin {
			s.addSent(q)
		}
	}
}

// restore adds all that a member knows, because the others' state was lost.
func (s *state) restore(o *state) {
	s.mergeFacts(o)
	for _, q := range o.sent {
		s.addSent(q)
	}
	for _, m := range o.members {
		if !slices.ContainsFunc(s.members, func(known member) bool { return known.origin == m.origin }) {
			s.members = append(s.members, m)
		}
	}
	s.writes = max(s.writes, o.writes)
}

func (s *state) mergeFacts(o *state) {
	s.manner, s.answers = max(s.manner, o.manner), max(s.answers, o.answers)
	s.common = s.common || o.common
	s.paused, s.term = max(s.paused, o.paused), max(s.term, o.term)
	for _, w := range o.windows {
		s.mergeWindow(w)
	}
	for _, b := range o.log {
		known := s.bucket(b.at, b.origin) // each process counts for itself, so that no more than one is right
		known.count, known.swept = max(known.count, b.count), max(known.swept, b.swept)
	}
	if len(s.assumed) != len(o.assumed) {
		s.assumed = slices.Clone(o.assumed)
	}
	for i, a := range o.assumed {
		known := &s.assumed[i]
		if known.scope == a.scope && known.start == a.start && a.limit < known.limit {
			*known = a
		}
	}
}

func (s *state) mergeWindow(w window) {
	at := slices.IndexFunc(s.windows, func(known window) bool { return known.scope == w.scope && known.of == w.of })
	if at < 0 {
		s.windows = append(s.windows, w)
		return
	}
	switch known := &s.windows[at]; {
	case w.from > known.to:
		*known = w
	case w.to < known.from:
	default:
		known.from, known.to = max(known.from, w.from), min(known.to, w.to)
		known.limit, known.length = min(known.limit, w.limit), max(known.length, w.length)
		known.used, known.swept = max(known.used, w.used), max(known.swept, w.swept)
		known.asked = max(known.asked, w.asked)
		known.over = known.over && w.over
	}
}

func (s *state) addSent(q sent) {
	if !slices.ContainsFunc(s.sent, func(known sent) bool {
		return known.origin == q.origin && known.id == q.id && known.only == q.only
	}) {
		s.sent = append(s.sent, q)
	}
}
