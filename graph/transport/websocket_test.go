package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"regtok/graph/transport"
)

// patience is what a busy machine may take for what takes no time.
const patience = 30 * time.Second

const subprotocol = "graphql-transport-ws"

// peer is the other end of a socket.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
}

func dial(t *testing.T, server *httptest.Server) *peer {
	t.Helper()
	conn, status := open(t, server.URL, &websocket.DialOptions{Subprotocols: []string{subprotocol}})
	if conn == nil {
		t.Fatalf("a socket is answered %d", status)
	}
	return &peer{t, conn}
}

// open asks for a socket. Without one, the status tells how that was answered.
func open(t *testing.T, url string, o *websocket.DialOptions) (conn *websocket.Conn, status int) {
	t.Helper()
	conn, response, err := websocket.Dial(t.Context(), url, o)
	if response == nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	if conn != nil {
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, response.StatusCode
}

// initialised is a socket on which operations may begin.
func initialised(t *testing.T, server *httptest.Server) *peer {
	t.Helper()
	p := dial(t, server)
	p.say(`{"type":"connection_init"}`)
	p.hears(`{"type":"connection_ack"}`)
	return p
}

func (p *peer) say(messages ...string) {
	p.t.Helper()
	for _, text := range messages {
		if err := p.conn.Write(p.t.Context(), websocket.MessageText, []byte(text)); err != nil {
			p.t.Fatalf("say %s: %v", text, err)
		}
	}
}

func (p *peer) read() (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	_, text, err := p.conn.Read(ctx)
	return string(text), err
}

// hears wants the next messages to be these.
func (p *peer) hears(want ...string) {
	p.t.Helper()
	for i, want := range want {
		got, err := p.read()
		if err != nil {
			p.t.Fatalf("message %d: %v, want %s", i, err, want)
		}
		if got != want {
			p.t.Errorf("message %d = %s, want %s", i, got, want)
		}
	}
}

// hearsClose wants the socket to be closed next, so.
func (p *peer) hearsClose(code websocket.StatusCode, reason string) {
	p.t.Helper()
	text, err := p.read()
	if err == nil {
		p.t.Fatalf("it says %s, want it to close with %d", text, code)
	}
	var got websocket.CloseError
	if !asClose(err, &got) || got.Code != code || got.Reason != reason {
		p.t.Errorf("it ends with %v, want it to close with %d %q", err, code, reason)
	}
}

const (
	cost   = `,"extensions":{"cost":{"points":1,"maxPoints":5000,"objects":0,"maxObjects":10000}}`
	costly = `,"extensions":{"cost":{"points":11,"maxPoints":5000,"objects":0,"maxObjects":10000}}` // a subscription's
)

func count3(id string) []string {
	var messages []string
	for _, n := range []string{"1", "2", "3"} {
		messages = append(messages, `{"id":"`+id+`","type":"next","payload":{"data":{"count":`+n+`}`+costly+`}}`)
	}
	return append(messages, `{"id":"`+id+`","type":"complete"}`)
}

func TestASocketCarriesOperationsOfEachKind(t *testing.T) {
	server, _ := newStreams(t, transport.StreamConfig{})
	p := initialised(t, server)
	p.say(`{"id":"q","type":"subscribe","payload":{"query":"query($name: String) { hello(name: $name) }","variables":{"name":"Ada"}}}`)
	p.hears(`{"id":"q","type":"next","payload":{"data":{"hello":"hello Ada"}`+cost+`}}`, `{"id":"q","type":"complete"}`)
	p.say(`{"id":"m","type":"subscribe","payload":{"query":"mutation { hello }"}}`)
	p.hears(`{"id":"m","type":"next","payload":{"data":{"hello":"hello <nil>"},"extensions":{"cost":{"points":11,"maxPoints":5000,"objects":0,"maxObjects":10000}}}}`,
		`{"id":"m","type":"complete"}`)
	p.say(`{"id":"s","type":"subscribe","payload":{"query":"subscription { count(to: 3) }"}}`)
	p.hears(count3("s")...)
	p.say(`{"id":"f","type":"subscribe","payload":{"query":"{ fail }"}}`)
	p.hears(`{"id":"f","type":"next","payload":{"errors":[{"message":"no luck","path":["fail"]}],"data":{"fail":null}`+cost+`}}`,
		`{"id":"f","type":"complete"}`)
}

// TestNothingComesAfterAnError sends what cannot run, and right behind it what can.
func TestNothingComesAfterAnError(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	server, _ := newStreams(t, transport.StreamConfig{})
	tests := []struct{ name, payload, want string }{
		{"a document that does not parse", `{"query":"{"}`, `"GRAPHQL_PARSE_FAILED"`},
		{"a field that does not exist", `{"query":"{ nothing }"}`, `"GRAPHQL_VALIDATION_FAILED"`},
		{"too much", `{"query":"{` + strings.Repeat("hello ", 1200) + `}"}`, `"QUERY_TOO_LARGE"`},
		{"a variable of another type", `{"query":"query($n: String) { hello(name: $n) }","variables":{"n":1}}`, `"INVALID"`},
		{"an operation that is not in the document", `{"query":"query a { hello }","operationName":"b"}`, `"GRAPHQL_VALIDATION_FAILED"`},
		{"a subscription that cannot begin", `{"query":"subscription { fail }"}`, `"no luck"`},
		{"a bug", `{"query":"subscription { panic }"}`, `"INTERNAL"`},
		{"a bug where errors are shown", `{"query":"{ unpresentable }"}`, `"INTERNAL"`},
		{"a bug in a query", `{"query":"{ panic }"}`, `"INTERNAL"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := initialised(t, server)
			p.say(`{"id":"1","type":"subscribe","payload":` + test.payload + `}`)
			got, err := p.read()
			if err != nil || !strings.HasPrefix(got, `{"id":"1","type":"error","payload":[{`) || !strings.Contains(got, test.want) {
				t.Errorf("it says %s, %v, want an error with %s", got, err, test.want)
			}
			if strings.Contains(got, "secret") {
				t.Errorf("it tells a panic's text: %s", got)
			}
			p.say(`{"id":"1","type":"subscribe","payload":{"query":"subscription { count(to: 3) }"}}`)
			p.hears(count3("1")...)
			_ = p.conn.Close(websocket.StatusNormalClosure, "")
		})
	}
	server.Close()
	http.DefaultClient.CloseIdleConnections()
}

func TestASocketIsClosedWithTheCodeOfItsFault(t *testing.T) {
	const long = "an id that is much too long to be told whole in the reason of a closing frame, which has room for a hundred and twenty-three bytes"
	tests := []struct {
		name   string
		config transport.StreamConfig
		ready  bool // connection_init was acknowledged
		says   []string
		code   websocket.StatusCode
		reason string
	}{
		{"no JSON", transport.StreamConfig{}, true, []string{`hello`}, 4400, "The message is not of graphql-transport-ws"},
		{"an unknown type", transport.StreamConfig{}, true, []string{`{"type":"start"}`}, 4400, "The message is not of graphql-transport-ws"},
		{"a type of the server's", transport.StreamConfig{}, true, []string{`{"type":"next","id":"1"}`}, 4400, "The message is not of graphql-transport-ws"},
		{"subscribe without an id", transport.StreamConfig{}, true, []string{`{"type":"subscribe","payload":{"query":"{hello}"}}`}, 4400, "subscribe needs an id of 1 to 256 bytes"},
		{"complete without an id", transport.StreamConfig{}, true, []string{`{"type":"complete"}`}, 4400, "The message is not of graphql-transport-ws"},
		{"subscribe without a query", transport.StreamConfig{}, true, []string{`{"type":"subscribe","id":"1","payload":{}}`}, 4400,
			"The payload of subscribe makes no sense: query is missing, and so is documentId"},
		{"a payload of another kind at the beginning", transport.StreamConfig{}, false, []string{`{"type":"connection_init","payload":[]}`}, 4400,
			"The payload of connection_init is no object"},
		{"very many values at the beginning", transport.StreamConfig{}, false, []string{`{"type":"connection_init","payload":{"a":[` + strings.Repeat("{},", 5000) + `0]}}`}, 4400,
			"The payload of connection_init holds too much"},
		{"subscribe before connection_init", transport.StreamConfig{}, false, []string{`{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}`}, 4401, "Unauthorized"},
		{"a caller who is not admitted", transport.StreamConfig{}, false, []string{`{"type":"connection_init","payload":{"key":"wrong"}}`}, 4403, "Forbidden"},
		{"a caller with an unknown key", transport.StreamConfig{}, false, []string{`{"type":"connection_init","payload":{"key":"unknown"}}`}, 4401, "this key is not known"},
		{"a caller with an unreadable key", transport.StreamConfig{}, false, []string{`{"type":"connection_init","payload":{"key":"unreadable"}}`}, 4403, "this key cannot be read"},
		{"a caller whose key cannot be checked", transport.StreamConfig{}, false, []string{`{"type":"connection_init","payload":{"key":"unchecked"}}`}, 1013, "keys cannot be checked now"},
		{"no connection_init", transport.StreamConfig{Init: time.Millisecond}, false, nil, 4408, "Connection initialisation timeout"},
		{"an id that is taken", transport.StreamConfig{}, true, []string{
			`{"type":"subscribe","id":"1","payload":{"query":"subscription { count(to: 0, stay: true) }"}}`,
			`{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}`}, 4409, "Subscriber for 1 already exists"},
		{"a long id that is taken", transport.StreamConfig{}, true, []string{
			`{"type":"subscribe","id":"` + long + `","payload":{"query":"subscription { count(to: 0, stay: true) }"}}`,
			`{"type":"subscribe","id":"` + long + `","payload":{"query":"{hello}"}}`}, 4409, ("Subscriber for " + long)[:123]},
		{"a second connection_init", transport.StreamConfig{}, true, []string{`{"type":"connection_init"}`}, 4429, "Too many initialisation requests"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, _ := newStreams(t, test.config)
			p := dial(t, server)
			if test.ready {
				p.say(`{"type":"connection_init"}`)
				p.hears(`{"type":"connection_ack"}`)
			}
			p.say(test.says...)
			p.hearsClose(test.code, test.reason)
		})
	}
	t.Run("binary messages", func(t *testing.T) {
		server, _ := newStreams(t, transport.StreamConfig{})
		p := initialised(t, server)
		if err := p.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
			t.Fatal(err)
		}
		p.hearsClose(4400, "Messages are text")
	})
	t.Run("a message that is too large", func(t *testing.T) {
		server, _ := newStreams(t, transport.StreamConfig{Message: 1000})
		p := initialised(t, server)
		p.say(`{"type":"ping","payload":{"a":"` + strings.Repeat("a", 900) + `"}}`)
		if got, err := p.read(); err != nil || !strings.HasPrefix(got, `{"type":"pong","payload":{"a":"aaa`) {
			t.Errorf("a ping is answered %.50s, %v", got, err)
		}
		p.say(`{"type":"ping","payload":{"a":"` + strings.Repeat("a", 1000) + `"}}`)
		if _, err := p.read(); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("it ends with %v, want it to close with 1009", err)
		}
	})
	t.Run("a message that is too large for a stranger's", func(t *testing.T) {
		server, _ := newStreams(t, transport.StreamConfig{})
		large := `{"type":"ping","payload":{"a":"` + strings.Repeat("a", 64<<10) + `"}}`
		p := initialised(t, server)
		p.say(large)
		p.hears(`{"type":"pong"}`)
		stranger := dial(t, server)
		stranger.say(large)
		if _, err := stranger.read(); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("it ends with %v, want it to close with 1009", err)
		}
	})
}

func TestWhatComesBackIsAsLongAsClientsNeed(t *testing.T) {
	server, _ := newStreams(t, transport.StreamConfig{})
	p := initialised(t, server)
	p.say(`{"type":"ping","payload":"`+strings.Repeat("a", 1022)+`"}`, `{"type":"ping","payload":"`+strings.Repeat("a", 1023)+`"}`)
	p.hears(`{"type":"pong","payload":"`+strings.Repeat("a", 1022)+`"}`, `{"type":"pong"}`)
	begin := func(id string) string {
		return `{"id":"` + id + `","type":"subscribe","payload":{"query":"{ hello }"}}`
	}
	id := strings.Repeat("a", 256)
	p.say(begin(id))
	p.hears(`{"id":"`+id+`","type":"next","payload":{"data":{"hello":"hello <nil>"}`+cost+`}}`, `{"id":"`+id+`","type":"complete"}`)
	p.say(begin(id + "a"))
	p.hearsClose(4400, "subscribe needs an id of 1 to 256 bytes")
}

func TestAnIdIsFreeOnceItsCallerHasEndedIt(t *testing.T) {
	server, _ := newStreams(t, transport.StreamConfig{Socket: 100})
	p := initialised(t, server)
	for range 50 {
		p.say(`{"id":"1","type":"subscribe","payload":{"query":"subscription { count(to: 0, stay: true) }"}}`, `{"id":"1","type":"complete"}`)
	}
	p.say(`{"id":"1","type":"subscribe","payload":{"query":"subscription { count(to: 3) }"}}`)
	p.hears(count3("1")...)
	p.say(`{"id":"unknown","type":"complete"}`, `{"type":"pong"}`, `{"type":"ping","payload":{"a":1}}`)
	p.hears(`{"type":"pong","payload":{"a":1}}`)
}

// TestEachAnswerGoesToItsOwnQuestion asks ten at once, again and again.
func TestEachAnswerGoesToItsOwnQuestion(t *testing.T) {
	server, _ := newStreams(t, transport.StreamConfig{})
	p := initialised(t, server)
	for round := range 50 {
		want := map[string]bool{}
		for n := range 10 {
			id := fmt.Sprintf("%d-%d", round, n)
			p.say(`{"id":"` + id + `","type":"subscribe","payload":{"query":"query($name: String) { hello(name: $name) }","variables":{"name":"` + id + `"}}}`)
			want[`{"id":"`+id+`","type":"next","payload":{"data":{"hello":"hello `+id+`"}`+cost+`}}`] = true
			want[`{"id":"`+id+`","type":"complete"}`] = true
		}
		for len(want) > 0 {
			got, err := p.read()
			if err != nil || !want[got] {
				t.Fatalf("round %d: it says %s, %v", round, got, err)
			}
			delete(want, got)
		}
	}
}

func TestSocketsAndStreamsAreLimited(t *testing.T) {
	const stay = `","type":"subscribe","payload":{"query":"subscription { count(to: 1, stay: true) }"}}`
	t.Run("ten on a socket", func(t *testing.T) {
		server, streams := newStreams(t, transport.StreamConfig{})
		p := initialised(t, server)
		for _, id := range strings.Split("abcdefghij", "") {
			p.say(`{"id":"` + id + stay)
			p.hears(`{"id":"` + id + `","type":"next","payload":{"data":{"count":1}` + costly + `}}`)
		}
		p.say(`{"id":"k` + stay)
		p.hears(`{"id":"k","type":"error","payload":[{"message":"a socket carries 10 operations at a time: complete one first, or open another","extensions":{"code":"TOO_MANY_STREAMS"}}]}`)
		if got := streams.Stats().WebSocket; got != 10 {
			t.Errorf("%d streams are open, want 10", got)
		}
	})
	t.Run("so many in a process, whatever carries them", func(t *testing.T) {
		server, streams := newStreams(t, transport.StreamConfig{Process: 1})
		p := initialised(t, server)
		p.say(`{"id":"a` + stay)
		p.hears(`{"id":"a","type":"next","payload":{"data":{"count":1}` + costly + `}}`)
		p.say(`{"id":"b` + stay)
		p.hears(`{"id":"b","type":"error","payload":[{"message":"this server has as many streams as it may: try again later","extensions":{"code":"TOO_MANY_STREAMS"}}]}`)
		answer := send(t, http.MethodPost, server.URL, strings.NewReader(`{"query":"subscription { count(to: 1) }"}`),
			"Content-Type", "application/json", "Accept", "text/event-stream")
		if answer.StatusCode != http.StatusServiceUnavailable || answer.code(t) != "TOO_MANY_STREAMS" || answer.Header.Get("Retry-After") == "" {
			t.Errorf("another is answered %d %s, want 503 TOO_MANY_STREAMS with Retry-After", answer.StatusCode, answer.text)
		}
		if _, status := open(t, server.URL, &websocket.DialOptions{Subprotocols: []string{subprotocol}}); status != http.StatusServiceUnavailable {
			t.Errorf("another socket is answered %d, want 503", status)
		}
		want := transport.StreamStats{Sockets: 1, WebSocket: 1, Live: 1}
		if diff := cmp.Diff(streams.Stats(), want); diff != "" {
			t.Errorf("stats (-got +want):\n%s", diff)
		}
	})
}

func TestASocketWithoutTheSubprotocolIsRefused(t *testing.T) {
	server, _ := newStreams(t, transport.StreamConfig{})
	if _, status := open(t, server.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-ws"}}); status != http.StatusBadRequest {
		t.Errorf("answered %d, want 400", status)
	}
}
