package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const follows = `subscription { tokenExpiry { ... on TokenExpiryEvent { cursor } } }`

// TestTheProgramEndsItsStreams ends the built program as an operator does, while a token's end is followed over a socket and by
// server-sent events: both callers hear where to go on, and nobody has to wait for them.
func TestTheProgramEndsItsStreams(t *testing.T) {
	c := launch(t, build(t), nil, "demo", "--listen=127.0.0.1:0", "--thresholds=PT50S")
	api := regexp.MustCompile(`GraphQL: +(\S+)`).FindStringSubmatch(c.until(t, "Ctrl-C"))[1]
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	socket, events := openSocket(ctx, t, api), openEvents(ctx, t, api)
	for _, told := range []<-chan string{socket.told, events.told} {
		if _, ok := <-told; !ok { // ten seconds from the start
			t.Fatalf("no event came: %v, %v\n%s", socket.err, events.err, c.stderr)
		}
	}
	begin := time.Now()
	if code := c.quit(t, syscall.SIGTERM); code != 0 {
		t.Errorf("after SIGTERM it ended with %d, saying %s", code, c.stderr)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("after SIGTERM it took %s to end", took)
	}
	for _, follower := range []*follower{socket, events} {
		for range follower.told { // until the end
		}
	}
	if closed, ok := errors.AsType[websocket.CloseError](socket.err); !ok || closed.Code != websocket.StatusGoingAway || closed.Reason != socket.cursor {
		t.Errorf("the socket ends with %v, want 1001 and the cursor %s", socket.err, socket.cursor)
	}
	if want := "id: " + events.cursor + "\n: this server is shutting down\n\n"; !errors.Is(events.err, io.EOF) || !strings.HasSuffix(events.text.String(), want) {
		t.Errorf("server-sent events end with %v after %q, want %q in the end", events.err, events.text.String(), want)
	}
	if strings.Contains(events.text.String(), "event: complete") {
		t.Errorf("server-sent events end as complete: a browser would not come back: %s", events.text.String())
	}
}

// TestTheLogHoldsNothingOfThoseWhoFollow marks all that a follower says, of which nothing may come back or be logged.
func TestTheLogHoldsNothingOfThoseWhoFollow(t *testing.T) {
	demo := start(t, nil, "demo", "--log-level=debug")
	marks := http.Header{}
	for _, name := range []string{"Authorization", "Cookie", "User-Agent", "Referer", "Last-Event-Id"} {
		marks.Set(name, canary)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, demo.url+"/graphql?key="+canary+"&query="+url.QueryEscape(follows), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close, r.Header = true, marks.Clone()
	r.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(text), "event: complete") {
		t.Errorf("the mark as a cursor is answered %s, %v, want an error and the end", text, err)
	}
	conn, _, err := websocket.Dial(t.Context(), demo.url+"/graphql?key="+canary, &websocket.DialOptions{ //nolint:bodyclose // a socket that is open has none
		HTTPHeader: marks, Subprotocols: []string{"graphql-transport-ws"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	for _, message := range []string{
		`{"type":"connection_init","payload":{"Authorization":"` + canary + `"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"subscription($a: EventCursor) { tokenExpiry(after: $a) { __typename } }","variables":{"a":"` + canary + `"}}}`,
	} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, answer...)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(canary)); err != nil {
		t.Fatal(err)
	}
	_, _, err = conn.Read(t.Context())
	if websocket.CloseStatus(err) != 4400 {
		t.Errorf("the mark as a message ends with %v, want 4400", err)
	}
	if code := demo.end(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	log := demo.stdout.String() + demo.stderr.String()
	for where, said := range map[string]string{"what it answered": string(text) + err.Error(), "its log": log} {
		if strings.Contains(strings.ToLower(said), strings.ToLower(canary)) {
			t.Errorf("the mark is in %s:\n%s", where, said)
		}
	}
	if n := strings.Count(log, `"msg":"stream ended"`); n != 2 {
		t.Errorf("%d streams are in the log, want 2:\n%s", n, log)
	}
}

// follower is a subscriber. Its fields may be read when told is closed.
type follower struct {
	told   chan string // cursors of the events
	cursor string      // the last of them
	text   strings.Builder
	err    error // how it ended
}

// hears takes note of what next returns, one event after another.
func (f *follower) hears(next func() (text string, err error)) {
	defer close(f.told)
	found := regexp.MustCompile(`"cursor":"([^"]+)"`)
	for {
		text, err := next()
		f.text.WriteString(text)
		if err != nil {
			f.err = err
			return
		}
		if event := found.FindStringSubmatch(text); event != nil {
			f.cursor = event[1]
			f.told <- event[1]
		}
	}
}

func newFollower() *follower { return &follower{told: make(chan string, 100)} }

func openSocket(ctx context.Context, t *testing.T, api string) *follower {
	t.Helper()
	conn, _, err := websocket.Dial(ctx, api, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket that is open has none
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	payload, err := json.Marshal(map[string]string{"query": follows})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"type":"connection_init"}`, fmt.Sprintf(`{"id":"1","type":"subscribe","payload":%s}`, payload)} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	f := newFollower()
	go f.hears(func() (string, error) {
		_, text, err := conn.Read(ctx)
		return string(text), err
	})
	return f
}

func openEvents(ctx context.Context, t *testing.T, api string) *follower {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, api+"?query="+url.QueryEscape(follows), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	r.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewReader(response.Body)
	f := newFollower()
	go f.hears(func() (string, error) { return lines.ReadString('\n') })
	return f
}
