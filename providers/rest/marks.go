package rest

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// marks travel with a request from API.Do to the Transport, and bring back what happened to it.
type marks struct {
	op         string
	idempotent bool

	// dialed: the round tripper reports its connections. connections counts those it got.
	dialed      atomic.Bool
	connections atomic.Int32
	// nonsense: the answer came whole, but could not be read.
	nonsense atomic.Bool
	// lost: an earlier try may have been executed and did not tell.
	lost bool
	// wait is what the last 429 asked for; 0: nothing.
	wait time.Duration
}

type marksKey struct{}

// mark puts new marks into ctx.
func mark(ctx context.Context, op string, idempotent bool) (context.Context, *marks) {
	m := &marks{op: op, idempotent: idempotent}
	ctx = context.WithValue(ctx, marksKey{}, m)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { m.dialed.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { m.connections.Add(1) },
	}), m
}

// unsent tells whether certainly nothing has been sent since the count of connections was before. Having a connection
// counts as sent: between getting it and writing to it a time-out cannot be told from a lost answer.
func (m *marks) unsent(before int32) bool { return m.dialed.Load() && m.connections.Load() == before }
