package rest

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"regtok/providers"
)

// How a request went, for the breaker; nil: well.
var (
	errFailed    = errors.New("failed")
	errNoVerdict = errors.New("no verdict")
)

// breaker stops calling a provider that fails, and then tries it with one call.
type breaker struct {
	steps *gobreaker.TwoStepCircuitBreaker[struct{}]
	delay time.Duration
	// opened is when it opened last, in Unix nanoseconds.
	opened atomic.Int64
}

func newBreaker(failures int, delay time.Duration, log *slog.Logger) *breaker {
	b := &breaker{delay: delay}
	b.steps = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		// gobreaker waits longer than its Timeout, not as long.
		Timeout:     delay - 1,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= uint32(failures) },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNoVerdict) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			switch to {
			case gobreaker.StateOpen:
				b.opened.Store(time.Now().UnixNano())
				log.Warn("circuit opened", "for", delay)
			case gobreaker.StateClosed:
				log.Warn("circuit closed")
			}
		},
	})
	return b
}

// check refuses while the breaker is open, or tries with one call, and takes nothing.
func (b *breaker) check() *providers.Error {
	counts := b.steps.Counts()
	switch b.steps.State() {
	case gobreaker.StateOpen:
		return b.refusal()
	case gobreaker.StateHalfOpen:
		if counts.Requests > counts.TotalExclusions {
			return b.refusal()
		}
	}
	return nil
}

// allow admits a request; settle must be called once with how it went.
func (b *breaker) allow() (settle func(error), refused *providers.Error) {
	settle, err := b.steps.Allow()
	if err != nil {
		return nil, b.refusal()
	}
	return settle, nil
}

func (b *breaker) refusal() *providers.Error {
	left := time.Until(time.Unix(0, b.opened.Load()).Add(b.delay))
	return &providers.Error{Kind: providers.Unavailable, Reason: providers.CircuitOpen, RetryAfter: max(0, left)}
}
