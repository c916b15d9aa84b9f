package server

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// crowded is how long the log is silent after it told that there is no more room.
const crowded = time.Minute

// bounded is a listener of which only so many connections are open at a time: each takes a file, and where the system has no more of
// these, providers and Redis cannot be asked either. Further ones wait in the system's queue, which refuses them when it is full.
type bounded struct {
	net.Listener
	room   chan struct{}
	over   chan struct{}
	finish sync.Once
	log    *slog.Logger
	told   time.Time // for Accept alone
}

func newBounded(l net.Listener, connections int, log *slog.Logger) *bounded {
	return &bounded{Listener: l, room: make(chan struct{}, connections), over: make(chan struct{}), log: log}
}

// Accept implements net.Listener. One goroutine at a time.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.room <- struct{}{}:
	default:
		b.tell()
		select {
		case b.room <- struct{}{}:
		case <-b.over:
			return nil, net.ErrClosed
		}
	}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.room
		return nil, err
	}
	return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-b.room })}, nil
}

func (b *bounded) tell() {
	if now := time.Now(); now.Sub(b.told) >= crowded {
		b.told = now
		b.log.Warn("as many connections are open as there may be: others wait", "connections", cap(b.room),
			"cure", "find out who opens them, or raise --limit-connections, and with it how many files the process may open")
	}
}

// Close implements net.Listener.
func (b *bounded) Close() error {
	b.finish.Do(func() { close(b.over) })
	return b.Listener.Close()
}

// placed is a connection that makes room when it is closed.
type placed struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}

// CloseWrite ends what is sent and lets the caller read it: net/http asks for it, so that who sent too much learns why.
func (p *placed) CloseWrite() error {
	if conn, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite()
	}
	return errors.ErrUnsupported
}
