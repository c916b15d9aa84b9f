package budget

import (
	"context"
	"time"
)

// Shared is what replicas share: for each key a value, which only who knows it can replace, and a clock. Errors hold no
// address and nothing that is kept there.
type Shared interface {
	// Swap puts value under the key, where all that is known is still so: the value there, the clock, within
	// [ClockSlack], and the server. Whether or not it did, it tells what there is now.
	Swap(ctx context.Context, key string, known Known, value []byte) (Present, error)
}

// ClockSlack is how far Known.Now may be off.
const ClockSlack = 250 * time.Millisecond

// Known is what a process takes to be so.
type Known struct {
	// Value is what is kept; nil: nothing is.
	Value []byte
	// Server tells one server, and one run of it, from others.
	Server string
	Now    time.Time
}

// Present is what is so.
type Present struct {
	// Swapped tells that the value was put there.
	Swapped bool
	// Value is what is kept instead; nil: nothing, or nothing that could be a value.
	Value  []byte
	Server string
	Now    time.Time
}
