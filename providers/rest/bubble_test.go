package rest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
)

// inBubble runs a test in a synctest bubble, against a server that is reached over pipes: real HTTP, but waiting takes no
// time, and no machine is too slow for a time limit.
func inBubble(t *testing.T, name string, handle http.HandlerFunc, run func(*testing.T, *server)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := unstarted(handle)
			_ = s.Listener.Close()
			l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
			s.Listener = l
			s.Start()
			t.Cleanup(s.Close)
			s.Client().Transport.(*http.Transport).DialContext = l.dial
			run(t, s)
		})
	})
}

// pipes is a listener that is dialled within the process.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
