package graph_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"regtok/auth"
	"regtok/codes"
	"regtok/eventlog"
	"regtok/expiry"
	"regtok/graph/transport"
)

// brokenLog is a log that fails in one way.
type brokenLog struct {
	*followedLog
	bounds, follow func() error
}

// Bounds implements expiry.Log.
func (l brokenLog) Bounds(ctx context.Context) (oldest, newest eventlog.Cursor, err error) {
	if err := l.bounds(); err != nil {
		return "", "", err
	}
	return l.followedLog.Bounds(ctx)
}

// Follow implements expiry.Log.
func (l brokenLog) Follow(after eventlog.Cursor, filter func(*expiry.Event) bool) (*eventlog.Subscription[expiry.Event], error) {
	if err := l.follow(); err != nil {
		return nil, err
	}
	return l.followedLog.Follow(after, filter)
}

func fine() error { return nil }

// overEvents is the first answer to a subscription by GET: an event's, or what is said in place of a stream.
func (s *stage) overEvents(t *testing.T, subscription string, variables object) []byte {
	t.Helper()
	given, err := json.Marshal(variables)
	if err != nil {
		t.Fatal(err)
	}
	address := s.url + "?" + url.Values{"query": {subscription}, "variables": {string(given)}}.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.Header.Get("Content-Type") != "text/event-stream" {
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return []byte(data)
		}
	}
	t.Fatal("the stream ends without a word")
	return nil
}

// overSocket is the first answer to a subscription over WebSocket.
func (s *stage) overSocket(t *testing.T, subscription string, variables object) []byte {
	t.Helper()
	text, err := json.Marshal(object{"id": "1", "type": "subscribe", "payload": object{"query": subscription, "variables": variables}})
	if err != nil {
		t.Fatal(err)
	}
	return errorsOf(t, read(t, s.socket(t, string(text))))
}

// errorsOf is a message of a socket, as an answer.
func errorsOf(t *testing.T, text string) []byte {
	t.Helper()
	var said struct {
		Type    string
		Payload json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatal(err)
	}
	if said.Type == "error" {
		return fmt.Appendf(nil, `{"errors":%s}`, said.Payload)
	}
	return said.Payload
}

// refuses wants a subscription to be answered with one error of the table, in both ways; an empty code is any of it.
func (s *stage) refuses(t *testing.T, subscription string, variables object, code string) {
	t.Helper()
	for way, said := range map[string][]byte{
		"server-sent events": s.overEvents(t, subscription, variables), "a socket": s.overSocket(t, subscription, variables),
	} {
		expectOne(t, way, said, code)
	}
}

func expectOne(t *testing.T, way string, said []byte, code string) {
	t.Helper()
	if n := checkErrors(t, way, said); n != 1 {
		t.Errorf("%s: %d errors in %s, want 1", way, n, said)
	}
	if !strings.Contains(string(said), `"code":"`+code) {
		t.Errorf("%s: %s, want %s", way, said, code)
	}
}

// TestWhateverFailsBelowASubscriptionHasACode has what stands behind it fail in each way: the log, and what tells the present.
func TestWhateverFailsBelowASubscriptionHasACode(t *testing.T) {
	for name, fail := range failures() {
		t.Run(name, func(t *testing.T) {
			streams := transport.NewStreams(transport.StreamConfig{})
			log := newLog(0)
			t.Cleanup(log.Close)
			for _, events := range []*expiry.Events{
				{Log: brokenLog{log, fail, fine}},
				{Log: brokenLog{log, fine, fail}},
				{Log: brokenLog{log, fine, fine}, Current: func(context.Context, []expiry.Reading) ([]expiry.Event, error) { return nil, fail() }},
			} {
				s := &stage{world: newWorld(t, plan{events: events, streams: streams}), log: log, streams: streams}
				s.refuses(t, justNames, object{"includeCurrent": events.Current != nil}, "")
			}
			t.Cleanup(streams.Close)
		})
	}
}

