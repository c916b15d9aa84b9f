package rest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"

	"regtok/providers"
)

// flightTimeout is how long a shared run has whose first caller has no deadline.
const flightTimeout = 30 * time.Second

// Flight shares one run of a read among all who ask for the same key at the same time, and with the same urgency: a write
// does not hear that a sweep has no allowance left. It is safe for concurrent use and must not be copied.
type Flight[V any] struct {
	// Provider is the driver's name, for errors.
	Provider string

	group singleflight.Group
}

// Do returns what run returns, run by this caller or by another one. The run keeps the first caller's context values and
// its deadline, or 30 seconds, but not its cancellation, because others wait for it too. Where it gives up for want of
// time, or of an allowance that would be there too late for the first caller, those who joined it begin anew.
// A caller whose own context ends leaves at once, with Canceled or Unavailable (Timeout) for its op; one whose context
// has ended already starts nothing.
func (f *Flight[V]) Do(ctx context.Context, op, key string, run func(context.Context) (V, error)) (V, error) {
	var none V
	key = fmt.Sprintf("%s %d %t", key, providers.PriorityOf(ctx), providers.Covered(ctx))
	for ctx.Err() == nil {
		mine := false
		done := f.group.DoChan(key, func() (any, error) {
			mine = true
			return carry(ctx, run)
		})
		select {
		case <-ctx.Done():
			return none, f.left(ctx, op)
		case result := <-done:
			short, gaveUp := errors.AsType[shortOfTime](result.Err)
			switch {
			case gaveUp && !mine:
				continue
			case gaveUp:
				return none, short.error
			case result.Err != nil:
				return none, result.Err
			}
			return result.Val.(V), nil
		}
	}
	return none, f.left(ctx, op)
}

// shortOfTime is the error of a run that gave up because its first caller has no more time.
type shortOfTime struct{ error }

// carry runs with the time that the first caller has.
func carry[V any](first context.Context, run func(context.Context) (V, error)) (V, error) {
	until := time.Now().Add(flightTimeout)
	if deadline, ok := first.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(first), until)
	defer cancel()
	v, err := run(ctx)
	// Not whether ctx is over: what run waits for has a timer of its own for the same moment, which may be the first.
	if err != nil && (!time.Now().Before(until) || providers.KindOf(err) == providers.RateLimited) {
		err = shortOfTime{err}
	}
	return v, err
}

// left is the error of a caller whose context has ended.
func (f *Flight[V]) left(ctx context.Context, op string) error {
	e := gone(ctx.Err())
	e.Provider, e.Op = f.Provider, op
	return e
}
