package transport_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"regtok/graph/transport"
)

// blocks reads server-sent events, block by block.
type blocks struct {
	t        *testing.T
	response *http.Response
	reader   *bufio.Reader
	streams  *transport.Streams
}

func follow(t *testing.T, address string, headers ...string) *blocks {
	t.Helper()
	return followBy(t, http.DefaultClient, address, headers...)
}

func followBy(t *testing.T, client *http.Client, address string, headers ...string) *blocks {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &blocks{t: t, response: response, reader: bufio.NewReader(response.Body)}
}

// hears wants the next blocks to be these.
func (b *blocks) hears(want ...string) {
	b.t.Helper()
	for i, want := range want {
		var got strings.Builder
		for !strings.HasSuffix(got.String(), "\n\n") {
			line, err := b.reader.ReadString('\n')
			if err != nil {
				b.t.Fatalf("block %d: %q and %v, want %q", i, got.String()+line, err, want)
			}
			got.WriteString(line)
		}
		if diff := cmp.Diff(strings.TrimSuffix(got.String(), "\n\n"), want); diff != "" {
			b.t.Errorf("block %d (-got +want):\n%s", i, diff)
		}
	}
}

func (b *blocks) hearsEnd() {
	b.t.Helper()
	if rest, err := io.ReadAll(b.reader); err != nil || len(rest) > 0 {
		b.t.Errorf("in the end it says %q, %v", rest, err)
	}
}

const completeEvent = "event: complete\ndata:"

func TestEventsByGET(t *testing.T) {
	server, _ := newStreams(t, transport.StreamConfig{})
	asked := func(query string, more ...string) string {
		values := url.Values{"query": {query}}
		for i := 0; i < len(more); i += 2 {
			values.Set(more[i], more[i+1])
		}
		return server.URL + "?" + values.Encode()
	}
	t.Run("each has its cursor and its data", func(t *testing.T) {
		b := follow(t, asked("subscription($n: Int!) { count(to: $n) }", "variables", `{"n":2}`))
		b.hears(":", begins(0), nextEvent(1), nextEvent(2), completeEvent)
		b.hearsEnd()
		for name, want := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"} {
			if got := b.response.Header.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	})
	t.Run("a browser that comes back goes on", func(t *testing.T) {
		b := follow(t, asked("subscription { count(to: 3) }"), "Last-Event-ID", "c2")
		b.hears(":", begins(2), nextEvent(3), completeEvent)
	})
	t.Run("what cannot begin is told, and over", func(t *testing.T) {
		b := follow(t, asked("subscription { fail }"))
		b.hears(":", `event: next`+"\n"+`data: {"errors":[{"message":"no luck"}]}`, completeEvent)
		b.hearsEnd()
	})
	t.Run("a bug is masked", func(t *testing.T) {
		b := follow(t, asked("subscription { panic }"))
		b.hears(":", `event: next`+"\n"+`data: {"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}`, completeEvent)
	})
	refused := []struct {
		name, address string
		status        int
		code          string
	}{
		{"a query", asked("{ hello }"), 405, "METHOD_NOT_ALLOWED"},
		{"a mutation", asked("mutation { hello }"), 405, "METHOD_NOT_ALLOWED"},
		{"nothing", server.URL, 400, "BAD_REQUEST"},
		{"variables that are no JSON", asked("subscription { hello }", "variables", "{"), 400, "BAD_REQUEST"},
		{"variables that are no object", asked("subscription { hello }", "variables", "[]"), 400, "BAD_REQUEST"},
		{"what does not fit the schema", asked("subscription { nothing }"), 400, "GRAPHQL_VALIDATION_FAILED"},
		{"too much", asked("subscription {" + strings.Repeat("hello ", 1200) + "}"), 400, "QUERY_TOO_LARGE"},
	}
	for _, test := range refused {
		t.Run(test.name+" is refused", func(t *testing.T) {
			got := send(t, http.MethodGet, test.address, nil, "Accept", "text/event-stream")
			if got.StatusCode != test.status || got.code(t) != test.code {
				t.Errorf("answered %d %s, want %d %s", got.StatusCode, got.text, test.status, test.code)
			}
			if allow := got.Header.Get("Allow"); (allow == "POST") != (test.status == 405) {
				t.Errorf("Allow: %s", allow)
			}
		})
	}
}

