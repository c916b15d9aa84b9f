package graph_test

import (
	"context"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// socket is one that says these after connection_init.
func (s *stage) socket(t *testing.T, messages ...string) *websocket.Conn {
	t.Helper()
	conn := s.dial(t)
	say(t, conn, `{"type":"connection_init"}`)
	read(t, conn) // that it was admitted
	say(t, conn, messages...)
	return conn
}

// dial opens a socket that has said nothing yet.
func (s *stage) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), s.url, &websocket.DialOptions{ //nolint:bodyclose // a socket that is open has none
		HTTPClient: s.client, Subprotocols: []string{"graphql-transport-ws"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func say(t *testing.T, conn *websocket.Conn, messages ...string) {
	t.Helper()
	for _, text := range messages {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// read is the socket's next message.
func read(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a busy machine's
	defer cancel()
	_, text, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
