package cache

import (
	"cmp"
	"context"
	"errors"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// redisCode is the first word of an error that Redis answered with.
var redisCode = regexp.MustCompile(`^[A-Z]{2,20}\b`)

// refusedInScript begins what Redis 7 answers when its user may run scripts, and lacks the right to something in one.
const refusedInScript = "ERR The user executing the script can't run"

// trouble makes an error for the log of what a client of Redis said: in words that hold no address, no key and nothing
// else of what was sent.
func trouble(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if answer, ok := errors.AsType[redis.Error](err); ok {
		if strings.HasPrefix(answer.Error(), refusedInScript) {
			return errors.New("Redis answered NOPERM in a script")
		}
		return errors.New("Redis answered " + cmp.Or(redisCode.FindString(answer.Error()), "with an error"))
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return errors.New("Redis: " + number.Error())
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New("the name of Redis leads nowhere")
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() || errors.Is(err, redis.ErrPoolTimeout) {
		return errors.New("Redis did not answer in time")
	}
	return errors.New("the connection to Redis was lost, or is not one to a Redis")
}
