package eventlog

import (
	"context"
	"errors"
	"fmt"

	"regtok/rediserr"
)

// Trouble makes an error of this package of what a client of Redis said: the caller's context's, when that ended, else
// ErrUnavailable with a reason that holds no address, no key and nothing else of what was sent.
func Trouble(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, rediserr.New(err))
}
