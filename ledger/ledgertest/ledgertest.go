// Package ledgertest is the suite of package ledger: what every [ledger.Ledger] promises. A new one is tested by one
// call of [Run].
package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/ledger"
	"regtok/providers"
)

// World is where a case happens: a ledger that is empty at first.
type World struct {
	// Connect opens the ledger as one more process does. One that is not shared is the same each time.
	Connect func() ledger.Ledger
	// Pass lets time go by for the ledger.
	Pass func(time.Duration)
}

// Backend runs a case in a new world. A ledger in memory does so inside testing/synctest, where Pass is a sleep.
type Backend func(t *testing.T, run func(t *testing.T, w World))

// Run runs the suite of every ledger. No case waits until its time is over, but for locks that it shall not get.
func Run(t *testing.T, backend Backend) {
	run(t, backend, general, calls, locks, rotations, schedules, offices)
}

// RunShared runs what holds in addition where several processes share a ledger.
func RunShared(t *testing.T, backend Backend) {
	run(t, backend, lostLocks, sharedOffices)
}

func run(t *testing.T, backend Backend, suites ...[]testCase) {
	for _, c := range slices.Concat(suites...) {
		t.Run(c.name, func(t *testing.T) {
			backend(t, func(t *testing.T, w World) { c.run(&stage{t, w, w.Connect()}) })
		})
	}
}

type testCase struct {
	name string
	run  func(*stage)
}

// stage is what a case plays on.
type stage struct {
	*testing.T
	World
	ledger.Ledger
}

// crowd is many users at once.
const crowd = 32

// together calls do for each of a crowd at once, divided among several processes.
func (s *stage) together(do func(i int, l ledger.Ledger)) {
	processes := []ledger.Ledger{s.Connect(), s.Connect(), s.Connect(), s.Connect()}
	var users sync.WaitGroup
	begin := make(chan struct{})
	for i := range crowd {
		users.Go(func() {
			<-begin
			do(i, processes[i%len(processes)])
		})
	}
	close(begin)
	users.Wait()
}

// must ends the case when something failed.
func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) same(what string, got, want any) {
	s.Helper()
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("%s: got - want +\n%s", what, diff)
	}
}

// token is one of many tokens. Even and odd ones are in different registries.
func token(n int) providers.ID {
	registry := providers.OrganizationID("provider", "organization").RegistryID(fmt.Sprint("registry ", n%2))
	return registry.TokenID(fmt.Sprint("token/", n))
}

// today is a time that every ledger can hold exactly.
func today() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

var general = []testCase{
	{"a call whose context has ended says so and enters nothing", func(s *stage) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		key := ledger.Key{Caller: "a", Key: "b"}
		_, _, claim := s.Claim(ctx, key, running("x"))
		_, lock := s.Lock(ctx, token(1))
		_, _, begin := s.BeginRotation(ctx, ledger.Rotation{Old: token(1), Began: today()})
		_, successors := s.Successors(ctx, []providers.ID{token(1)})
		_, predecessors := s.Predecessors(ctx, []providers.ID{token(1)})
		_, _, due := s.TakeDue(ctx, today(), 1, time.Minute)
		_, _, lead := s.Lead(ctx, "office", time.Minute)
		for name, err := range map[string]error{
			"Claim": claim, "Lock": lock, "BeginRotation": begin, "Successors": successors, "Predecessors": predecessors, "TakeDue": due, "Lead": lead,
			"Settle":          s.Settle(ctx, key, running("x")),
			"Release":         s.Release(ctx, key),
			"FinishRotation":  s.FinishRotation(ctx, ledger.Rotation{Old: token(1), New: token(2), Began: today()}),
			"AbandonRotation": s.AbandonRotation(ctx, token(1)),
			"Schedule":        s.Schedule(ctx, ledger.Deletion{Token: token(1), At: today()}),
			"Unschedule":      s.Unschedule(ctx, token(1)),
			"Resign":          s.Resign(ctx, "office", 1),
		} {
			if err != context.Canceled { //nolint:errorlint // it is the context's own
				s.Errorf("%s said %v, want %v", name, err, context.Canceled)
			}
		}
		s.claims(key, running("y"))
		s.begins(token(1))
		s.holdsLock(token(1))()
		s.takes(today(), 1)
		s.leads(s.Connect(), "office")
	}},
}
