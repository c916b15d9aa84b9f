package graph_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"regtok/expiry"
	"regtok/graph/transport"
	"regtok/server"
)

// canaryCaller is what a caller keeps to itself and its proxies: headers, and what it says to be let in.
const canaryCaller = "canary-caller-91ad"

const tellsMost = `subscription ($current: Boolean!) { tokenExpiry(includeCurrent: $current) {
	... on TokenExpiryEvent { id subject { name createdBy } token { name registry { name } } }
	... on EventGap { reason } } }`

// TestNoStreamHoldsACredentialOrWhatItsCallerKeeps follows events while a provider fails in every way, and reads all that is
// said of it: answers, the reasons for which sockets are closed, and the log.
func TestNoStreamHoldsACredentialOrWhatItsCallerKeeps(t *testing.T) {
	carriers := map[string]func(*stage, *testing.T) func() string{"a socket": (*stage).markedSocket, "server-sent events": (*stage).markedEvents}
	for _, f := range append(faults(), fault{name: "is well", spoil: func(http.ResponseWriter, *http.Request) {}}) {
		if f.reason == "TIMEOUT" {
			continue // it says nothing, for longer than a follower waits
		}
		for name, follow := range carriers {
			t.Run(f.name+", over "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n, book := newMemory(), &locked{}
					log := server.NewLog(book, "json", slog.LevelDebug)
					s := newStage(t, plan{network: n, settings: marked(), streams: transport.NewStreams(transport.StreamConfig{Log: log})})
					s.client.Transport = markedCaller{s.client.Transport}
					sent := s.credentialsSent()
					for provider := range otherOf {
						if f.name != "is well" {
							s.fail(n, provider, f, everywhere)
						}
					}
					said := s.followedMarked(t, follow)
					for _, messages := range protocolFaults {
						said += s.closedFor(t, messages...)
					}
					s.streams.Close()
					time.Sleep(time.Minute) // for those who do not read
					synctest.Wait()
					if !strings.Contains(book.String(), "stream ended") {
						t.Error("the log tells of no stream")
					}
					for where, text := range map[string]string{"what is said": said, "the streams' log": book.String(), "the log": s.world.log.String()} {
						expectNoCanary(t, where, text)
						if at := strings.Index(text, canaryCaller); at >= 0 {
							t.Errorf("%s holds what a caller keeps: …%s", where, text[max(0, at-200):])
						}
					}
					if f.name == "is well" && sent.Load() == 0 {
						t.Error("the credential was never sent: this test looks for another one")
					}
				})
			})
		}
	}
}

// followedMarked is what a follower hears: of the present state, and of an event that is told.
func (s *stage) followedMarked(t *testing.T, follow func(*stage, *testing.T) func() string) (said string) {
	t.Helper()
	s.current = []expiry.Event{event(ionosToken, 0), event(buildkiteToken, 1)}
	next := follow(s, t)
	said = next() + next()
	s.tell(t, event(ionosToken, 2))
	said += next()
	if got := strings.Count(said, `"tokenExpiry":{"id"`); got != 3 {
		t.Fatalf("%d events came, want 3: %s", got, said)
	}
	return said
}

// protocolFaults are what sockets are closed for, with the mark wherever there is room for it.
var protocolFaults = [][]string{
	{canaryCaller},
	{`{"type":"` + canaryCaller + `"}`},
	{`{"type":"connection_init","payload":"` + canaryCaller + `"}`},
	{`{"type":"subscribe","id":"1","payload":{"query":"{ ` + canaryCaller + ` }"}}`},
	{markedInit, markedInit},
	{markedInit, `{"type":"subscribe","id":"1","payload":{"query":1,"variables":{"key":"` + canaryCaller + `"}}}`},
	{markedInit, `{"type":"subscribe","payload":{"query":"{ ` + canaryCaller + ` }"}}`},
	{markedInit, `{"type":"subscribe","id":"1","payload":{"query":"subscription { tokenExpiry { __typename } }"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"` + canaryCaller + `"}}`},
}

const markedInit = `{"type":"connection_init","payload":{"Authorization":"Bearer ` + canaryCaller + `","key":{"of":"` + canaryCaller + `"}}}`

// markedCaller marks each request.
type markedCaller struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (m markedCaller) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for _, name := range []string{"Authorization", "Cookie", "User-Agent", "Referer"} {
		r.Header.Set(name, canaryCaller)
	}
	return m.RoundTripper.RoundTrip(r)
}

func (s *stage) markedSocket(t *testing.T) (next func() string) {
	t.Helper()
	payload, err := json.Marshal(object{"query": tellsMost, "variables": object{"current": true}, "extensions": object{"key": canaryCaller}})
	if err != nil {
		t.Fatal(err)
	}
	conn := s.dial(t)
	say(t, conn, markedInit)
	read(t, conn)
	say(t, conn, `{"type":"subscribe","id":"1","payload":`+string(payload)+`}`)
	return func() string { return read(t, conn) }
}

func (s *stage) markedEvents(t *testing.T) (next func() string) {
	t.Helper()
	h := s.follow(t, tellsMost, object{"current": true}, "")
	return func() string { data, id := h.next(); return data + id }
}

// closedFor is the reason for which a socket is closed whose caller says these, and all that it is told before.
func (s *stage) closedFor(t *testing.T, messages ...string) string {
	t.Helper()
	conn := s.dial(t)
	go func() {
		for _, text := range messages {
			_ = conn.Write(t.Context(), websocket.MessageText, []byte(text)) // how it is closed tells whether it came
		}
	}()
	var said strings.Builder
	for {
		_, text, err := conn.Read(t.Context())
		said.Write(text)
		if err == nil {
			continue
		}
		if code := websocket.CloseStatus(err); code < 4400 {
			t.Errorf("after %s a socket ends with %v, want a code of the protocol's", messages, err)
		}
		return said.String() + err.Error()
	}
}
