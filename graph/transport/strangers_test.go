package transport_test

import (
	"net/http"
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

	if _, status := open(t, server.URL, asks); status != http.StatusServiceUnavailable {
		t.Errorf("one stranger more is answered %d, want 503", status)
	}
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

func TestStrangersWhoSayNothingLeaveTheirRoomToOthers(t *testing.T) {
	server, streams := newStreams(t, transport.StreamConfig{Strangers: 1, Init: 50 * time.Millisecond})
	silent := dial(t, server)
	silent.hearsClose(4408, "Connection initialisation timeout")
	become(t, streams, transport.StreamStats{})
	dial(t, server)
}
