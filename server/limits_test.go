package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/server"
)

func TestABodyMayBeAMegabyte(t *testing.T) {
	w := start(t, server.Config{GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		_, tooLarge := errors.AsType[*http.MaxBytesError](err)
		fmt.Fprintf(rw, "%d bytes, too large: %t", n, tooLarge)
	})})
	for size, want := range map[int]string{1 << 20: "1048576 bytes, too large: false", 1<<20 + 1: "1048576 bytes, too large: true"} {
		if got := w.do(t, http.MethodPost, "/graphql", strings.Repeat("a", size)); got.text != want {
			t.Errorf("of %d bytes it read %q, want %q", size, got.text, want)
		}
	}
}

func TestHeadersMayBe64KiB(t *testing.T) {
	w := start(t, server.Config{})
	if got := w.do(t, http.MethodGet, "/livez", "", "X-Long", strings.Repeat("a", 60<<10)); got.StatusCode != http.StatusOK {
		t.Errorf("60 KiB were answered %d, want 200", got.StatusCode)
	}
	if got := w.do(t, http.MethodGet, "/livez", "", "X-Long", strings.Repeat("a", 80<<10)); got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("80 KiB were answered %d, want 431", got.StatusCode)
	}
}

// TestSlowCallersAreDropped measures in a bubble, to the moment.
func TestSlowCallersAreDropped(t *testing.T) {
	bubble := func(name string, run func(*testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, run) })
	}
	limits := server.Limits{Header: time.Second, Read: 10 * time.Second, Idle: time.Minute}
	bubble("when their headers do not come", func(t *testing.T) {
		conn := startOnPipes(t, server.Config{Limits: limits}).dial(t)
		begin := time.Now()
		fmt.Fprint(conn, "GET /livez HTTP/1.1\r\nHost: localhost\r\n")
		wantDropped(t, conn, begin, limits.Header)
	})
	bubble("when their body does not come", func(t *testing.T) {
		read := make(chan error, 1)
		conn := startOnPipes(t, server.Config{Limits: limits, GraphQL: http.HandlerFunc(
			func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				read <- err
			})}).dial(t)
		begin := time.Now()
		fmt.Fprint(conn, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
		wantDropped(t, conn, begin, limits.Read)
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the handler read half a body with %v, want %v", err, os.ErrDeadlineExceeded)
		}
	})
	bubble("when they stay without a word", func(t *testing.T) {
		conn := startOnPipes(t, server.Config{Limits: limits}).dial(t)
		fmt.Fprint(conn, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
		reader := bufio.NewReader(conn)
		response, err := http.ReadResponse(reader, nil)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("answered %v, %v", response, err)
		}
		defer func() { _ = response.Body.Close() }()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		wantDropped(t, reader, time.Now(), limits.Idle)
	})
}

// wantDropped reads what a connection still brings, and wants it to end so long after begin.
func wantDropped(t *testing.T, conn io.Reader, begin time.Time, want time.Duration) {
	t.Helper()
	if rest, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection ended with %q, %v", rest, err)
	}
	if got := time.Since(begin); got != want {
		t.Errorf("the connection ended after %v, want %v", got, want)
	}
}
