package budget

import "time"

// moments are those of a state, by how far ahead they can be: not at all, until the others have told what they remember,
// or until a window ends or a wait.
type moments struct{ past, soon, later []*moment }

func (s *state) moments() moments {
	m := moments{
		past:  []*moment{&s.written},
		soon:  []*moment{&s.trusted, &s.gather},
		later: []*moment{&s.paused},
	}
	for i := range s.windows {
		w := &s.windows[i]
		m.past, m.later = append(m.past, &w.asked), append(m.later, &w.from, &w.to)
	}
	for i := range s.sent {
		q := &s.sent[i]
		m.past, m.later = append(m.past, &q.taken), append(m.later, &q.until)
	}
	for i := range s.assumed {
		m.past = append(m.past, &s.assumed[i].cut, &s.assumed[i].grown)
	}
	for i := range s.log {
		m.later = append(m.later, &s.log[i].at)
	}
	for i := range s.members {
		m.past = append(m.past, &s.members[i].seen)
	}
	return m
}

// shift makes all moments ones of a clock that is that much further.
func (s *state) shift(by time.Duration) {
	m := s.moments()
	for _, all := range [][]*moment{m.past, m.soon, m.later} {
		for _, one := range all {
			one.shift(by)
		}
	}
	if s.alone != nil {
		shifted := *s.alone
		shifted.since.shift(by)
		shifted.quiet.shift(by)
		s.alone = &shifted
	}
}

// bound takes back what no process would have written by this clock, so that no state, whoever wrote it, stops an account
// for longer than a window.
func (s *state) bound(now moment) {
	if s.written > now.add(clocksApart) {
		s.shift(now.since(s.written)) // the clock was set back
	}
	m := s.moments()
	notAfter(m.past, now.add(clocksApart))
	notAfter(m.soon, now.add(clocksApart+gatherFor))
	notAfter(m.later, now.add(clocksApart+longestWait+late))
	for i := range s.windows {
		s.windows[i].length = min(max(s.windows[i].length, 0), longestWait)
	}
}

// clocksApart is how far the clocks of two processes may be from each other.
const clocksApart = 2 * ClockSlack

func notAfter(all []*moment, latest moment) {
	for _, m := range all {
		if *m != 0 {
			*m = min(max(*m, 1), latest)
		}
	}
}
