package rest

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"

	"regtok/providers"
)

// flightTimeout ends a shared run that nobody waits for any more.
const flightTimeout = 30 * time.Second

// Flight shares one run of a read among all who ask for the same key at the same time, and with the same urgency: a write
// does not hear that a sweep has no allowance left. It is safe for concurrent use and must not be copied.
type Flight[V any] struct {
	// Provider is the driver's name, for errors.
	Provider string

	group singleflight.Group
}

// Do returns what run returns, run by this caller or by another one. The run keeps the first caller's context
// values but not its cancellation, because others wait for it too; it ends after 30 seconds at the latest.
// A caller whose own context ends leaves at once, with Canceled or Unavailable (Timeout) for its op; one whose context
// has ended already starts nothing.
func (f *Flight[V]) Do(ctx context.Context, op, key string, run func(context.Context) (V, error)) (V, error) {
	var none V
	if ctx.Err() != nil {
		return none, f.left(ctx, op)
	}
	key = fmt.Sprintf("%s %d %t", key, providers.PriorityOf(ctx), providers.Covered(ctx))
	done := f.group.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTimeout)
		defer cancel()
		return run(ctx)
	})
	select {
	case <-ctx.Done():
		return none, f.left(ctx, op)
	case result := <-done:
		if result.Err != nil {
			return none, result.Err
		}
		return result.Val.(V), nil
	}
}

// left is the error of a caller whose context has ended.
func (f *Flight[V]) left(ctx context.Context, op string) error {
	e := gone(ctx.Err())
	e.Provider, e.Op = f.Provider, op
	return e
}
