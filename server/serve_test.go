package server_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"regtok/server"
)

func TestListen(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := server.Listen(address, false)
		if err != nil {
			t.Errorf("Listen(%q): %v", address, err)
			continue
		}
		_ = l.Close()
	}
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0", "192.168.0.1:0", "regtok.example:"} {
		l, err := server.Listen(address, false)
		if err == nil {
			_ = l.Close()
		}
		if !errors.Is(err, server.ErrOpen) || !strings.Contains(err.Error(), address) {
			t.Errorf("Listen(%q): %v, want %v", address, err, server.ErrOpen)
		}
	}
	for address, want := range map[string]string{"127.0.0.1": "127.0.0.1:8080", "8080": "127.0.0.1:8080", "": "127.0.0.1:8080", "127.0.0.1:x": "127.0.0.1:x"} {
		l, err := server.Listen(address, false)
		if err == nil {
			_ = l.Close()
			t.Errorf("Listen(%q) = %s, want an error", address, l.Addr())
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Listen(%q): %v, want it to mention %q", address, err, want)
		}
	}
}

func TestWithCallersEveryAddressWillDo(t *testing.T) {
	for _, address := range []string{":0", "0.0.0.0:0", "127.0.0.1:0"} {
		l, err := server.Listen(address, true)
		if err != nil {
			t.Errorf("Listen(%q): %v", address, err)
			continue
		}
		_ = l.Close()
	}
	if l, err := server.Listen("8080", true); err == nil {
		_ = l.Close()
		t.Error("Listen(8080) took it for an address")
	}
}

func TestATakenAddressIsAnError(t *testing.T) {
	l, err := server.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if _, err := server.Listen(l.Addr().String(), false); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("Listen on a taken address: %v, want an error that names it", err)
	}
}

func TestTheEndOfAServer(t *testing.T) {
	t.Run("finishes what is under way, and says why nothing else is taken", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		entered, finish := make(chan struct{}), make(chan struct{})
		w := start(t, server.Config{GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			close(entered)
			<-finish
			if err := r.Context().Err(); err != nil {
				t.Errorf("the operation was cancelled: %v", err)
			}
			_, _ = rw.Write([]byte("the answer"))
		})})
		answered := make(chan answer, 1)
		go func() { answered <- w.do(t, http.MethodPost, "/graphql", "{}") }()
		<-entered
		ended := make(chan error, 1)
		go func() { ended <- w.stop() }()

		ready := w.do(t, http.MethodGet, "/readyz", "")
		for ready.StatusCode == http.StatusOK { // until the server has noticed
			ready = w.do(t, http.MethodGet, "/readyz", "")
		}
		if ready.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("/readyz answered %d, want 503", ready.StatusCode)
		}
		if got := w.do(t, http.MethodGet, "/livez", ""); got.StatusCode != http.StatusOK {
			t.Errorf("/livez answered %d, want 200", got.StatusCode)
		}
		other := w.do(t, http.MethodPost, "/graphql", "{}")
		if other.StatusCode != http.StatusServiceUnavailable || !strings.Contains(other.text, `"UNAVAILABLE"`) {
			t.Errorf("another operation was answered %d %s, want 503 UNAVAILABLE", other.StatusCode, other.text)
		}
		close(finish)
		if got := <-answered; got.StatusCode != http.StatusOK || got.text != "the answer" {
			t.Errorf("the operation under way was answered %d %q", got.StatusCode, got.text)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	t.Run("cuts off what takes too long", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		entered := make(chan struct{})
		w := start(t, server.Config{
			GraphQL: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(entered)
				<-r.Context().Done()
			}),
			Limits: server.Limits{Drain: 10 * time.Millisecond},
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if response, err := w.client.Post(w.url+"/graphql", "application/json", strings.NewReader("{}")); err == nil {
				_ = response.Body.Close()
			}
		}()
		<-entered
		if err := w.stop(); err == nil || !strings.Contains(err.Error(), "10ms") {
			t.Errorf("Serve = %v, want an error that names the time", err)
		}
		<-done
	})
	t.Run("ends what would not end by itself", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		entered, over := make(chan struct{}), make(chan struct{})
		w := start(t, server.Config{
			GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				close(entered)
				select {
				case <-over:
					_, _ = rw.Write([]byte("farewell"))
				case <-r.Context().Done():
				}
			}),
			Ending: func() { close(over) },
			Limits: server.Limits{Drain: time.Hour},
		})
		answered := make(chan answer, 1)
		go func() { answered <- w.do(t, http.MethodPost, "/graphql", "{}") }()
		<-entered
		if err := w.stop(); err != nil {
			t.Errorf("Serve = %v", err)
		}
		if got := <-answered; got.text != "farewell" {
			t.Errorf("it was answered %d %q, want its farewell", got.StatusCode, got.text)
		}
	})
	t.Run("does not wait for connections that nobody uses", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := startOnPipes(t, server.Config{})
			w.dial(t)
			w.do(t, http.MethodGet, "/livez", "")
			begin := time.Now()
			if err := w.stop(); err != nil {
				t.Errorf("Serve = %v", err)
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	})
}

func TestABrokenListenerEndsTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := server.New(server.Config{GraphQL: says("")}).Serve(context.Background(), l); err == nil {
		t.Error("Serve on a closed listener = nil, want an error")
	}
}
