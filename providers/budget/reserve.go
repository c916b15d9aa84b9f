package budget

import "slices"

// reserve is how many of an allowance's requests are left to others. Where they are too many for the limit half of it is,
// or all but two for each, so that it is of use. The window is nil where nothing is told.
func (s *state) reserve(now moment, origin uint64, limit int, w *window) int {
	return min(s.promises(now, origin, w), max(limit/2, limit-2*len(s.members)))
}

// promises is how many requests others may send without our knowing. One more is left, for a process that nobody knows
// yet, and to find out.
func (s *state) promises(now moment, origin uint64, w *window) int {
	if origin == 0 || s.alone != nil {
		return 0
	}
	kept := 1
	for i := range s.members {
		if m := &s.members[i]; m.origin != origin {
			kept += m.keeps(now, w)
		}
	}
	return kept
}

// keeps is how many requests of a window a member may still send that nobody has been told of. While it has a word with
// the others these are what it was promised. A missing one may be alone: it sends one request at a time, and after each
// answer no more than its part of what the answer left. So at the end one is enough, once what it was promised at first
// is known to be spent or void.
func (m *member) keeps(now moment, w *window) int {
	if w == nil || now.since(m.seen) <= missingAfter {
		return m.may
	}
	part := (w.limit - w.used) / max(m.among, fewestMembers)
	if w.asked >= m.quiet() {
		return max(part, 1)
	}
	return m.may + max(part-1, 0)
}

// quiet is until when a missing member may send what it was promised, whatever it is told.
func (m *member) quiet() moment { return m.seen.add(quietFor) }

// doubtful is how much of what is kept for missing members may be void by now. One request at a time finds out.
func (s *state) doubtful(now moment, origin uint64, w *window) int {
	n, since := 0, now
	for i := range s.members {
		if m := &s.members[i]; m.origin != origin && m.quiet() <= now && w.asked < m.quiet() {
			n, since = n+m.keeps(now, w), min(since, m.quiet())
		}
	}
	if slices.ContainsFunc(s.sent, func(q sent) bool { return q.taken >= since && q.countsFor(w) }) {
		return 0
	}
	return n
}
