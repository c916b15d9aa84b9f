package expiry

import (
	"context"
	"time"
)

// Events are what a server tells of its tokens' ends, for those who show it to others.
type Events struct {
	// Log is what was told, and what is told from now on.
	Log Log
	// Retention is how far back the log reaches; 0: to the start of this process at most.
	Retention time.Duration
	// Current returns the present state of tokens that were just read, in their order: of each that is inside a threshold, or past
	// its date, the last step, under the id under which it was told, or would have been had anybody looked then. Others
	// are left out. A step that is told in the same moments may be among them as well. Errors are those of an [Index].
	Current func(ctx context.Context, tokens []Reading) ([]Event, error)
}
