package transport

import (
	"context"
	"errors"
)

// errExpired is why streams end whose callers' credentials have ended.
var errExpired = errors.New("the credential has ended")

// expiredReason is told to their callers.
const expiredReason = "the credential of this stream has ended: come back with a new one"

// AtEnd calls do, once and in a goroutine of its own, when the credential of a context's caller ends: because its time is over, or
// because it was taken back. stop keeps it from being called, unless it was already. A nil AtEnd: credentials do not end.
type AtEnd func(ctx context.Context, do func()) (stop func())

func (a AtEnd) watch(ctx context.Context, do func()) (stop func()) {
	if a == nil {
		return func() {}
	}
	return a(ctx, do)
}

// refuseCaller closes a socket whose caller was not admitted.
func (s *socket) refuseCaller(err error) {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		refusal = &Refusal{Reason: "Forbidden"}
	}
	s.close(refusal.code(), refusal.Reason)
}

// endsWith ends the socket with the credential of the context's caller.
func (s *socket) endsWith(ctx context.Context, end AtEnd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwatch = end.watch(ctx, s.task(s.expire))
}

// expire closes the socket because its caller's credential has ended, after its streams have ended for the same reason.
func (s *socket) expire() {
	s.mu.Lock()
	s.expired = true
	s.mu.Unlock()
	s.book.expire()
	s.close(closeForbidden, "the credential of this socket has ended: come back with a new one")
}

// expire ends the stream because its caller's credential has ended.
func (s *Stream) expire() { s.cancel(errExpired) }

// expired tells whether the end of its caller's credential has ended the stream.
func (s *Stream) expired() bool { return errors.Is(context.Cause(s.ctx), errExpired) }
