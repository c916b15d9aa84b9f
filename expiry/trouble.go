package expiry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// trouble makes an error of this package of what a client of Redis said: the caller's context's, when that ended, else
// ErrUnavailable with a reason that holds no address, no key and nothing else of what was sent.
func trouble(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, reason(err))
}

// refusal is the first word of an error that Redis answered with.
var refusal = regexp.MustCompile(`^[A-Z]{2,20}\b`)

func reason(err error) string {
	if answer, ok := errors.AsType[redis.Error](err); ok {
		if word := refusal.FindString(answer.Error()); word != "" {
			return "Redis answered " + word
		}
		return "Redis answered with an error"
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	late, ok := errors.AsType[net.Error](err)
	if ok && late.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout) {
		return "Redis did not answer in time"
	}
	return "the connection to Redis failed"
}