// TestWhateverASubscriberMayNotHaveHasACode are the refusals that are the subscriber's own matter.
func TestWhateverASubscriberMayNotHaveHasACode(t *testing.T) {
	reader := &auth.Viewer{Subject: "reader", Permissions: []auth.Permission{auth.TokensRead}}
	s := newStage(t, plan{})
	const both = `subscription ($after: EventCursor, $registry: ID!) { tokenActivity(after: $after, filter: {registryIds: [$registry]}) { __typename } }`
	s.refuses(t, justNames, object{"after": "no cursor"}, codes.Invalid)
	s.refuses(t, justNames, object{"filter": object{"registryIds": []string{ionosToken}}}, codes.NotFound)
	s.refuses(t, both, object{"registry": ionosToken}, codes.NotFound)
	s.refuses(t, both, object{"registry": ionosRegistry, "after": "no cursor"}, codes.Invalid)
	s.refuses(t, `subscription { tokenExpiry { nobody } }`, nil, codes.ValidationFailed)
	s.refuses(t, `subscription {`, nil, codes.ParseFailed)
	s.refuses(t, `subscription { a: tokenExpiry { __typename } b: tokenExpiry { __typename } }`, nil, codes.ValidationFailed)
	newStage(t, plan{viewer: reader}).refuses(t, justNames, nil, codes.Forbidden)
	newStage(t, plan{viewer: reader}).refuses(t, both, object{"registry": ionosRegistry}, codes.Forbidden)
	spent := spender(t, 20)
	for range 3 {
		spent.ask(t, whoAmI, nil)
	}
	spent.refuses(t, justNames, nil, codes.RateLimited)
	t.Run("no more streams", func(t *testing.T) {
		s := newStage(t, plan{streams: transport.NewStreams(transport.StreamConfig{Process: 1})})
		h := s.follow(t, justNames, nil, "")
		s.waitFor(t, 1)
		defer h.stop()
		s.refuses(t, justNames, nil, codes.TooManyStreams)
	})
	t.Run("no more operations on a socket", func(t *testing.T) {
		s := newStage(t, plan{streams: transport.NewStreams(transport.StreamConfig{Socket: 1})})
		const one = `{"id":"1","type":"subscribe","payload":{"query":"subscription { tokenExpiry { __typename } }"}}`
		expectOne(t, "a socket", errorsOf(t, read(t, s.socket(t, one, strings.Replace(one, `"1"`, `"2"`, 1)))), codes.TooManyStreams)
	})
	t.Run("the credential ends", func(t *testing.T) {
		ends := &auth.Viewer{Subject: "ci", Permissions: auth.Permissions(), Until: time.Now().Add(time.Second)}
		expectOne(t, "server-sent events", newStage(t, plan{viewer: ends}).overEvents(t, justNames, nil), codes.Unauthenticated)
	})
}

