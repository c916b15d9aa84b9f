package graph_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"regtok/expiry"
	"regtok/server"
)

// TestAServerThatEndsTellsEachStreamWhereToGoOn ends a whole server, with streams of every kind on it.
func TestAServerThatEndsTellsEachStreamWhereToGoOn(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) }) // after all that is stopped
	s := newStage(t, plan{})
	listener, err := server.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + listener.Addr().String() + "/graphql"
	ctx, end := context.WithCancel(t.Context())
	defer end()
	ended := make(chan error, 1)
	front := server.New(server.Config{GraphQL: s.api, Ending: s.streams.Close})
	go func() { ended <- front.Serve(ctx, listener) }()

	const one = `{"id":"1","type":"subscribe","payload":{"query":"subscription { tokenExpiry { __typename } }"}}`
	none, single, several := s.socket(t), s.socket(t, one), s.socket(t, one, strings.Replace(one, `"1"`, `"2"`, 1))
	events := s.follow(t, justNames, object{}, "")
	s.waitFor(t, 4)
	s.tell(t, event(ionosToken, 0), event(ionosToken, 1))
	for range 2 {
		read(t, single)
		read(t, several)
		read(t, several)
	}
	events.hears("name-0", "name-1")
	last := s.cursors(t)[1]
	rest := make(chan string, 1)
	go func() { rest <- events.rest() }()
	hung := make(chan error, 3)
	for conn, reason := range map[*websocket.Conn]string{none: "", single: last, several: ""} {
		go func() { hung <- hearsEnd(conn, reason) }()
	}

	end()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Serve = %v", err)
		}
	case <-time.After(30 * time.Second): // a busy machine's
		t.Fatal("the server does not end")
	}
	for range 3 {
		if err := <-hung; err != nil {
			t.Error(err)
		}
	}
	if got, want := <-rest, "id: "+last+"\n: this server is shutting down\n\n"; got != want {
		t.Errorf("server-sent events end with %q, want %q", got, want)
	}
	if got := s.streams.Stats(); got.Sockets != 0 || got.WebSocket != 0 || got.SSE != 0 || got.Slow != 0 {
		t.Errorf("%+v, want nothing open and nobody cut", got)
	}
}

// TestWhoHasNotHeardThePresentStateBeginsAnew ends the process while that is made.
func TestWhoHasNotHeardThePresentStateBeginsAnew(t *testing.T) {
	s := newStage(t, plan{})
	s.tell(t, event(ionosToken, 0))
	s.world = newWorld(t, plan{streams: s.streams, events: &expiry.Events{
		Log: s.log,
		Current: func(ctx context.Context, _ []expiry.Reading) ([]expiry.Event, error) {
			s.streams.Close()
			<-ctx.Done()
			return []expiry.Event{event(ionosToken, 7)}, nil
		},
	}})
	conn := s.socket(t, `{"id":"1","type":"subscribe","payload":{"query":"subscription { tokenExpiry(includeCurrent: true) { __typename } }"}}`)
	if err := hearsEnd(conn, ""); err != nil {
		t.Error(err)
	}
}

// hearsEnd wants nothing more to come than the end of the process, for that reason.
func hearsEnd(conn *websocket.Conn, reason string) error {
	_, text, err := conn.Read(context.Background())
	if err == nil {
		return errors.New("a socket hears " + string(text) + " after all")
	}
	if closed, ok := errors.AsType[websocket.CloseError](err); !ok || closed.Code != websocket.StatusGoingAway || closed.Reason != reason {
		return errors.New("a socket ends with " + err.Error() + ", want 1001 and " + reason)
	}
	return nil
}
