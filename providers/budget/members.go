package budget

import (
	"slices"
	"time"
)

// member is a process that shares the state.
type member struct {
	origin uint64
	seen   moment
	// may is how many requests it may send, all in all, without a word from the others.
	may int
	// among is how many members it knew of.
	among int
}

const (
	// missingAfter is how long a member is silent until it is taken to have lost the others, and to go on alone.
	missingAfter = 4 * time.Second
	// goneAfter is how long it is silent until it is taken to have ended. One that was cut off sends no more than it was
	// promised for longest where nothing is told: a window's length, and late.
	goneAfter = 75 * time.Second
	// fewestMembers is how many there are taken to be by one that is alone: another may have started meanwhile.
	fewestMembers = 2
)

// join notes that a member is there.
func (s *state) join(now moment, origin uint64) *member {
	at := slices.IndexFunc(s.members, func(m member) bool { return m.origin == origin })
	if at < 0 {
		at = len(s.members)
		s.members = append(s.members, member{origin: origin, may: 1})
	}
	m := &s.members[at]
	m.seen = now
	return m
}

// leave notes that a member has gone, and what it has under way is nobody's any more.
func (s *state) leave(now moment, origin uint64) {
	s.members = slices.DeleteFunc(s.members, func(m member) bool { return m.origin == origin })
	s.loseStrays(now)
}

// rollMembers drops those that have not been seen for long.
func (s *state) rollMembers(now moment) {
	s.members = slices.DeleteFunc(s.members, func(m member) bool { return now.since(m.seen) > goneAfter })
	s.loseStrays(now)
}

// loseStrays gives up what was under way at a member that is there no more.
func (s *state) loseStrays(now moment) {
	for i := range s.sent {
		q := &s.sent[i]
		if !q.underWay() || q.origin == 0 || slices.ContainsFunc(s.members, func(m member) bool { return m.origin == q.origin }) {
			continue
		}
		s.note(now, *q)
		s.lose(now, q)
	}
}

// mayOf is how many requests a member can be allowed to send without a word: of what is free half, shared by all. What
// the others may send is not free.
func (s *state) mayOf(now moment, origin uint64, r rules) int {
	free := 0
	for i := range s.windows {
		w := &s.windows[i]
		left := w.limit - w.used - s.unsettled(w) - s.promises(now, origin, w)
		if i == 0 || left < free {
			free = left
		}
	}
	switch {
	case s.manner != telling && len(r.start) > 0:
		free = s.freeAssumed(now, origin, r)
	case len(s.windows) == 0:
		return 1
	}
	return max(min(free, 1), free/(2*max(len(s.members), fewestMembers)), 0)
}

// keep makes the state hold exactly those requests of a member as under way that are.
func (s *state) keep(origin uint64, own map[uint64]sent) {
	found := 0
	s.sent = slices.DeleteFunc(s.sent, func(q sent) bool {
		if q.origin != origin || !q.underWay() {
			return false
		}
		_, there := own[q.id]
		if there {
			found++
		}
		return !there
	})
	if found == len(own) {
		return
	}
	for id, q := range own {
		if s.find(origin, id) < 0 {
			s.sent = append(s.sent, q)
		}
	}
}
