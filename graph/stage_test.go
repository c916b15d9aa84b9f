package graph_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"regtok/eventlog"
	"regtok/expiry"
	"regtok/graph/transport"
)

// stage is a world whose events are told by the test.
type stage struct {
	*world
	log     *followedLog
	streams *transport.Streams
	current []expiry.Event // what the present state is said to be; nil: what the rule makes of it
}

func newStage(t testing.TB, p plan) *stage {
	t.Helper()
	if p.streams == nil {
		p.streams = transport.NewStreams(transport.StreamConfig{Process: 10_000})
	}
	s := &stage{log: newLog(0), streams: p.streams}
	t.Cleanup(s.log.Close)
	p.events = &expiry.Events{Log: s.log, Retention: 35 * day, Current: s.present}
	s.world = newWorld(t, p)
	t.Cleanup(s.streams.Close) // before the servers, which wait for what is open
	return s
}

func (s *stage) present(_ context.Context, readings []expiry.Reading) ([]expiry.Event, error) {
	if s.current != nil {
		return slices.Clone(s.current), nil
	}
	rule := expiry.NewRule(expiry.Settings{Thresholds: []time.Duration{30 * day}})
	var events []expiry.Event
	now := time.Now()
	for _, reading := range readings {
		if e, ok := rule.Current(rule.Read(expiry.State{}, reading, now).State, now); ok {
			events = append(events, e)
		}
	}
	return events, nil
}

// followedLog is a log in memory that takes note of those who follow it.
type followedLog struct {
	*eventlog.Memory[expiry.Event]
	follows chan struct{} // one for each who began
}

// newLog has room for so many events; 0: for more than a test tells.
func newLog(room int) *followedLog {
	return &followedLog{expiry.NewMemory(room, 0), make(chan struct{}, 10_000)}
}

// Follow implements expiry.Log.
func (l *followedLog) Follow(after eventlog.Cursor, filter func(*expiry.Event) bool) (*eventlog.Subscription[expiry.Event], error) {
	subscription, err := l.Memory.Follow(after, filter)
	l.follows <- struct{}{}
	return subscription, err
}

// waitFor waits until so many more follow the log: what is told from then on reaches them.
func (s *stage) waitFor(t testing.TB, more int) {
	t.Helper()
	late := time.After(30 * time.Second) // a busy machine's
	for n := range more {
		select {
		case <-s.log.follows:
		case <-late:
			t.Fatalf("%d follow the log, want %d", n, more)
		}
	}
}

func (s *stage) tell(t testing.TB, events ...expiry.Event) {
	t.Helper()
	if _, err := s.log.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

// cursors are those of the log's events.
func (s *stage) cursors(t testing.TB) []string {
	t.Helper()
	page, err := s.log.Read(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var cursors []string
	for _, entry := range page.Entries {
		cursors = append(cursors, string(entry.Cursor))
	}
	return cursors
}
