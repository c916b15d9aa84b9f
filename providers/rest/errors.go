package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"syscall"

	"regtok/providers"
)

// The causes that errors carry. They are ours, because the causes of the packages below hold addresses and bodies.
var (
	errTermOver   = errors.New("another sweeper has begun")
	errCredential = errors.New("the credential holds a character that no header may")
	errRequest    = errors.New("the request cannot be written")
	errMarshal    = errors.New("the input cannot be written as JSON")
	errUnknown    = errors.New("the host name is not known")
	errUntrusted  = errors.New("the certificate is not trusted")
	errBroken     = errors.New("the connection broke")
	errRedirect   = errors.New("a redirect that is not followed")
	errNonsense   = errors.New("an answer that makes no sense")
	errCut        = errors.New("the body ended early")
	errTooLarge   = errors.New("the body is too large")
	errEmpty      = errors.New("the body is empty")
	errNull       = errors.New("the body is null")
)

// statusKind sorts an answer that is no success.
func statusKind(status int, write bool) (providers.Kind, providers.Reason) {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return providers.Invalid, ""
	case http.StatusUnauthorized:
		return providers.Unauthorized, ""
	case http.StatusPaymentRequired, http.StatusForbidden:
		return providers.Forbidden, ""
	case http.StatusNotFound, http.StatusGone:
		return providers.NotFound, ""
	case http.StatusConflict, http.StatusPreconditionFailed:
		return providers.Conflict, ""
	case http.StatusTooManyRequests:
		return providers.RateLimited, ""
	}
	if status < 500 || status > 599 {
		return providers.Unavailable, providers.InvalidResponse
	}
	if write {
		return providers.OutcomeUnknown, providers.Unreachable
	}
	return providers.Unavailable, providers.Unreachable
}

// failure sorts an error of the round trip. ctxErr is the caller's context's.
func (m *marks) failure(write bool, ctxErr, err error) *providers.Error {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		return e
	}
	if errors.Is(ctxErr, context.Canceled) {
		return gone(ctxErr)
	}
	e := &providers.Error{Kind: providers.Unavailable, Reason: providers.Unreachable, Err: cause(err)}
	if ctxErr != nil || timedOut(err) {
		e.Reason, e.Err = providers.Timeout, context.DeadlineExceeded
	}
	if write && !m.unsent(0) {
		e.Kind = providers.OutcomeUnknown
	}
	return e
}

// unreadable sorts an error that came while the body was read or decoded.
func unreadable(write bool, status int, ctxErr, err error) *providers.Error {
	if errors.Is(ctxErr, context.Canceled) {
		return gone(ctxErr)
	}
	e := &providers.Error{Kind: providers.Unavailable, Reason: providers.InvalidResponse, Status: status, Err: err}
	if ctxErr != nil || timedOut(err) {
		e.Reason, e.Err = providers.Timeout, context.DeadlineExceeded
	}
	if write {
		e.Kind = providers.OutcomeUnknown
	}
	return e
}

// gone is the end of the caller's context: nothing was sent, or it went away and does not care.
func gone(ctxErr error) *providers.Error {
	if errors.Is(ctxErr, context.Canceled) {
		return &providers.Error{Kind: providers.Canceled, Err: context.Canceled}
	}
	return &providers.Error{Kind: providers.Unavailable, Reason: providers.Timeout, Err: context.DeadlineExceeded}
}

// readError keeps of a body's error what can be told: that time was up, or else that the body is not whole.
func readError(err error) error {
	if timedOut(err) {
		return context.DeadlineExceeded
	}
	return errCut
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// cause keeps the kind of a network error and drops its addresses.
func cause(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return errUnknown
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errUntrusted
	}
	return errBroken
}
