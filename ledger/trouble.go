package ledger

import (
	"context"
	"errors"
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
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < tick && isLate(err) {
		<-ctx.Done() // the caller's time is over, which Redis counts in whole milliseconds and told first
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, told(err))
}

const tick = 5 * time.Millisecond

func isLate(err error) bool {
	return rediserr.Code(err) == "LATE" || rediserr.Reason(err) == rediserr.Late
}

// told is what Redis says, or the scripts of this package.
func told(err error) error {
	switch rediserr.Code(err) {
	case "LATE":
		return rediserr.New(context.DeadlineExceeded)
	case "UNREADABLE":
		return errors.New("what is entered there cannot be read")
	}
	return rediserr.New(err)
}
