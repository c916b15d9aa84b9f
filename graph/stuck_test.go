package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"regtok/expiry"
	"regtok/graph/transport"
)

// TestAStuckReaderSlowsNobody has two who subscribe and then read nothing. All others get each event while the two hold up
// what is written to them; the two are cut off, and find all that they missed when they come back.
func TestAStuckReaderSlowsNobody(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) }) // after all that is stopped
	streams := transport.NewStreams(transport.StreamConfig{Write: 2 * time.Second})
	s := newStage(t, plan{streams: streams})
	s.tell(t, wide(0))
	start := s.cursors(t)[0]
	socket, events := s.stuckSocket(t, start), s.stuckEvents(t, start)
	var others []*heard
	for range 5 {
		others = append(others, s.follow(t, wideNames, object{"after": start}, ""))
	}
	s.waitFor(t, 2+len(others))
	told, before := 1, 1 // and when nobody was cut yet
	for streams.Stats().Slow < 2 {
		var batch []expiry.Event
		for range 50 { // fewer than what makes a gap
			batch = append(batch, wide(told+len(batch)))
		}
		s.tell(t, batch...)
		for _, h := range others {
			for i := range batch {
				if data, _ := h.next(); !strings.Contains(data, named(told+i)) {
					t.Fatalf("event %d is %.200s", told+i, data)
				}
			}
		}
		told += len(batch)
		if streams.Stats().Slow == 0 {
			before = told
		}
	}
	for name, stuck := range map[string]func() (string, error){"a socket": socket, "server-sent events": events} {
		last, read := start, 1
		for {
			data, err := stuck()
			if err != nil {
				break
			}
			if !strings.Contains(data, named(read)) {
				t.Fatalf("%s: event %d is %.200s", name, read, data)
			}
			_, rest, _ := strings.Cut(data, `"cursor":"`)
			last, _, _ = strings.Cut(rest, `"`)
			read++
		}
		if read >= before {
			t.Errorf("%s: it was told %d events before it was cut, the others no more than %d by then", name, read, before)
		}
		t.Logf("%s: it read %d events, the others %d before it was cut, of %d", name, read, before, told)
		again := s.follow(t, wideNames, object{"after": last}, "")
		for n := read; n < told; n++ {
			if data, _ := again.next(); !strings.Contains(data, named(n)) {
				t.Fatalf("%s: it goes on with %.200s, want event %d", name, data, n)
			}
		}
		again.stop()
	}
	if got := streams.Stats(); got.Sockets != 0 || got.WebSocket != 0 || got.Gaps != 0 {
		t.Errorf("%+v, want no socket and no gap", got)
	}
}

// wide is an event whose names take much room, so that what lies between a server and a caller is full soon.
func wide(n int) expiry.Event {
	e := event(ionosToken, n)
	e.Subject.CreatedBy = strings.Repeat("a", 500)
	return e
}

const wideNames = `subscription ($after: EventCursor) { tokenExpiry(after: $after) { ... on TokenExpiryEvent { cursor subject { name ` +
	`a: createdBy b: createdBy c: createdBy d: createdBy e: createdBy f: createdBy g: createdBy h: createdBy } } } }`

func named(n int) string { return fmt.Sprintf(`"name":"name-%d"`, n) }

// stuckSocket subscribes over WebSocket, and returns what reads the events that came all the same.
func (s *stage) stuckSocket(t *testing.T, after string) (next func() (string, error)) {
	t.Helper()
	conn := s.socket(t, `{"id":"1","type":"subscribe","payload":{"query":"`+wideNames+`","variables":{"after":"`+after+`"}}}`)
	return func() (string, error) {
		_, text, err := conn.Read(t.Context())
		return string(text), err
	}
}

// stuckEvents subscribes to server-sent events, and returns what reads those that came all the same.
func (s *stage) stuckEvents(t *testing.T, after string) (next func() (string, error)) {
	t.Helper()
	h := s.follow(t, wideNames, object{"after": after}, "")
	return func() (string, error) {
		data, _, err := h.read()
		return data, err
	}
}
