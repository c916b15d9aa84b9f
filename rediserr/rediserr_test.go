package rediserr_test

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

	"regtok/rediserr"
)

func TestReasonsHoldNoAddress(t *testing.T) {
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
		{answered("ERR DB index is out of range 192.0.2.1"), "it has no such database"},
		{fmt.Errorf("redis: all sentinels specified in configuration are unreachable: %w", answered("ERR unknown command 'sentinel', with args beginning with: '192.0.2.1'")), "it is no sentinel"},
		{fmt.Errorf("redis: all sentinels specified in configuration are unreachable: %w", redis.Nil), "its sentinels know no such master"},
		{answered("ERR This instance has cluster support disabled"), "it is no cluster"},
		{answered("ERR unknown command `get`, 192.0.2.1"), "it does not know a command"},
		{answered("ERR wrong number of arguments for '192.0.2.1'"), "it answered ERR"},
		{answered("WRONGTYPE Operation against a key. script: 192.0.2.1"), "it answered WRONGTYPE"},
		{answered("CLUSTERDOWN Hash slot not served"), "its cluster is not complete"},
		{answered("192.0.2.1 is busy"), "it answered with an error"},
		{answered("ERR The user executing the script can't run this command or subcommand script: 192.0.2.1"), "it answered NOPERM"},
		{errors.New("redis: cluster has no nodes"), "its cluster is not complete"},
		{errors.New("192.0.2.1 spoke HTTP"), "it does not speak as it should"},
	}
	for _, test := range tests {
		got := rediserr.Reason(test.err)
		if got != test.want {
			t.Errorf("%v is told as %q, want %q", test.err, got, test.want)
		}
		if strings.Contains(got, "192.0.2") {
			t.Errorf("%q holds the address", got)
		}
		if code, ok := strings.CutPrefix(got, "it answered "); ok && code != "with an error" && rediserr.Code(test.err) != code {
			t.Errorf("the code of %v is %q, want %q", test.err, rediserr.Code(test.err), code)
		}
	}
}

// answered is an error that Redis answered with.
type answered string

func (a answered) Error() string { return string(a) }

func (answered) RedisError() {}
