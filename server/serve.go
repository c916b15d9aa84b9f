package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// farewell is what connections get to send the rest of their last answer, and what cancelled handlers get to return.
const farewell = time.Second

// ErrOpen is why a server without callers does not listen where other machines reach it.
var ErrOpen = errors.New("it can be reached from other machines, and no callers are known")

// Listen opens a TCP address like 127.0.0.1:8080 for Serve. Port 0 takes a free one. Where no callers are known it has to be a
// loopback address, or the error is ErrOpen: this server's credentials would be everybody's who reaches it.
func Listen(address string, callers bool) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is no address to listen on: write it like 127.0.0.1:8080", address)
	}
	if n, err := strconv.Atoi(port); err == nil && n > 1<<16-1 {
		return nil, fmt.Errorf("%q is no address to listen on: ports end at 65535", address)
	}
	if !callers && !loopback(host) {
		return nil, fmt.Errorf("%q: %w", address, ErrOpen)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	if bound, _, _ := net.SplitHostPort(l.Addr().String()); !callers && !loopback(bound) {
		_ = l.Close()
		return nil, fmt.Errorf("%q leads to %s here, which can be reached from other machines: listen on 127.0.0.1", address, bound)
	}
	return l, nil
}

// Loopback tells whether this machine alone reaches an address.
func Loopback(address net.Addr) bool {
	host, _, err := net.SplitHostPort(address.String())
	return err == nil && loopback(host)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Serve answers on l, which it closes, until ctx ends. Then /readyz and new operations are answered with 503 while the
// operations under way finish, and Config.Ending is called for those that would not. It returns when all connections are closed; an error says that l broke, or that answers
// were cut off because they took too long.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	h := &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return base },
		MaxHeaderBytes:    s.limits.Headers,
		ReadHeaderTimeout: s.limits.Header,
		ReadTimeout:       s.limits.Read,
		WriteTimeout:      s.limits.Read + s.limits.Answer + s.limits.Write,
		IdleTimeout:       s.limits.Idle,
		ErrorLog:          log.New(troubles{s.log}, "", 0),
		HTTP2: &http.HTTP2Config{
			// Who stops in the middle of a header is not idle, and answers no ping.
			SendPingTimeout:  s.limits.Read,
			PingTimeout:      s.limits.Read,
			WriteByteTimeout: s.limits.Write,
		},
	}
	l = newBounded(l, s.limits.Connections, s.log)
	served := make(chan error, 1)
	go func() { served <- s.accept(h, l) }()
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve on %s: %w", l.Addr(), err), h.Close())
	case <-ctx.Done():
	}
	err := s.drain(h, cut)
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

func (s *Server) accept(h *http.Server, l net.Listener) error {
	if s.config.Certificate == nil {
		return h.Serve(l)
	}
	h.TLSConfig = s.config.Certificate.config()
	return h.ServeTLS(l, "", "")
}

// drain ends h. The listener stays open for as long as operations are under way, so that whoever asks learns why.
func (s *Server) drain(h *http.Server, cut context.CancelFunc) error {
	s.log.Info("shutting down")
	h.SetKeepAlivesEnabled(false)
	empty := s.door.close()
	if s.config.Ending != nil {
		s.config.Ending()
	}
	late := !within(empty, s.limits.Drain)
	if late {
		cut()
		within(empty, farewell)
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		// Connections on which nothing is under way, for example those that browsers open in advance.
		if err := h.Close(); err != nil {
			return fmt.Errorf("close connections: %w", err)
		}
	}
	if late {
		return fmt.Errorf("answers were cut off: they took longer than %s", s.limits.Drain)
	}
	return nil
}

func within(done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
