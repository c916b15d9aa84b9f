package ledger

import (
	"context"
	"fmt"
	"time"

	"regtok/rediserr"
)

var (
	errUnreadable  = fmt.Errorf("%w: what is entered there cannot be read", ErrUnavailable)
	errUnencodable = fmt.Errorf("%w: what is to be entered cannot be written down", ErrUnavailable)
)

// trouble makes an error of a ledger of what a client of Redis said. It says why in words that hold no address, no key
// and nothing else of what was sent: the caller's context, when that ended, else ErrUnavailable.
func trouble(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < tick && reason(err) == late {
		<-ctx.Done() // the caller's time is over, which Redis counts in whole milliseconds and told first
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, reason(err))
}

const (
	late = rediserr.Late
	tick = 5 * time.Millisecond
)

// reason is what the end of a sentence about Redis says, and what the scripts of this package say.
func reason(err error) string {
	switch rediserr.Code(err) {
	case "LATE":
		return late
	case "UNREADABLE":
		return "what is entered there cannot be read"
	}
	return rediserr.Reason(err)
}
