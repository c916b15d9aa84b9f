package transport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"regtok/graph/transport"
)

// become waits until streams have come to that: a socket is counted by its own goroutine.
func become(t *testing.T, streams *transport.Streams, want transport.StreamStats) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	diff := cmp.Diff(streams.Stats(), want)
	for begin := time.Now(); diff != "" && time.Since(begin) < patience; <-ticker.C {
		diff = cmp.Diff(streams.Stats(), want)
	}
	if diff != "" {
		t.Fatalf("stats (-got +want):\n%s", diff)
	}
}

func TestStrangersTakeNoRoomFromThoseWhoWereAdmitted(t *testing.T) {
	server, streams := newStreams(t, transport.StreamConfig{Process: 2, Strangers: 3})
	asks := &websocket.DialOptions{Subprotocols: []string{subprotocol}}
	first := initialised(t, server)
	strangers := []*peer{dial(t, server), dial(t, server), dial(t, server)}
	become(t, streams, transport.StreamStats{Sockets: 1, Strangers: 3})

	first.say(`{"type":"ping"}`)
	first.hears(`{"type":"pong"}`)

	strangers[0].say(`{"type":"connection_init","payload":{"key":"unknown"}}`)
	strangers[0].hearsClose(4401, "this key is not known")
	become(t, streams, transport.StreamStats{Sockets: 1, Strangers: 2})
	strangers[1].say(`{"type":"connection_init"}`)
	strangers[1].hears(`{"type":"connection_ack"}`)
	become(t, streams, transport.StreamStats{Sockets: 2, Strangers: 1})

	if _, status := open(t, server.URL, asks); status != http.StatusServiceUnavailable {
		t.Errorf("where as many are admitted as may be, another is answered %d, want 503", status)
	}
	strangers[2].say(`{"type":"connection_init"}`)
	strangers[2].hearsClose(websocket.StatusTryAgainLater, "this server has as many sockets as it may: try again later")
	become(t, streams, transport.StreamStats{Sockets: 2})

	_ = first.conn.CloseNow()
	become(t, streams, transport.StreamStats{Sockets: 1})
	initialised(t, server)
	become(t, streams, transport.StreamStats{Sockets: 2})
}

// TestWhoIsSilentForTheLongestMakesRoom opens sockets one after the other. Who speaks, and who was admitted, is in no danger.
func TestWhoIsSilentForTheLongestMakesRoom(t *testing.T) {
	server, streams := newStreams(t, transport.StreamConfig{Strangers: 2, Init: time.Hour})
	admitted := initialised(t, server)
	stranger := func() *peer {
		p := dial(t, server)
		p.say(`{"type":"ping"}`) // says nothing of who it is; the answer says that the server has begun to wait for that
		p.hears(`{"type":"pong"}`)
		return p
	}
	silent := []*peer{stranger(), stranger()}
	become(t, streams, transport.StreamStats{Sockets: 1, Strangers: 2})
	for range 5 {
		silent = append(silent, stranger())
		if text, err := silent[0].read(); err == nil {
			t.Errorf("who has been silent for the longest hears %s, want to be cut", text)
		}
		silent = silent[1:]
		become(t, streams, transport.StreamStats{Sockets: 1, Strangers: 2})
	}
	for _, p := range append(silent, initialised(t, server)) {
		if p == silent[0] { // made room for the caller
			continue
		}
		p.say(`{"type":"ping"}`)
		p.hears(`{"type":"pong"}`)
	}
	admitted.say(`{"type":"ping"}`)
	admitted.hears(`{"type":"pong"}`)
	become(t, streams, transport.StreamStats{Sockets: 2, Strangers: 1})
}

// TestWhoIsBeingAdmittedMakesNoRoom has callers whose credentials take long to look at.
func TestWhoIsBeingAdmittedMakesNoRoom(t *testing.T) {
	looked, looking := make(chan struct{}), make(chan struct{})
	streams := transport.NewStreams(transport.StreamConfig{Strangers: 2})
	server := httptest.NewServer(executing(t, true, nil, transport.WebSocket{Streams: streams, Admit: func(ctx context.Context, _ map[string]any) (context.Context, error) {
		looking <- struct{}{}
		<-looked
		return ctx, nil
	}}))
	t.Cleanup(server.Close)
	t.Cleanup(streams.Close)
	callers := []*peer{dial(t, server), dial(t, server)}
	for _, p := range callers {
		p.say(`{"type":"connection_init"}`)
		<-looking
	}
	if _, status := open(t, server.URL, &websocket.DialOptions{Subprotocols: []string{subprotocol}}); status != http.StatusServiceUnavailable {
		t.Errorf("one stranger more is answered %d, want 503", status)
	}
	close(looked)
	for _, p := range callers {
		p.hears(`{"type":"connection_ack"}`)
	}
	become(t, streams, transport.StreamStats{Sockets: 2})
}

func TestStrangersWhoSayNothingLeaveTheirRoomToOthers(t *testing.T) {
	server, streams := newStreams(t, transport.StreamConfig{Strangers: 1, Init: 50 * time.Millisecond})
	silent := dial(t, server)
	silent.hearsClose(4408, "Connection initialisation timeout")
	become(t, streams, transport.StreamStats{})
	dial(t, server)
}
