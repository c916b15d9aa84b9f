package transport

import (
	"context"
	"errors"
	"time"
)

// errExpired is why streams end whose callers' credentials have ended.
var errExpired = errors.New("the credential has ended")

// expiredReason is told to their callers.
const expiredReason = "the credential of this stream has ended: come back with a new one"

// untilOf is when the credential of a context's caller ends. Zero: it does not.
func untilOf(ctx context.Context, until func(context.Context) time.Time) time.Time {
	if until == nil {
		return time.Time{}
	}
	return until(ctx)
}

// refuseCaller closes a socket whose caller was not admitted.
func (s *socket) refuseCaller(err error) {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		refusal = &Refusal{Reason: "Forbidden"}
	}
	s.close(refusal.code(), refusal.Reason)
}

// endsAt ends the socket at that time, if it is one.
func (s *socket) endsAt(until time.Time) {
	if until.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = until
	s.expires = time.AfterFunc(time.Until(until), s.task(s.expire))
}

// expire closes the socket because its caller's credential has ended. Its streams end by themselves at the same time.
func (s *socket) expire() {
	s.mu.Lock()
	s.expired = true
	s.mu.Unlock()
	s.close(closeForbidden, "the credential of this socket has ended: come back with a new one")
}

// ends is when the credential ends that the socket was opened with. Zero: it does not.
func (s *socket) ends() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until
}

// expired tells whether the end of its caller's credential has ended the stream: itself, or its socket, whose timer is
// another one for the same moment.
func (s *Stream) expired() bool {
	return s.ctx.Err() != nil && (errors.Is(context.Cause(s.ctx), errExpired) || !s.until.IsZero() && !time.Now().Before(s.until))
}
