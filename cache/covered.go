package cache

import (
	"context"
	"time"
)

type coveredKey struct{}

// Covered tells, inside Config.Load, that what is kept may be served should this load fail in a way that
// Config.ServeStale allows: its readers have been answered already, or will be. Such a load need not wait long for
// anything. It is false where a reader insists (see NoCache): who does would rather wait than get what is old.
func Covered(ctx context.Context) bool {
	covered, _ := ctx.Value(coveredKey{}).(bool)
	return covered
}

// covered tells whether f's readers have something to fall back on.
func (v *View[K, V]) covered(f *flight[K, V]) bool {
	if !v.coverable || v.insisted(f) {
		return false
	}
	it := v.held(f.key, time.Now())
	return f.renews || it != nil && it.err == nil
}
