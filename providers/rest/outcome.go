package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"regtok/providers"
)

// Observation is one try of a request, for metrics and traces. It holds no address, query, body or credential.
// Requests that the breaker or the budget kept back are not observed.
type Observation struct {
	Provider, Account, Op, Method string
	// Status is 0 when no answer came.
	Status int
	// Kind is empty when all went well; Reason goes with Unavailable and OutcomeUnknown.
	Kind   providers.Kind
	Reason providers.Reason
	// Duration runs until the answer was read and understood.
	Started  time.Time
	Duration time.Duration
	// Try counts from 1.
	Try int
}

// finish tells breaker, health and observer how the try went, once. err is nil when the whole answer was read.
func (r *try) finish(err error) { r.once.Do(func() { r.end(err) }) }

func (r *try) end(err error) {
	t, now := r.transport, time.Now()
	e := r.outcome(err)
	switch {
	case err != nil && r.inconclusive(e, err, now):
		r.settle(errNoVerdict)
	case err != nil || r.status >= 500:
		r.settle(errFailed)
		t.fell(r.sentence(e))
	case r.status == http.StatusUnauthorized || r.marks.nonsense.Load():
		r.settle(nil)
		t.fell(r.sentence(e))
	case r.status == http.StatusTooManyRequests:
		r.settle(nil)
	default:
		r.settle(nil)
		t.recovered(now)
	}
	t.observe(Observation{
		Provider: t.provider, Account: t.account, Op: r.marks.op, Method: r.method,
		Status: r.status, Kind: e.Kind, Reason: e.Reason,
		Started: r.started, Duration: now.Sub(r.started), Try: r.number,
	})
}

// outcome names the failure as API.Do does; the zero Error when there is none.
func (r *try) outcome(err error) *providers.Error {
	write := writes(r.method)
	switch {
	case err != nil && r.status == 0:
		return r.marks.failure(write, r.callerErr(), err)
	case err != nil:
		return unreadable(write, r.status, r.callerErr(), readError(err))
	case r.marks.nonsense.Load():
		return unreadable(write, r.status, nil, errNonsense)
	case r.status < 400:
		return &providers.Error{}
	}
	e := &providers.Error{Status: r.status}
	e.Kind, e.Reason = statusKind(r.status, write)
	return e
}

// inconclusive: the caller left, or was in too much of a hurry for its time-out to say anything about the provider;
// or another caller did and took the connection along, which net/http's pool tells as context.Canceled although this
// request's context lives.
func (r *try) inconclusive(e *providers.Error, err error, now time.Time) bool {
	hurried := r.callerErr() != nil && now.Sub(r.started) < r.transport.timeout/10
	return e.Kind == providers.Canceled || hurried || errors.Is(err, context.Canceled)
}

// sentence is the failure for people.
func (r *try) sentence(e *providers.Error) string {
	switch {
	case r.status == http.StatusUnauthorized:
		return r.marks.op + ": the credential is refused, status 401"
	case e.Reason == providers.Timeout:
		return r.marks.op + ": no answer in time"
	case e.Err != nil:
		return fmt.Sprintf("%s: %v", r.marks.op, e.Err)
	}
	return fmt.Sprintf("%s: status %d", r.marks.op, r.status)
}
