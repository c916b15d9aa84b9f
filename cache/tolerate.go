package cache

import (
	"context"
	"time"
)

type toleranceKey struct{}

// Tolerate returns a context whose readers are content with a value that was observed at most age ago: it is served as
// it is, and not renewed, though it may be stale. Entry.StaleSince tells so as ever; Cause does not tell of a renewal that
// failed for others. What a bump has ended it does not
// bring back, a remembered failure and what is gone it does not prolong, and NoCache it does not weaken; nor does it change
// what other readers of the same key get.
func Tolerate(ctx context.Context, age time.Duration) context.Context {
	return context.WithValue(ctx, toleranceKey{}, age)
}

// tolerance is how old a value may be that is not renewed for ctx's reader.
func tolerance(ctx context.Context) time.Duration {
	age, _ := ctx.Value(toleranceKey{}).(time.Duration)
	return age
}

// contents tells whether a reader with that tolerance lets it be.
func (it *item[K, V]) contents(tolerance time.Duration, now time.Time) bool {
	return tolerance > 0 && it.err == nil && now.Sub(it.observed) <= tolerance
}
