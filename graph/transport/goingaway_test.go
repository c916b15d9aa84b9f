package transport_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"regtok/graph/transport"
)

func asClose(err error, target *websocket.CloseError) bool { return errors.As(err, target) }

func TestTheEndOfTheProcess(t *testing.T) {
	const stay = `","type":"subscribe","payload":{"query":"subscription { count(to: 1, stay: true) }"}}`
	first := func(id string) string {
		return `{"id":"` + id + `","type":"next","payload":{"data":{"count":1}` + costly + `}}`
	}
	t.Run("closes a socket with its cursor", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		server, streams := newStreams(t, transport.StreamConfig{})
		p := initialised(t, server)
		p.say(`{"id":"a` + stay)
		p.hears(first("a"))
		streams.Close()
		p.hearsClose(websocket.StatusGoingAway, "c1")
		server.Close()
	})
	t.Run("and one with several streams without", func(t *testing.T) {
		server, streams := newStreams(t, transport.StreamConfig{})
		p := initialised(t, server)
		p.say(`{"id":"a` + stay)
		p.hears(first("a"))
		p.say(`{"id":"b` + stay)
		p.hears(first("b"))
		streams.Close()
		p.hearsClose(websocket.StatusGoingAway, "")
	})
	t.Run("lets a query finish before", func(t *testing.T) {
		server, streams := newStreams(t, transport.StreamConfig{})
		p := initialised(t, server)
		p.say(`{"id":"q","type":"subscribe","payload":{"query":"{ gate }"}}`)
		entered := <-gate
		streams.Close()
		p.say(`{"id":"a` + stay)
		p.hears(`{"id":"a","type":"error","payload":[{"message":"this server is shutting down: try again","extensions":{"code":"UNAVAILABLE"}}]}`)
		close(entered)
		p.hears(`{"id":"q","type":"next","payload":{"data":{"gate":"open"}`+cost+`}}`, `{"id":"q","type":"complete"}`)
		p.hearsClose(websocket.StatusGoingAway, "")
	})
	t.Run("ends server-sent events with their cursor, and not as complete", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		server, streams := newStreams(t, transport.StreamConfig{})
		events := follow(t, server.URL+"?query=subscription{count(to:1,stay:true)}")
		events.hears(":", begins(0), nextEvent(1))
		streams.Close()
		events.hears("id: c1\n: this server is shutting down")
		events.hearsEnd()
		if answer := send(t, http.MethodGet, server.URL+"?query=subscription{count(to:1)}", nil, "Accept", "text/event-stream"); answer.code(t) != "UNAVAILABLE" {
			t.Errorf("another is answered %s, want UNAVAILABLE", answer.text)
		}
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
}

func TestSignsOfLife(t *testing.T) {
	bubble := func(name string, run func(t *testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, run) })
	}
	bubble("a socket is pinged, and kept as long as its caller answers", func(t *testing.T) {
		p := initialisedOnPipe(t, transport.StreamConfig{})
		begin := time.Now()
		for range 10 {
			p.hears(`{"type":"ping"}`)
			p.say(`{"type":"pong"}`)
		}
		if got := time.Since(begin); got != 250*time.Second {
			t.Errorf("ten pings came in %v, want 250 s", got)
		}
	})
	bubble("and cut when it does not", func(t *testing.T) {
		p := initialisedOnPipe(t, transport.StreamConfig{})
		begin := time.Now()
		p.hears(`{"type":"ping"}`)
		if text, err := p.read(); err == nil {
			t.Errorf("it says %s, want the end", text)
		}
		if got := time.Since(begin); got != 50*time.Second {
			t.Errorf("it was cut after %v, want 50 s", got)
		}
	})
	bubble("a caller who does not read is cut", func(t *testing.T) {
		p := initialisedOnPipe(t, transport.StreamConfig{})
		p.say(`{"id":"a","type":"subscribe","payload":{"query":"subscription { count(to: 1000000) }"}}`)
		time.Sleep(11 * time.Second) // 10 are what it gets
		synctest.Wait()
		if got := p.streams.Stats(); got.Slow != 1 || got.Sockets != 0 || got.WebSocket != 0 {
			t.Errorf("stats %+v, want one that was slow, and nothing open", got)
		}
	})
	bubble("events have comments in between", func(t *testing.T) {
		events := followOnPipe(t, transport.StreamConfig{}, "subscription{count(to:1,stay:true)}")
		begin := time.Now()
		events.hears(":", begins(0), nextEvent(1), ": ping", ": ping")
		if got := time.Since(begin); got != 50*time.Second {
			t.Errorf("two pings came in %v, want 50 s", got)
		}
	})
	bubble("whoever does not read events is cut", func(t *testing.T) {
		events := followOnPipe(t, transport.StreamConfig{}, "subscription{count(to:1000000)}")
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if got := events.streams.Stats(); got.Slow != 1 || got.SSE != 0 {
			t.Errorf("stats %+v, want one that was slow, and nothing open", got)
		}
	})
}

// TestWhoeverDoesNotReadHoldsUpNoEnd has callers who are in the midst of not reading when the process ends.
func TestWhoeverDoesNotReadHoldsUpNoEnd(t *testing.T) {
	ends := func(t *testing.T, streams *transport.Streams) {
		t.Helper()
		time.Sleep(time.Second)
		streams.Close()
		time.Sleep(6 * time.Second) // a server waits for ten
		synctest.Wait()
		if got := streams.Stats(); got.Sockets != 0 || got.WebSocket != 0 || got.SSE != 0 {
			t.Errorf("stats %+v, want nothing open", got)
		}
	}
	for name, run := range map[string]func(*testing.T){
		"a socket": func(t *testing.T) {
			p := initialisedOnPipe(t, transport.StreamConfig{})
			p.say(`{"id":"a","type":"subscribe","payload":{"query":"subscription { count(to: 1000000) }"}}`)
			ends(t, p.streams)
		},
		"a socket without events": func(t *testing.T) {
			p := initialisedOnPipe(t, transport.StreamConfig{})
			p.say(`{"id":"a","type":"subscribe","payload":{"query":"subscription { count(to: 0, stay: true) }"}}`)
			ends(t, p.streams)
		},
		"server-sent events": func(t *testing.T) {
			ends(t, followOnPipe(t, transport.StreamConfig{}, "subscription{count(to:1000000)}").streams)
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, run) })
	}
}

func nextEvent(n int) string {
	number := string(rune('0' + n))
	return "event: next\nid: c" + number + "\ndata: " + strings.ReplaceAll(`{"data":{"count":N}`+costly+`}`, "N", number)
}

// begins is where a caller who has heard nothing goes on.
func begins(n int) string { return "id: c" + string(rune('0'+n)) + "\n: it begins here" }
