// Package rediserr tells what went wrong with Redis in words that may stand in logs and in answers: they hold no address, no
// key and nothing else of what was sent. It also keeps a log's account of whether Redis works.
package rediserr

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// Late is the Reason of what did not come in time.
const Late = "it did not answer in time"

const (
	hungUp  = "it hung up"
	strange = "it does not speak as it should"
)

// Error is what went wrong with Redis. It keeps nothing of the error that it was made of.
type Error struct {
	cause  cause
	reason string
}

// New makes one of what a client of Redis said.
func New(err error) *Error {
	return &Error{cause: causeOf(err), reason: Reason(err)}
}

// Error is a sentence about Redis.
func (e *Error) Error() string { return "Redis: " + e.reason }

// refusedInScript begins what Redis 7 answers when its user may run scripts, and lacks the right to something in one.
const refusedInScript = "ERR The user executing the script can't run"

// code is the first word of an error that Redis answered with.
var code = regexp.MustCompile(`^[A-Z]{2,20}\b`)

// Code is the first word of an error that Redis answered with, which tells its kind, for example `NOPERM`; empty: it has
// none, or err is another error.
func Code(err error) string {
	answer, ok := errors.AsType[redis.Error](err)
	switch {
	case !ok:
		return ""
	case strings.HasPrefix(answer.Error(), refusedInScript):
		return "NOPERM"
	}
	return code.FindString(answer.Error())
}

// Reason says of what a client of Redis said why it failed. It is the end of a sentence about Redis.
func Reason(err error) string {
	switch causeOf(err) {
	case noDatabase:
		return "it has no such database"
	case noSentinel:
		return "it is no sentinel"
	case noMaster:
		return "its sentinels know no such master"
	case noCluster:
		return "it is no cluster"
	case unknownCommand:
		return "it does not know a command"
	case incomplete:
		return "its cluster is not complete"
	}
	if code := Code(err); code != "" {
		return "it answered " + code
	}
	if _, ok := errors.AsType[redis.Error](err); ok {
		return "it answered with an error"
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
	late, ok := errors.AsType[net.Error](err)
	if ok && late.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout) {
		return Late
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return hungUp
	}
	return strange
}
