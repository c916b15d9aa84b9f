package cache

import "testing"

func TestNobodyBoardsAFlightThatWasGivenUp(t *testing.T) {
	c := New(Options{})
	t.Cleanup(c.Close)
	v := numbered(c, "name")
	_, f, _ := v.board(t.Context(), 1)
	v.leave(f)
	if v.wanted(f) {
		t.Error("a flight that nobody waits for is wanted")
	}
	_, next, mine := v.board(t.Context(), 1)
	if next == f || !mine {
		t.Error("a reader boarded it all the same")
	}
}

func TestWhoLeavesAndWhoComesBeforeItsTurnKeepAFlight(t *testing.T) {
	c := New(Options{})
	t.Cleanup(c.Close)
	v := numbered(c, "name")
	_, f, _ := v.board(t.Context(), 1)
	v.leave(f)
	if _, again, mine := v.board(t.Context(), 1); again != f || mine || !v.wanted(f) {
		t.Error("the second reader did not keep the flight that the first had left")
	}
}

func TestWhoInsistsMakesAFlightThatHasNotBegunInsist(t *testing.T) {
	c := New(Options{})
	t.Cleanup(c.Close)
	v := numbered(c, "name")
	_, f, _ := v.board(t.Context(), 1)
	if _, joined, _ := v.board(NoCache(t.Context()), 1); joined != f || !f.insist {
		t.Error("who insists would get what the far tier has")
	}
	v.begin(f)
	if _, joined, _ := v.board(NoCache(t.Context()), 1); joined == f || joined.after != f.done {
		t.Error("who insists after it began does not wait for the next")
	}
}
