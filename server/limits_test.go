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

func TestSlowCallersAreDropped(t *testing.T) {
	const short = 20 * time.Millisecond
	t.Run("when their headers do not come", func(t *testing.T) {
		w := start(t, server.Config{Limits: server.Limits{Header: short}})
		conn := w.dial(t)
		fmt.Fprint(conn, "GET /livez HTTP/1.1\r\nHost: localhost\r\n")
		if rest, err := io.ReadAll(conn); err != nil {
			t.Errorf("the connection ended with %q, %v", rest, err)
		}
	})
	t.Run("when their body does not come", func(t *testing.T) {
		read := make(chan error, 1)
		w := start(t, server.Config{Limits: server.Limits{Read: 10 * short}, GraphQL: http.HandlerFunc(
			func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				read <- err
			})})
		conn := w.dial(t)
		fmt.Fprint(conn, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
		if _, err := io.ReadAll(conn); err != nil {
			t.Error(err)
		}
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the handler read half a body with %v, want %v", err, os.ErrDeadlineExceeded)
		}
	})
	t.Run("when they stay without a word", func(t *testing.T) {
		w := start(t, server.Config{Limits: server.Limits{Idle: short}})
		conn := w.dial(t)
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
		if _, err := io.ReadAll(reader); err != nil {
			t.Error(err)
		}
	})
}