func TestTheOperationsKindDecides(t *testing.T) {
	server, _ := newStreams(t, transport.StreamConfig{})
	const urql = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
	const single = `{"data":{"hello":"hello <nil>"}` + cost + `}`
	tests := []struct{ name, query, accept, contentType, want string }{
		{"a query of a client that lists events, too", "{hello}", urql, modern, single},
		{"a subscription of the same", "subscription { count(to: 1) }", urql, "text/event-stream", ":\n\n" + begins(0) + "\n\n" + nextEvent(1) + "\n\n" + completeEvent + "\n\n"},
		{"a query of a client that takes events alone", "{hello}", "text/event-stream", "text/event-stream",
			":\n\nevent: next\ndata: " + single + "\n\n" + completeEvent + "\n\n"},
		{"a subscription of a client that takes no events", "subscription { hello }", "application/json", plain, ""},
		{"a subscription of a client that refuses events", "subscription { hello }", "application/json, text/event-stream;q=0", plain, ""},
		{"a subscription of a client that takes anything", "subscription { hello }", "*/*", plain, ""},
		{"a document that is wrong, of a client that takes events alone", "{nothing}", "text/event-stream", "text/event-stream",
			":\n\nevent: next\ndata: {\"errors\":[{\"message\":\"Cannot query field \\\"nothing\\\" on type \\\"Query\\\".\",\"locations\":[{\"line\":1,\"column\":2}]," +
				"\"extensions\":{\"code\":\"GRAPHQL_VALIDATION_FAILED\"}}]" + cost + "}\n\n" + completeEvent + "\n\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := send(t, http.MethodPost, server.URL, strings.NewReader(`{"query":"`+test.query+`"}`), "Content-Type", "application/json", "Accept", test.accept)
			if contentType := got.Header.Get("Content-Type"); got.StatusCode != http.StatusOK || contentType != test.contentType {
				t.Errorf("answered %d as %s, want 200 as %s", got.StatusCode, contentType, test.contentType)
			}
			if test.want == "" {
				if code := got.code(t); code != "UNSUPPORTED" {
					t.Errorf("answered %s, want UNSUPPORTED", got.text)
				}
			} else if diff := cmp.Diff(got.text, test.want); diff != "" {
				t.Errorf("answer (-got +want):\n%s", diff)
			}
		})
	}
}

// onPipes is for synctest bubbles, in which nothing may wait for a socket.
func onPipes(t *testing.T, c transport.StreamConfig) (*http.Client, *transport.Streams) {
	t.Helper()
	handler, streams := streaming(t, c)
	p := &pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(p) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		p.conns <- far
		return near, nil
	}}}
	t.Cleanup(func() {
		streams.Close()
		client.CloseIdleConnections()
		close(p.closed)
		_ = server.Close()
	})
	return client, streams
}

type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (*pipes) Close() error   { return nil }
func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func followOnPipe(t *testing.T, c transport.StreamConfig, query string, headers ...string) *blocks {
	t.Helper()
	client, streams := onPipes(t, c)
	b := followBy(t, client, "http://localhost/?query="+url.QueryEscape(query), headers...)
	b.streams = streams
	return b
}

// pipePeer is a peer with the streams of its server.
type pipePeer struct {
	*peer
	streams *transport.Streams
}

func dialledOnPipe(t *testing.T, c transport.StreamConfig) pipePeer {
	t.Helper()
	client, streams := onPipes(t, c)
	conn, status := open(t, "ws://localhost/", &websocket.DialOptions{Subprotocols: []string{subprotocol}, HTTPClient: client})
	if conn == nil {
		t.Fatalf("a socket is answered %d", status)
	}
	return pipePeer{&peer{t, conn}, streams}
}

func initialisedOnPipe(t *testing.T, c transport.StreamConfig) pipePeer {
	t.Helper()
	p := dialledOnPipe(t, c)
	p.say(`{"type":"connection_init"}`)
	p.hears(`{"type":"connection_ack"}`)
	return p
}
