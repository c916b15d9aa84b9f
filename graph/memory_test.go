package graph_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// network is where the servers of a test listen and how their clients reach them.
type network interface {
	// serve serves until the test ends.
	serve(t testing.TB, handler http.Handler) (url string)
	// transport is a client's.
	transport(t testing.TB) *http.Transport
}

// loopback is the real one. In a synctest bubble its clock stands still, because a socket can always become ready.
type loopback struct{}

func (loopback) serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func (loopback) transport(t testing.TB) *http.Transport {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// memory is one without sockets: real HTTP over pipes. In a synctest bubble waiting takes no time. There an operation has
// to ask for edges where it asks for more below a list: the siblings in nodes wait for each other with a mutex, for which
// a bubble's clock stands still.
type memory struct {
	hosts map[string]*host
}

func newMemory() *memory { return &memory{hosts: map[string]*host{}} }

func (m *memory) serve(t testing.TB, handler http.Handler) string {
	h := &host{name: fmt.Sprint("127.0.0.1:", len(m.hosts)+1), conns: make(chan net.Conn), closed: make(chan struct{})}
	m.hosts[h.name] = h
	server := &httptest.Server{Listener: h, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func (m *memory) transport(t testing.TB) *http.Transport {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return m.hosts[address].dial(ctx)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// host finds the one that serves at a URL.
func (m *memory) host(url string) *host { return m.hosts[strings.TrimPrefix(url, "http://")] }

// host is a listener that is dialled within the process.
type host struct {
	name    string
	refuses atomic.Bool
	open    sync.Map // the far ends of connections
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

var _ net.Listener = (*host)(nil)

func (h *host) dial(ctx context.Context) (net.Conn, error) {
	if h.refuses.Load() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	select {
	case h.conns <- far:
		h.open.Store(far, nil)
		return near, nil
	case <-h.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refuse breaks all connections and takes no more, or ends that.
func (h *host) refuse(yes bool) {
	h.refuses.Store(yes)
	if !yes {
		return
	}
	h.open.Range(func(conn, _ any) bool {
		_ = conn.(net.Conn).Close()
		h.open.Delete(conn)
		return true
	})
}

func (h *host) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *host) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *host) Addr() net.Addr { return address(h.name) }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
