package server_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"regtok/server"
)

// patience is how long something may take on a busy machine.
const patience = time.Minute

// preface begins a connection of HTTP/2, with no settings.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// TestCallersWhoStopAreDropped over real sockets, with TLS and HTTP/2.
func TestCallersWhoStopAreDropped(t *testing.T) {
	const short = 300 * time.Millisecond
	// Each limit alone: another would cover for one that does not hold.
	header := server.Limits{Header: short, Read: time.Hour, Write: time.Hour, Idle: time.Hour}
	body := server.Limits{Header: time.Hour, Read: short, Write: time.Hour, Idle: time.Hour}
	tests := []struct {
		name    string
		limits  server.Limits
		version string // "": no TLS yet
		says    string
		answers bool
	}{
		{"without a word", header, "", "", false},
		{"after the handshake", header, "http/1.1", "", false},
		{"in the middle of a header", header, "http/1.1", "GET /livez HTTP/1.1\r\nHost: localhost\r\n", false},
		{"in the middle of a body", body, "http/1.1", "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{", false},
		{"after an answer", server.Limits{Idle: short}, "http/1.1", "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", true},
		{"after the preface of HTTP/2", body, "h2", preface, false},
		// HEADERS of stream 1 that do not end: CONTINUATION has to follow.
		{"in the middle of a header of HTTP/2", body, "h2", preface + "\x00\x00\x01\x01\x01\x00\x00\x00\x01\x82", false},
		{"without a request over HTTP/2", server.Limits{Idle: short}, "h2", preface, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, _, transport := overTLS(t, server.Config{Limits: test.limits, GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				rw.WriteHeader(http.StatusRequestTimeout)
			})})
			conn := w.dial(t)
			_ = conn.SetDeadline(time.Now().Add(patience))
			if test.version != "" {
				config := transport.TLSClientConfig.Clone()
				config.NextProtos, config.ServerName = []string{test.version}, "127.0.0.1"
				conn = tls.Client(conn, config)
			}
			fmt.Fprint(conn, test.says)
			answer, err := io.ReadAll(conn)
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				t.Errorf("after %s the connection is still there", patience)
			}
			if answered := strings.HasPrefix(string(answer), "HTTP/1.1 200"); answered != test.answers {
				t.Errorf("it ended with %q", answer)
			}
		})
	}
}

// TestWhoDoesNotReadIsDropped while the answer is written, over each version of HTTP.
func TestWhoDoesNotReadIsDropped(t *testing.T) {
	for _, modern := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2: %t", modern), func(t *testing.T) {
			ended := make(chan error, 1)
			w, _, transport := overTLS(t, server.Config{
				Limits: server.Limits{Write: 300 * time.Millisecond, Answer: time.Hour},
				GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
					_, err := rw.Write(make([]byte, 64<<20))
					ended <- err
				}),
			})
			if !modern {
				transport.Protocols = new(http.Protocols)
				transport.Protocols.SetHTTP1(true)
				transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
			}
			response, err := w.client.Post(w.url+"/graphql", "application/json", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if (response.ProtoMajor == 2) != modern {
				t.Errorf("answered by %s", response.Proto)
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Error("the answer was written to somebody who does not read")
				}
			case <-time.After(patience):
				t.Fatalf("after %s the answer is still being written", patience)
			}
		})
	}
}

func TestABodyThatDoesNotComeOverHTTP2IsNotWaitedFor(t *testing.T) {
	read := make(chan error, 1)
	w, _, _ := overTLS(t, server.Config{Limits: server.Limits{Read: 300 * time.Millisecond}, GraphQL: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})})
	body, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	go func() {
		if response, err := w.client.Post(w.url+"/graphql", "application/json", body); err == nil {
			_ = response.Body.Close()
		}
	}()
	select {
	case err := <-read:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("it was read with %v, want %v", err, os.ErrDeadlineExceeded)
		}
	case <-time.After(patience):
		t.Fatalf("after %s it is still waited for", patience)
	}
}
