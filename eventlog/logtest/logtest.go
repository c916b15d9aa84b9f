// Package logtest is the suite of package eventlog: what every [eventlog.Log] promises, with events of any kind. A new one is
// tested by one call of [Run].
package logtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/eventlog"
	"regtok/providers"
)

// Kind is a kind of events, as a case needs it.
type Kind[E any] struct {
	Codec eventlog.Codec[E]
	// Event is the nth of many events, and Number its n.
	Event  func(n int) E
	Number func(*E) int
	// Strange is an event whose texts are hard to write down.
	Strange E
	// Broken are no whole events. The empty one is another.
	Broken []E
}

// World is where a case of a log happens. The log is empty at first.
type World[E any] struct {
	// Connect opens the log as one more process does, until the case ends. One that is not shared is the same each time.
	Connect func() eventlog.Log[E]
	// Forget makes the log forget all events that it has but for the last few, as time does.
	Forget func()
	// Lose makes the log lose all that it knows, and go on. Nil: it cannot.
	Lose func()
	// Wait lets so much time pass.
	Wait func(time.Duration)
}

// Run runs the suite of every log. backend runs a case in a new world.
func Run[E any](t *testing.T, kind Kind[E], backend func(t *testing.T, run func(*testing.T, World[E]))) {
	for _, c := range slices.Concat(appending[E](), reading[E](), following[E]()) {
		t.Run(c.name, func(t *testing.T) {
			backend(t, func(t *testing.T, w World[E]) { c.run(&stage[E]{t, kind, w, w.Connect()}) })
		})
	}
}

type logCase[E any] struct {
	name string
	run  func(*stage[E])
}

// stage is what a case plays on.
type stage[E any] struct {
	*testing.T
	Kind[E]
	World[E]
	eventlog.Log[E]
}

// patience is how long something may take that has to happen.
const patience = 30 * time.Second

// events are those from one up to, and without, another.
func (s *stage[E]) events(from, to int) (events []E) {
	for n := from; n < to; n++ {
		events = append(events, s.Event(n))
	}
	return events
}

func (s *stage[E]) id(entry *eventlog.Entry[E]) string { return s.Codec.ID(&entry.Event) }

func (s *stage[E]) idOf(n int) string {
	event := s.Event(n)
	return s.Codec.ID(&event)
}

// must ends the case when something failed.
func (s *stage[E]) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage[E]) same(what string, got, want any) {
	s.Helper()
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("%s: got - want +\n%s", what, diff)
	}
}

// tells appends events.
func (s *stage[E]) tells(from, to int) {
	s.Helper()
	_, err := s.Append(s.Context(), s.events(from, to))
	s.must(err)
}

// numbers are those of Event, in the order of entries.
func (s *stage[E]) numbers(entries []*eventlog.Entry[E]) (found []int) {
	for _, entry := range entries {
		found = append(found, s.Number(&entry.Event))
	}
	return found
}

// upTo are the numbers from one up to, and without, another.
func upTo(from, to int) (all []int) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// bounds are the cursors before and after all that the log has.
func (s *stage[E]) bounds() (oldest, newest eventlog.Cursor) {
	s.Helper()
	oldest, newest, err := s.Bounds(s.Context())
	s.must(err)
	return oldest, newest
}

// follows follows the log of one more process until the case ends.
func (s *stage[E]) follows(after eventlog.Cursor, filter func(*E) bool) *eventlog.Subscription[E] {
	s.Helper()
	subscription, err := s.Connect().Follow(after, filter)
	s.must(err)
	s.Cleanup(subscription.Close)
	return subscription
}

// next is what a subscription hands out next.
func (s *stage[E]) next(subscription *eventlog.Subscription[E]) eventlog.Update[E] {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	update, err := subscription.Next(ctx)
	s.must(err)
	return update
}

// hears checks that a subscription hands out events, and nothing else.
func (s *stage[E]) hears(subscription *eventlog.Subscription[E], from, to int) {
	s.Helper()
	var got []int
	for len(got) < to-from {
		update := s.next(subscription)
		if update.Gap != nil {
			s.Fatalf("after %v: got a gap, %+v", got, *update.Gap)
		}
		got = append(got, s.Number(&update.Entry.Event))
	}
	s.same("heard", got, upTo(from, to))
}

// isSilent checks that a subscription has nothing more to hand out. It has had the time to find more.
func (s *stage[E]) isSilent(subscription *eventlog.Subscription[E]) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Millisecond)
	defer cancel()
	if update, err := subscription.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("got %+v, %v, want nothing", update, err)
	}
}

// together calls do for each of many at once, divided among several processes.
func (s *stage[E]) together(many int, do func(i int, log eventlog.Log[E])) {
	processes := []eventlog.Log[E]{s.Connect(), s.Connect(), s.Connect()}
	var users sync.WaitGroup
	for i := range many {
		users.Go(func() { do(i, processes[i%len(processes)]) })
	}
	users.Wait()
}

// refuses checks that a cursor is said to be damaged.
func (s *stage[E]) refuses(what string, err error) {
	s.Helper()
	refusal, ok := errors.AsType[*providers.Error](err)
	if !ok || refusal.Kind != providers.Invalid || refusal.Field != "after" {
		s.Errorf("%s said %v, want %s with the field after", what, err, providers.Invalid)
	}
}
