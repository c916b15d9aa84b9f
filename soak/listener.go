package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// step is an event, or a gap, as a subscriber heard it.
type step struct {
	ID, Kind, Cursor, Reason string
	OccurredAt               time.Time
	Subject                  struct{ TokenID string }

	at time.Time // when it was heard
}

// parseStep reads what an answer tells.
func parseStep(answer []byte) (step, error) {
	var a struct {
		Data   struct{ TokenExpiry *step }
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return step{}, err
	}
	if a.Data.TokenExpiry == nil {
		return step{}, fmt.Errorf("it cannot begin: %v", a.Errors)
	}
	a.Data.TokenExpiry.at = time.Now()
	return *a.Data.TokenExpiry, nil
}

const listen = `subscription ($after: EventCursor) { tokenExpiry(after: $after) {
  ... on TokenExpiryEvent { id kind cursor occurredAt subject { tokenId } } ... on EventGap { reason } } }`

// listener subscribes to all events from the first one on. It stays at a replica for a while, leaves without a word or is cut
// off, and goes on at any other after the last event that it heard. It is for one goroutine; heard is read when that is over.
type listener struct {
	replicas []*replica
	http     *http.Client
	socket   bool // over WebSocket; else server-sent events
	stay     time.Duration
	heard    []step
	cuts     int    // visits that ended, or could not begin, because a replica was dead
	count    func() // called with each event
}

// run listens until the context ends.
func (l *listener) run(ctx context.Context) {
	for ctx.Err() == nil {
		some, leave := context.WithTimeout(ctx, time.Duration(rand.Int64N(int64(l.stay))))
		if l.visit(some, l.replicas[rand.IntN(len(l.replicas))].address()) != nil && some.Err() == nil {
			l.cuts++
			pause(ctx, time.Duration(rand.IntN(100))*time.Millisecond) // it is dead, and may be so for a while
		}
		leave()
	}
}

// visit listens at one replica until that or the context ends.
func (l *listener) visit(ctx context.Context, address string) error {
	switch {
	case address == "":
		return errNobody
	case l.socket:
		return l.overSocket(ctx, address)
	default:
		return l.overEvents(ctx, address)
	}
}

// pause waits, or until the context ends.
func pause(ctx context.Context, length time.Duration) {
	select {
	case <-time.After(length):
	case <-ctx.Done():
	}
}

func (l *listener) last() string {
	if len(l.heard) == 0 {
		return ""
	}
	return l.heard[len(l.heard)-1].Cursor
}

func (l *listener) hear(answer []byte) error {
	event, err := parseStep(answer)
	if err != nil {
		return err
	}
	l.heard = append(l.heard, event)
	l.count()
	return nil
}

func (l *listener) overSocket(ctx context.Context, address string) error {
	conn, _, err := websocket.Dial(ctx, address+"/graphql", &websocket.DialOptions{ //nolint:bodyclose // a socket that is open has none
		Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: l.http,
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	payload, err := json.Marshal(map[string]any{"query": listen, "variables": map[string]any{"after": l.last()}})
	if err != nil {
		return err
	}
	for _, text := range []string{`{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":` + string(payload) + `}`} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return err
		}
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return err
		}
		switch m.Type {
		case "next":
			err = l.hear(m.Payload)
		case "error", "complete":
			err = fmt.Errorf("it says %s", text)
		}
		if err != nil {
			return err
		}
	}
}

func (l *listener) overEvents(ctx context.Context, address string) error {
	const anywhere = `{"after":""}` // unless Last-Event-ID says otherwise
	query := url.Values{"query": {listen}, "variables": {anywhere}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/graphql?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/event-stream")
	if last := l.last(); last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	response, err := l.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	event := ""
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			event = text
		}
		if lines.Text() == "" && event != "" { // only what came whole
			if err := l.hear([]byte(event)); err != nil {
				return err
			}
			event = ""
		}
	}
	return errors.Join(lines.Err(), errors.New("the stream ended"))
}
