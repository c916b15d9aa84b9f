package ledger

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestTroubleIsToldInWordsThatHoldNoAddress(t *testing.T) {
	where := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 6379}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Addr: where, Err: err} }
	tests := []struct {
		err  error
		want string
	}{
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "connection refused"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), "no route to host"},
		{&net.OpError{Op: "dial", Net: "unix", Addr: &net.UnixAddr{Name: "/run/192.0.2.1"}, Err: os.NewSyscallError("connect", syscall.ENOENT)}, "no such file or directory"},
		{dial(&net.DNSError{Err: "no such host", Name: "192.0.2.1", IsNotFound: true}), "its name leads nowhere"},
		{dial(&net.DNSError{Err: "i/o timeout", Name: "192.0.2.1", IsTimeout: true}), "its name leads nowhere"},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Host: "192.0.2.1", Certificate: &x509.Certificate{}}}, "its certificate is not trusted"},
		{dial(os.ErrDeadlineExceeded), "it did not answer in time"},
		{context.DeadlineExceeded, "it did not answer in time"},
		{fmt.Errorf("get a connection to 192.0.2.1: %w", redis.ErrPoolTimeout), "it did not answer in time"},
		{fmt.Errorf("192.0.2.1: %w", io.EOF), "it hung up"},
		{io.ErrUnexpectedEOF, "it hung up"},
		{answered("MOVED 3999 192.0.2.1:6381"), "it answered MOVED"},
		{answered("ERR wrong number of arguments for '192.0.2.1'"), "it answered ERR"},
		{answered("WRONGTYPE Operation against a key. script: 192.0.2.1"), "it answered WRONGTYPE"},
		{answered("192.0.2.1 is busy"), "it answered with an error"},
		{answered("LATE it arrived too late"), "it did not answer in time"},
		{answered("UNREADABLE it holds what another wrote"), "what is entered there cannot be read"},
		{errors.New("192.0.2.1 spoke HTTP"), "it does not speak as it should"},
	}
	for _, test := range tests {
		got := trouble(t.Context(), test.err)
		if want := ErrUnavailable.Error() + ": " + test.want; !errors.Is(got, ErrUnavailable) || got.Error() != want {
			t.Errorf("%v is told as %q, want %q", test.err, got, want)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v", got, errors.Unwrap(got)), "192.0.2") {
			t.Errorf("%v holds the address", got)
		}
	}
	if got := trouble(t.Context(), nil); got != nil {
		t.Errorf("no trouble is told as %v", got)
	}
}

// answered is an error that Redis answered with.
type answered string

func (a answered) Error() string { return string(a) }

func (answered) RedisError() {}

func TestWhatTheCallerEndsIsNoTroubleOfTheLedger(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := trouble(ctx, io.EOF); got != context.Canceled { //nolint:errorlint // it is the context's own
		t.Errorf("got %v, want %v", got, context.Canceled)
	}
}