// TestEveryCloseOfASocketIsInTheTable closes sockets in all ways. A caller who does not read is cut without a code: nothing
// more would reach them.
func TestEveryCloseOfASocketIsInTheTable(t *testing.T) {
	const init, one = `{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":{"query":"subscription { tokenExpiry { __typename } }"}}`
	key, ended := auth.NewKey(), auth.NewKey()
	callers := auth.NewCallers(auth.Config{Keys: []auth.Caller{
		{Key: key.Hash(), Viewer: auth.Viewer{Subject: "ci", Permissions: auth.Permissions()}},
		{Key: ended.Hash(), Viewer: auth.Viewer{Subject: "old", Until: time.Now().Add(-time.Hour)}},
	}})
	open := newStage(t, plan{})
	guarded := newStage(t, plan{callers: callers, viewer: &auth.Viewer{}})
	impatient := newStage(t, plan{streams: transport.NewStreams(transport.StreamConfig{Init: 100 * time.Millisecond})})
	small := newStage(t, plan{streams: transport.NewStreams(transport.StreamConfig{Process: 1})})
	ending := newStage(t, plan{})
	by := func(credential string) []string {
		return []string{`{"type":"connection_init","payload":{"Authorization":"` + credential + `"}}`}
	}
	brief := newStage(t, plan{streams: transport.NewStreams(transport.StreamConfig{Message: 1000})})
	told := map[int]bool{}
	for _, way := range []struct {
		name  string
		stage *stage
		says  []string
		then  func(*testing.T, *websocket.Conn)
		code  int
	}{
		{"no JSON", open, []string{`nonsense`}, nil, codes.CloseBadRequest},
		{"no such type", open, []string{`{"type":"start"}`}, nil, codes.CloseBadRequest},
		{"no id", open, []string{init, `{"type":"subscribe","payload":{"query":"{ __typename }"}}`}, nil, codes.CloseBadRequest},
		{"no payload", open, []string{init, `{"id":"1","type":"subscribe"}`}, nil, codes.CloseBadRequest},
		{"a payload of connection_init that is none", open, []string{`{"type":"connection_init","payload":[]}`}, nil, codes.CloseBadRequest},
		{"before connection_init", open, []string{one}, nil, codes.CloseUnauthorized},
		{"connection_init twice", open, []string{init, init}, nil, codes.CloseInitAgain},
		{"an id twice", open, []string{init, one, one}, nil, codes.CloseTaken},
		{"too long a message", brief, []string{strings.Repeat("a", 1001)}, nil, codes.CloseMessageTooLarge},
		{"nobody's credential", guarded, by("Bearer " + auth.NewKey().Reveal()), nil, codes.CloseUnauthorized},
		{"no credential", guarded, []string{init}, nil, codes.CloseUnauthorized},
		{"a credential that has ended", guarded, by("Bearer " + ended.Reveal()), nil, codes.CloseUnauthorized},
		{"a credential that is no text", guarded, []string{`{"type":"connection_init","payload":{"Authorization":1}}`}, nil, codes.CloseForbidden},
		{"a credential that ends", guarded, by("Bearer " + key.Reveal()), func(t *testing.T, conn *websocket.Conn) {
			read(t, conn)
			callers.Renew(nil)
		}, codes.CloseForbidden},
		{"silence", impatient, nil, nil, codes.CloseInitTimeout},
		{"another takes the last place", small, nil, func(t *testing.T, conn *websocket.Conn) {
			other := small.dial(t)
			say(t, other, init)
			read(t, other)
			say(t, conn, init)
		}, codes.CloseTryAgainLater},
		{"the process ends", ending, []string{init, one}, func(t *testing.T, _ *websocket.Conn) {
			ending.waitFor(t, 1)
			ending.streams.Close()
		}, codes.CloseGoingAway},
	} {
		t.Run(way.name, func(t *testing.T) {
			conn := way.stage.dial(t)
			say(t, conn, way.says...)
			if way.then != nil {
				way.then(t, conn)
			}
			closed := closeOf(t, conn)
			told[int(closed.Code)] = true
			if int(closed.Code) != way.code {
				t.Errorf("it is closed with %v, want %d", closed, way.code)
			}
			if !slices.ContainsFunc(codes.Closes(), func(c codes.Close) bool { return c.Code == int(closed.Code) }) {
				t.Errorf("%d is none of docs/errors.md", closed.Code)
			}
			if way.code != codes.CloseGoingAway && len(closed.Reason) < 5 || strings.Contains(closed.Reason, key.Reveal()) {
				t.Errorf("the reason is %q", closed.Reason)
			}
		})
	}
	for _, c := range codes.Closes() {
		if !told[c.Code] {
			t.Errorf("nothing is closed with %d", c.Code)
		}
	}
}

// closeOf reads until a socket is closed.
func closeOf(t *testing.T, conn *websocket.Conn) websocket.CloseError {
	t.Helper()
	for {
		said, err := readEnd(t, conn)
		if err == nil {
			if !strings.Contains(said, `"connection_ack"`) {
				t.Fatalf("it says %s, want its end", said)
			}
			continue
		}
		closed, ok := errors.AsType[websocket.CloseError](err)
		if !ok {
			t.Fatalf("it ends with %v, without a code", err)
		}
		return closed
	}
}
