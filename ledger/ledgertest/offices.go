package ledgertest

import (
	"strings"
	"sync"
	"time"

	"regtok/ledger"
)

const office = time.Minute // how long one is held

// leads takes an office, or prolongs it, as a process that has to get it.
func (s *stage) leads(l ledger.Ledger, name string) (term uint64) {
	s.Helper()
	term, mine, err := l.Lead(s.Context(), name, office)
	s.must(err)
	if !mine || term == 0 {
		s.Errorf("the office %.20q is mine: %v, in the term %d; want it, and a term", name, mine, term)
	}
	return term
}

// isLed checks that another process holds the office a.
func (s *stage) isLed(l ledger.Ledger) {
	s.Helper()
	term, mine, err := l.Lead(s.Context(), "a", office)
	s.must(err)
	if mine || term != 0 {
		s.Errorf("the office is mine: %v, in the term %d; want it to be another's", mine, term)
	}
}

// later checks that terms grow.
func (s *stage) later(terms ...uint64) {
	s.Helper()
	for i, term := range terms[1:] {
		if term <= terms[i] {
			s.Errorf("the terms are %v, want each later than the one before", terms)
			return
		}
	}
}

var offices = []testCase{
	{"whoever holds an office prolongs it in the same term", func(s *stage) {
		first := s.leads(s, "a")
		for range 5 {
			s.Pass(office - 20*time.Second) // real time passes, too
			s.same("the term", s.leads(s, "a"), first)
		}
	}},
	{"an office that ran out is taken in a later term", func(s *stage) {
		first := s.leads(s, "a")
		s.Pass(office)
		second := s.leads(s, "a")
		s.Pass(1000 * time.Hour)
		s.later(first, second, s.leads(s, "a"))
	}},
	{"an office that was given back is taken in a later term", func(s *stage) {
		first := s.leads(s, "a")
		s.must(s.Resign(s.Context(), "a", first))
		second := s.leads(s.Connect(), "a")
		s.later(first, second)
	}},
	{"who gives back a term that is over leaves the next one as it is", func(s *stage) {
		first := s.leads(s, "a")
		s.must(s.Resign(s.Context(), "a", first))
		second := s.leads(s, "a")
		for _, term := range []uint64{first, 0, second + 1} {
			s.must(s.Resign(s.Context(), "a", term))
		}
		s.same("the term", s.leads(s, "a"), second)
		s.must(s.Resign(s.Context(), "never held", 1))
	}},
	{"offices of any name are apart", func(s *stage) {
		names := []string{"", "a", "ab", ":", "{a}", "a:term", "\x00", "\xff", "*", "\r\n", strings.Repeat("long", 5000)}
		terms := map[string]uint64{}
		for _, name := range names {
			terms[name] = s.leads(s, name)
		}
		s.must(s.Resign(s.Context(), "a", terms["a"]))
		for _, name := range names {
			if term := s.leads(s, name); (term == terms[name]) == (name == "a") {
				s.Errorf("the term of %.20q is %d, was %d", name, term, terms[name])
			}
		}
	}},
}

// sharedOffices are of ledgers that several processes share.
var sharedOffices = []testCase{
	{"of many processes one holds an office", func(s *stage) {
		var mu sync.Mutex
		holders := map[ledger.Ledger]uint64{}
		s.together(func(_ int, l ledger.Ledger) {
			term, mine, err := l.Lead(s.Context(), "a", office)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				s.Error(err)
			}
			if mine && holders[l] != 0 && holders[l] != term {
				s.Errorf("one process holds it in the terms %d and %d", holders[l], term)
			}
			if mine {
				holders[l] = term
			}
		})
		s.same("processes that hold the office", len(holders), 1)
	}},
	{"nobody gets an office that another process holds", func(s *stage) {
		first := s.leads(s, "a")
		for range 3 {
			s.isLed(s.Connect())
			s.Pass(office - 20*time.Second)
			s.same("the term", s.leads(s, "a"), first)
		}
		s.leads(s.Connect(), "b")
	}},
	{"the office of a process that died is another's in a later term", func(s *stage) {
		other := s.Connect()
		first := s.leads(s, "a")
		s.Pass(office - 20*time.Second)
		s.isLed(other)
		s.Pass(20 * time.Second)
		second := s.leads(other, "a")
		s.later(first, second)
		s.isLed(s) // it was not dead
		s.must(s.Resign(s.Context(), "a", first))
		s.must(s.Resign(s.Context(), "a", second)) // which is not its own
		s.same("the term", s.leads(other, "a"), second)
	}},
	{"an office that was given back is another's at once", func(s *stage) {
		other := s.Connect()
		first := s.leads(s, "a")
		s.isLed(other)
		s.must(s.Resign(s.Context(), "a", first))
		s.later(first, s.leads(other, "a"))
	}},
}
