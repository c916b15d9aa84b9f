package transport_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"regtok/graph/transport"
)

const endedReason = "the credential of this socket has ended: come back with a new one"

// TestStreamsEndWithTheCredentialOfTheirCaller measures in a bubble, to the moment.
func TestStreamsEndWithTheCredentialOfTheirCaller(t *testing.T) {
	bubble := func(name string, run func(t *testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, run) })
	}
	in20Seconds := func() string { return time.Now().Add(20 * time.Second).Format(time.RFC3339Nano) }
	bubble("a socket is closed, and nothing is said to be complete", func(t *testing.T) {
		var book bytes.Buffer
		p := dialledOnPipe(t, transport.StreamConfig{Ping: time.Hour, Log: slog.New(slog.NewTextHandler(&book, nil))})
		begin := time.Now()
		p.say(`{"type":"connection_init","payload":{"until":"` + in20Seconds() + `"}}`)
		p.hears(`{"type":"connection_ack"}`)
		for _, id := range []string{"a", "b"} {
			p.say(`{"id":"` + id + `","type":"subscribe","payload":{"query":"subscription { count(to: 1, stay: true) }"}}`)
			p.hears(`{"id":"` + id + `","type":"next","payload":{"data":{"count":1}` + costly + `}}`)
		}
		p.hearsClose(4403, endedReason)
		if got := time.Since(begin); got != 20*time.Second {
			t.Errorf("it was closed after %v, want 20 s", got)
		}
		synctest.Wait()
		if got := p.streams.Stats(); got.Sockets != 0 || got.WebSocket != 0 {
			t.Errorf("stats %+v, want nothing open", got)
		}
		if strings.Count(book.String(), "how=credential") != 2 {
			t.Errorf("the log does not tell why two streams ended:\n%s", book.String())
		}
	})
	bubble("a socket on which nothing runs is closed, too", func(t *testing.T) {
		p := dialledOnPipe(t, transport.StreamConfig{Ping: time.Hour})
		p.say(`{"type":"connection_init","payload":{"until":"` + in20Seconds() + `"}}`)
		p.hears(`{"type":"connection_ack"}`)
		p.hearsClose(4403, endedReason)
	})
	bubble("whoever does not answer to that is heard no more", func(t *testing.T) {
		var book bytes.Buffer
		p := dialledOnPipe(t, transport.StreamConfig{Ping: time.Hour, Log: slog.New(slog.NewTextHandler(&book, nil))})
		p.say(`{"type":"connection_init","payload":{"until":"` + in20Seconds() + `"}}`)
		p.hears(`{"type":"connection_ack"}`)
		time.Sleep(21 * time.Second) // nobody reads that it is over
		_ = p.conn.Write(t.Context(), websocket.MessageText, []byte(`{"id":"m","type":"subscribe","payload":{"query":"subscription { count(to: 1) }"}}`))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := p.streams.Stats(); got.Sockets != 0 || book.Len() > 0 {
			t.Errorf("stats %+v, want nothing open, and a log without streams:\n%s", got, book.String())
		}
	})
	bubble("server-sent events tell why, where to go on, and that they are complete", func(t *testing.T) {
		events := followOnPipe(t, transport.StreamConfig{Ping: time.Hour}, "subscription{count(to:1,stay:true)}", "X-Until", in20Seconds())
		begin := time.Now()
		events.hears(":", begins(0), nextEvent(1),
			"event: next\nid: c1\n"+`data: {"errors":[{"message":"the credential of this stream has ended: come back with a new one","extensions":{"code":"UNAUTHENTICATED"}}]}`,
			completeEvent)
		events.hearsEnd()
		if got := time.Since(begin); got != 20*time.Second {
			t.Errorf("they ended after %v, want 20 s", got)
		}
	})
	bubble("what is over before leaves nothing behind", func(t *testing.T) {
		events := followOnPipe(t, transport.StreamConfig{}, "subscription{count(to:2)}", "X-Until", in20Seconds())
		events.hears(":", begins(0), nextEvent(1), nextEvent(2), completeEvent)
		events.hearsEnd()
		time.Sleep(2 * time.Minute)
		if got := events.streams.Stats(); got.SSE != 0 {
			t.Errorf("stats %+v", got)
		}
	})
	bubble("a credential that has ended by now begins nothing that lasts", func(t *testing.T) {
		p := dialledOnPipe(t, transport.StreamConfig{})
		begin := time.Now()
		p.say(fmt.Sprintf(`{"type":"connection_init","payload":{"until":%q}}`, begin.Add(-time.Second).Format(time.RFC3339Nano)))
		for {
			text, err := p.read()
			if err != nil {
				break
			}
			if text != `{"type":"connection_ack"}` {
				t.Errorf("it says %s", text)
			}
		}
		if got := time.Since(begin); got != 0 {
			t.Errorf("it was closed after %v, want at once", got)
		}
	})
}
