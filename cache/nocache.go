package cache

import (
	"context"
	"time"
)

type sinceKey struct{}

// NoCache returns a context whose reads insist on what is asked for from now on: nothing that was kept, and no load
// that began, before this call counts for them. What one such read loads, the next with the same context may use.
// When the load fails, what is kept is still served where Config.ServeStale allows it, and said to be stale.
func NoCache(ctx context.Context) context.Context {
	return context.WithValue(ctx, sinceKey{}, time.Now())
}

// since is when ctx began to insist; zero: it does not.
func since(ctx context.Context) time.Time {
	at, _ := ctx.Value(sinceKey{}).(time.Time)
	return at
}
