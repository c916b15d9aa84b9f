package transport

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"

	"regtok/codes"
)

const subprotocol = "graphql-transport-ws"

// noRoom is told to those who cannot have a socket now.
const noRoom = "this server has as many sockets as it may: try again later"

// WebSocket carries operations of every kind after the protocol graphql-transport-ws. gqlgen's transport runs them, between
// two guards of ours: the socket sees to the protocol, its limits and its close codes, and operations sees to what is run.
// Add it as the first transport. A socket is opened by a GET and answers whatever page opened it: whoever routes requests here
// refuses those of other sites' pages, for sockets as for all else. Safe to share.
type WebSocket struct {
	// Timeout is how long a query or mutation may take. 0: 30 s.
	Timeout time.Duration
	Streams *Streams
	// Admit looks at the payload of connection_init, and returns the context of the socket's operations. A *Refusal says how
	// the socket is closed; any other error closes it with 4403. Nil: whoever may send requests may open sockets.
	Admit func(ctx context.Context, payload map[string]any) (context.Context, error)
	// AtEnd watches the credential of an admitted caller. The socket ends with it, by 4403: clients come back after that with a
	// new one.
	AtEnd AtEnd
}

// Refusal is why a caller does not get a socket.
type Refusal struct {
	// Unauthorized closes with 4401, after which clients do not come back by themselves; else it is 4403.
	Unauthorized bool
	// Later closes with 1013: it may work in a while.
	Later bool
	// Reason is told, as far as it fits into a closing frame: 123 bytes.
	Reason string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Reason }

func (r *Refusal) code() websocket.StatusCode {
	switch {
	case r.Later:
		return websocket.StatusTryAgainLater
	case r.Unauthorized:
		return closeUnauthorized
	}
	return closeForbidden
}

var _ graphql.Transport = WebSocket{}

// Supports implements graphql.Transport.
func (WebSocket) Supports(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do implements graphql.Transport. It returns when the socket is closed and nothing runs on it any more.
func (t WebSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if refusal := refuseSocket(r); refusal != nil {
		w.Header().Set("Content-Type", plain.contentType())
		refusal.write(w)
		return
	}
	if !t.Streams.lets() {
		w.Header().Set("Content-Type", plain.contentType())
		w.Header().Set("Retry-After", "10")
		(&refusal{http.StatusServiceUnavailable, codes.TooManyStreams, noRoom}).write(w)
		return
	}
	count := &t.Streams.strangers
	defer func() { count.Add(-1) }()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // the library's own rule of origins: see WebSocket
	})
	if err != nil {
		return // the library has answered
	}
	s := newSocket(conn, t.Streams)
	defer s.stop()
	gqlgen := transport.Websocket{Implementation: s, InitFunc: func(ctx context.Context, payload transport.InitPayload) (context.Context, *transport.InitPayload, error) {
		ctx, err := t.admit(ctx, s, payload)
		if err == nil {
			count = &t.Streams.sockets
		}
		return ctx, nil, err
	}}
	gqlgen.Do(w, withoutCacheControl(r), &operations{GraphExecutor: exec, socket: s, timeout: timeout(t.Timeout)})
}

// admit looks at who opened the socket. It is closed when that is an error.
func (t WebSocket) admit(ctx context.Context, s *socket, payload transport.InitPayload) (context.Context, error) {
	if t.Admit != nil {
		admitted, err := t.Admit(ctx, payload)
		if err != nil {
			s.refuseCaller(err)
			return ctx, err
		}
		ctx = admitted
	}
	if !t.Streams.admits() {
		full := &Refusal{Later: true, Reason: noRoom}
		s.refuseCaller(full)
		return ctx, full
	}
	s.conn.SetReadLimit(s.config.Message)
	s.endsWith(ctx, t.AtEnd)
	return ctx, nil
}

// refuseSocket is about what the library does not look at, or answers with a text of its own.
func refuseSocket(r *http.Request) *refusal {
	switch {
	case r.Method != http.MethodGet:
		return &refusal{http.StatusMethodNotAllowed, codes.MethodNotAllowed, "sockets are opened with GET, and operations sent with POST"}
	case !r.ProtoAtLeast(1, 1), !listed(r.Header.Values("Connection"), "upgrade"), r.Header.Get("Sec-Websocket-Version") != "13", !isSocketKey(r.Header.Values("Sec-Websocket-Key")):
		return badRequest("this is no handshake of a WebSocket: Connection, Sec-WebSocket-Version 13 and Sec-WebSocket-Key belong to it")
	case !listed(r.Header.Values("Sec-Websocket-Protocol"), subprotocol):
		return badRequest("the WebSocket subprotocol of this server is graphql-transport-ws: offer it")
	}
	return nil
}

// listed tells whether a header names something.
func listed(header []string, name string) bool {
	for part := range strings.SplitSeq(strings.Join(header, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(part), name) {
			return true
		}
	}
	return false
}

func isSocketKey(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(key) == 16
}

// withoutCacheControl leaves out what browsers send with every upgrade: it says nothing of the operations.
func withoutCacheControl(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Del("Cache-Control")
	return r
}
