package ledgertest

import (
	"strings"
	"sync"
	"time"

	"regtok/ledger"
)

func running(fingerprint string) ledger.Call {
	return ledger.Call{Fingerprint: fingerprint, State: ledger.Running, Began: today()}
}

// claims checks that a call is the first under its key.
func (s *stage) claims(key ledger.Key, call ledger.Call) {
	s.Helper()
	present, mine, err := s.Connect().Claim(s.Context(), key, call)
	s.must(err)
	if !mine {
		s.Errorf("the claim of %q got %+v, want it to be the first", key, present)
	}
}

// claimed checks what is found under a key.
func (s *stage) claimed(key ledger.Key, want ledger.Call) {
	s.Helper()
	present, mine, err := s.Connect().Claim(s.Context(), key, running("another"))
	s.must(err)
	if mine {
		s.Errorf("the claim of %q is the first, want %+v there", key, want)
		return
	}
	s.same("the call", present, want)
}

var calls = []testCase{
	{"the first claim of a key is mine, and every other gets its call", func(s *stage) {
		key, call := ledger.Key{Caller: "a", Key: "b"}, running("x")
		s.claims(key, call)
		s.claimed(key, call)
		s.claimed(key, call)
	}},
	{"of many claims at once one is mine, and the others get its call", func(s *stage) {
		key := ledger.Key{Caller: "a", Key: "b"}
		var mu sync.Mutex
		var winners, found []string
		s.together(func(i int, l ledger.Ledger) {
			present, mine, err := l.Claim(s.Context(), key, running(strings.Repeat("x", i)))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				s.Error(err)
			case mine:
				winners = append(winners, strings.Repeat("x", i))
			default:
				found = append(found, present.Fingerprint)
			}
		})
		if len(winners) != 1 || len(found) != crowd-1 {
			s.Fatalf("%d claims were the first and %d not, want 1 and %d", len(winners), len(found), crowd-1)
		}
		for _, fingerprint := range found {
			s.same("a fingerprint", fingerprint, winners[0])
		}
	}},
	{"keys of any form are apart", func(s *stage) {
		odd := []string{"", "a", "ab", "abc", "c", "bc", "a:b", ":", "\x00", "\xff", "{a}", "é", "*", " ", "\r\n", strings.Repeat("long", 5000)}
		for round := range 2 {
			for _, caller := range odd {
				for _, name := range odd {
					key, call := ledger.Key{Caller: caller, Key: name}, ledger.Call{Fingerprint: caller[:min(len(caller), 5)] + "." + name[:min(len(name), 5)]}
					call.State = ledger.Lost
					_, mine, err := s.Claim(s.Context(), key, call)
					s.must(err)
					if mine != (round == 0) {
						s.Errorf("round %d: %.20q is new: %v", round, key, mine)
					}
				}
			}
		}
	}},
	{"what a call became takes its place", func(s *stage) {
		done := running("x")
		done.State, done.Token, done.Previous, done.PreviousEnds = ledger.Done, token(1), token(3), today().Add(time.Hour)
		lost := running("y")
		lost.State = ledger.Lost
		for name, call := range map[string]ledger.Call{"done": done, "lost": lost} {
			key := ledger.Key{Caller: "a", Key: name}
			s.claims(key, running(call.Fingerprint))
			for range 2 { // once more is as good
				s.must(s.Connect().Settle(s.Context(), key, call))
				s.claimed(key, call)
			}
		}
	}},
	{"a call is settled though its claim was lost", func(s *stage) {
		key, call := ledger.Key{Caller: "a", Key: "b"}, running("x")
		call.State, call.Token = ledger.Done, token(1)
		s.must(s.Settle(s.Context(), key, call))
		s.claimed(key, call)
		s.Pass(ledger.CallsKept)
		s.claims(key, call)
	}},
	{"a released call may be made again", func(s *stage) {
		key, other := ledger.Key{Caller: "a", Key: "b"}, ledger.Key{Caller: "a", Key: "c"}
		s.claims(key, running("x"))
		s.claims(other, running("z"))
		for range 2 { // the second time there is nothing to release
			s.must(s.Connect().Release(s.Context(), key))
		}
		s.claims(key, running("y"))
		if _, mine, err := s.Claim(s.Context(), other, running("z")); mine || err != nil {
			s.Errorf("another call was released with it, or %v", err)
		}
	}},
	{"a settled call is not released", func(s *stage) {
		key, call := ledger.Key{Caller: "a", Key: "b"}, running("x")
		s.claims(key, call)
		call.State = ledger.Lost
		s.must(s.Settle(s.Context(), key, call))
		s.must(s.Release(s.Context(), key))
		s.claimed(key, call)
	}},
	{"a call is remembered for its time, and not longer for being settled", func(s *stage) {
		key, unsettled := ledger.Key{Caller: "a", Key: "b"}, ledger.Key{Caller: "a", Key: "c"}
		call := running("x")
		s.claims(key, call)
		s.claims(unsettled, call)
		s.Pass(ledger.CallsKept - time.Hour)
		call.State = ledger.Lost
		s.must(s.Settle(s.Context(), key, call))
		s.Pass(time.Hour - time.Minute)
		s.claimed(key, call)
		s.Pass(time.Minute)
		s.claims(key, running("y"))
		s.claims(unsettled, running("y"))
	}},
}
