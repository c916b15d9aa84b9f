// Package expirytest has events of tokens' ends for tests, and the suite of every [expiry.Index]: a new one is tested by one call
// of [RunIndex].
package expirytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/eventlog/logtest"
	"regtok/expiry"
	"regtok/providers"
)

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

// Kind is what the suite of every log needs to know of these events.
func Kind() logtest.Kind[expiry.Event] {
	strange, bad := Event(7), Event(1)
	strange.Subject.Name = "ümläut <&> \u2028 \x00 'quoted' {}"
	bad.ID = Event(2).ID
	return logtest.Kind[expiry.Event]{
		Codec: expiry.Codec(), Event: Event, Number: number, Strange: strange, Broken: []expiry.Event{bad},
	}
}

func number(e *expiry.Event) int {
	return int(e.DueAt.Sub(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Minute)
}

// stage is what a case plays on.
type stage struct{ *testing.T }

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
