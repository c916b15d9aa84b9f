package cache

import (
	"strconv"
	"sync"
	"testing"
)

func TestScopesAreBoundedAndForgettingOneEndsWhatIsInIt(t *testing.T) {
	const limit = 64
	s := newScopes(limit)
	before := s.moment()
	s.bump(Scope{Name: "bumped"})
	during := s.moment()
	held := map[string]*scope{}
	for i := range 10 * limit {
		name := strconv.Itoa(i)
		held[name] = s.get(Scope{Name: name})
		if got := len(s.known); got > limit {
			t.Fatalf("%d scopes are known, want %d at most", got, limit)
		}
	}
	now := s.moment()
	for name, sc := range held {
		known := s.known[Scope{Name: name}] == sc
		if holds := sc.holds(now); holds != known {
			t.Errorf("scope %s: holds is %v, known is %v", name, holds, known)
		}
	}
	again := s.get(Scope{Name: "bumped"})
	if again.holds(before) || !again.holds(during) {
		t.Error("a forgotten bump is not remembered, or spoils what came after it")
	}
}

func TestBumpsAtTheSameTimeLeaveTheLatest(t *testing.T) {
	s := newScopes(maxScopes)
	a := s.get(Scope{Name: "a"})
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 1000 {
				before := s.moment()
				s.bump(Scope{Name: "a"})
				if a.holds(before) {
					t.Error("a bump returned and what is older holds")
				}
			}
		})
	}
	writers.Wait()
	if !a.holds(s.moment()) {
		t.Error("what came after all bumps does not hold")
	}
}
