package graph

import (
	"context"
	"fmt"
	"sync"
)

// mostStories bounds the lines that one response makes in the log.
const mostStories = 20

// stories are the failures of one response that the log has heard of: a list may have thousands of one kind, and a line for each
// would be all that the log holds. Safe for concurrent use.
type stories struct {
	mu   sync.Mutex
	told map[string]bool
}

type storiesKey struct{}

// withStories returns the context of a response.
func withStories(ctx context.Context) context.Context {
	return context.WithValue(ctx, storiesKey{}, &stories{told: map[string]bool{}})
}

// worthTelling tells whether the log is to hear of a failure that these parts tell from others.
func worthTelling(ctx context.Context, parts ...any) bool {
	s, _ := ctx.Value(storiesKey{}).(*stories)
	if s == nil {
		return true
	}
	story := fmt.Sprintf("%q", parts)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[story] || len(s.told) >= mostStories {
		return false
	}
	s.told[story] = true
	return true
}
