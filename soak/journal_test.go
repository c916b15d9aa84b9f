package soak

import (
	"io"
	"testing"
	"time"
)

func TestTheJournalTellsWhoSweepsAndWhoGoesOn(t *testing.T) {
	j := newJournal(at(0), io.Discard)
	begins := func(seconds int, replica, provider string, term uint64) {
		j.write(logLine{Level: "INFO", Msg: sweeping, Replica: replica, Provider: provider, Term: term, At: at(seconds)}, "")
	}
	if got := j.sweeper(); got != "" {
		t.Errorf("before any did, %s sweeps", got)
	}
	begins(1, "a", "ionos", 1)
	begins(2, "b", "buildkite", 1)
	begins(3, "b", "ionos", 2)
	j.write(logLine{Level: "INFO", Msg: "request", Replica: "c", At: at(4)}, "")
	if got := j.sweeper(); got != "b" {
		t.Errorf("%q sweeps, want b", got)
	}
	if got := j.swept("a"); len(got) > 0 {
		t.Errorf("a, whose office b took over, sweeps %v", got)
	}
	theirs := j.swept("b")
	if len(theirs) != 2 || theirs["ionos"].Term != 2 {
		t.Errorf("b sweeps %v, want both", theirs)
	}
	if next, again := j.next(theirs["ionos"]); again {
		t.Errorf("after its death %v goes on, want nobody", next)
	}
	begins(9, "c", "ionos", 3)
	if next, again := j.next(theirs["ionos"]); !again || next.Replica != "c" || next.At.Sub(at(3)) != 6*time.Second {
		t.Errorf("after its death %v goes on, want c at 9 s", next)
	}
	j.write(logLine{Level: "INFO", Msg: serving, Replica: "b", At: at(10)}, "")
	if got := j.swept("b"); len(got) > 0 {
		t.Errorf("started anew, b sweeps %v", got)
	}
}
