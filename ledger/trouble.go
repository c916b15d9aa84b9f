package ledger

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
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
	late = "it did not answer in time"
	tick = 5 * time.Millisecond
)

// code is the first word of an error that Redis answered with.
var code = regexp.MustCompile(`^[A-Z]{2,20}\b`)

func reason(err error) string {
	if answer, ok := errors.AsType[redis.Error](err); ok {
		switch found := code.FindString(answer.Error()); found {
		case "LATE":
			return late
		case "UNREADABLE":
			return "what is entered there cannot be read"
		case "":
			return "it answered with an error"
		default:
			return "it answered " + found
		}
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "its name leads nowhere"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not trusted"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, redis.ErrPoolTimeout) {
		return late
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it hung up"
	}
	return "it does not speak as it should"
}
