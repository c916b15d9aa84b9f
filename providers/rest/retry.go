package rest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
)

// again decides whether the request is sent once more, and after which pause.
func (t *Transport) again(req *http.Request, m *marks, number int, got result) (time.Duration, bool) {
	if number >= t.tries || !rewindable(req) || req.Context().Err() != nil {
		return 0, false
	}
	if got.resp != nil && got.resp.StatusCode == http.StatusTooManyRequests {
		return t.afterRefusal(req.Context(), m, number)
	}
	if !m.idempotent || !worthRepeating(got) {
		return 0, false
	}
	wait := pause(number)
	if got.resp != nil {
		wait = max(wait, retryAfter(got.resp.Header, time.Now()))
	}
	if !t.fits(req.Context(), wait) || !t.repeats.Allow() {
		return 0, false
	}
	if !m.unsent(0) {
		m.lost = true
	}
	t.log.Warn("provider asked again", "op", m.op, "try", number, "status", status(got), "wait", wait)
	return wait, true
}

// afterRefusal is again for a 429: it was not executed, so any method may be repeated. A wait that the provider told
// is kept by the budget, for this request and all others.
func (t *Transport) afterRefusal(ctx context.Context, m *marks, number int) (time.Duration, bool) {
	if m.wait > 0 {
		return 0, true
	}
	wait := pause(number)
	return wait, t.fits(ctx, wait)
}

// rewindable tells whether the request's body can be sent a second time.
func rewindable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// worthRepeating: the next try may bring something better.
func worthRepeating(got result) bool {
	if got.err != nil {
		return true
	}
	switch got.resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func status(got result) int {
	if got.resp == nil {
		return 0
	}
	return got.resp.StatusCode
}

// pause is the time after try number: it doubles, and its second half is chance, so that callers who failed together
// do not come back together.
func pause(number int) time.Duration {
	whole := min(firstPause<<(number-1), maxPause)
	return whole/2 + rand.N(whole/2)
}

// fits tells whether a caller can wait that long: within its deadline, or as long as one try may take without one.
func (t *Transport) fits(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok {
		return wait < time.Until(deadline)
	}
	return wait <= t.timeout
}

// sleep waits, or returns the context's error when that ends first.
func sleep(ctx context.Context, wait time.Duration) error { return sleepUntil(ctx, wait, nil) }

// sleepUntil is a sleep that woken, when it is closed, ends earlier.
func sleepUntil(ctx context.Context, wait time.Duration, woken <-chan struct{}) error {
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-woken:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retryAfter reads the Retry-After header (RFC 9110, 10.2.3), seconds or a date; 0: it tells nothing.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
