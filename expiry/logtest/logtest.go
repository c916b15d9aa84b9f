// Package logtest is the suite of package expiry: what every [expiry.Log] and every [expiry.Index] promises. A new one
// is tested by one call of [Run] or [RunIndex].
package logtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/expiry"
	"regtok/providers"
)

// World is where a case of a log happens. The log is empty at first.
type World struct {
	// Connect opens the log as one more process does, until the case ends. One that is not shared is the same each time.
	Connect func() expiry.Log
	// Forget makes the log forget all events that it has but for the last few, as time does.
	Forget func()
	// Lose makes the log lose all that it knows, and go on. Nil: it cannot.
	Lose func()
	// Wait lets so much time pass.
	Wait func(time.Duration)
}

// Run runs the suite of every log. backend runs a case in a new world.
func Run(t *testing.T, backend func(t *testing.T, run func(*testing.T, World))) {
	for _, c := range slices.Concat(appending, reading, following) {
		t.Run(c.name, func(t *testing.T) {
			backend(t, func(t *testing.T, w World) { c.run(&stage{t, w, w.Connect()}) })
		})
	}
}

type logCase struct {
	name string
	run  func(*stage)
}

// stage is what a case plays on.
type stage struct {
	*testing.T
	World
	expiry.Log
}

// patience is how long something may take that has to happen.
const patience = 30 * time.Second

// Event is the nth of many events. Even and odd ones are of different tokens.
func Event(n int) expiry.Event {
	state := expiry.State{}
	rule := expiry.NewRule(expiry.Settings{})
	due := time.Date(2030, 1, 1, 0, n, 0, 0, time.UTC)
	reading := expiry.Reading{At: due.Add(-time.Hour), Subject: Subject(n % 2), Due: due, Source: expiry.ByPolicy}
	state = rule.Read(state, reading, due.Add(-time.Hour)).State
	reading.At = due
	return rule.Read(state, reading, due).State.Untold[0]
}

// Subject is the nth of many tokens.
func Subject(n int) expiry.Subject {
	registry := providers.OrganizationID("provider", "organization").RegistryID(fmt.Sprint("registry ", n%3))
	return expiry.Subject{Token: registry.TokenID(fmt.Sprint("token/", n)), Name: fmt.Sprint("name ", n), RegistryName: "acme", CreatedBy: "Ada"}
}

// Events are those from one up to, and without, another.
func Events(from, to int) (events []expiry.Event) {
	for n := from; n < to; n++ {
		events = append(events, Event(n))
	}
	return events
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

// tells appends events.
func (s *stage) tells(from, to int) {
	s.Helper()
	_, err := s.Append(s.Context(), Events(from, to))
	s.must(err)
}

// numbers are those of Event, in the order of entries.
func numbers(entries []*expiry.Entry) (found []int) {
	for _, e := range entries {
		found = append(found, number(e))
	}
	return found
}

func number(e *expiry.Entry) int {
	return int(e.DueAt.Sub(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Minute)
}

// upTo are the numbers from one up to, and without, another.
func upTo(from, to int) (all []int) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// bounds are the cursors before and after all that the log has.
func (s *stage) bounds() (oldest, newest expiry.Cursor) {
	s.Helper()
	oldest, newest, err := s.Bounds(s.Context())
	s.must(err)
	return oldest, newest
}

// follows follows the log of one more process until the case ends.
func (s *stage) follows(after expiry.Cursor, filter func(*expiry.Event) bool) *expiry.Subscription {
	s.Helper()
	subscription, err := s.Connect().Follow(after, filter)
	s.must(err)
	s.Cleanup(subscription.Close)
	return subscription
}

// next is what a subscription hands out next.
func (s *stage) next(subscription *expiry.Subscription) expiry.Update {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	update, err := subscription.Next(ctx)
	s.must(err)
	return update
}

// hears checks that a subscription hands out events, and nothing else.
func (s *stage) hears(subscription *expiry.Subscription, from, to int) {
	s.Helper()
	var got []int
	for len(got) < to-from {
		update := s.next(subscription)
		if update.Gap != nil {
			s.Fatalf("after %v: got a gap, %+v", got, *update.Gap)
		}
		got = append(got, number(update.Entry))
	}
	s.same("heard", got, upTo(from, to))
}

// isSilent checks that a subscription has nothing more to hand out. It has had the time to find more.
func (s *stage) isSilent(subscription *expiry.Subscription) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Millisecond)
	defer cancel()
	if update, err := subscription.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("got %+v, %v, want nothing", update, err)
	}
}

// together calls do for each of many at once, divided among several processes.
func (s *stage) together(many int, do func(i int, log expiry.Log)) {
	processes := []expiry.Log{s.Connect(), s.Connect(), s.Connect()}
	var users sync.WaitGroup
	for i := range many {
		users.Go(func() { do(i, processes[i%len(processes)]) })
	}
	users.Wait()
}

// refuses checks that a cursor is said to be damaged.
func (s *stage) refuses(what string, err error) {
	s.Helper()
	refusal, ok := errors.AsType[*providers.Error](err)
	if !ok || refusal.Kind != providers.Invalid || refusal.Field != "after" {
		s.Errorf("%s said %v, want %s with the field after", what, err, providers.Invalid)
	}
}
