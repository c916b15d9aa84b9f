package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"regtok/server"
)

// logbook is a log that a test reads while the server writes.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// world is a server that runs, with the world around it.
type world struct {
	url    string
	reach  func() (net.Conn, error)
	client *http.Client
	log    *logbook
	stop   func() error // ends the server, and returns what Serve returned
}

func start(t *testing.T, c server.Config) *world {
	t.Helper()
	listener, err := server.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr()
	return startOn(t, c, listener, func() (net.Conn, error) { return net.Dial("tcp", address.String()) })
}

// startOn serves on a listener, which reach reaches.
func startOn(t *testing.T, c server.Config, listener net.Listener, reach func() (net.Conn, error)) *world {
	t.Helper()
	if c.GraphQL == nil {
		c.GraphQL = http.NotFoundHandler()
	}
	book := &logbook{}
	c.Log = server.NewLog(book, "json", slog.LevelDebug)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.New(c).Serve(ctx, listener) }()
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(context.Context, string, string) (net.Conn, error) { return reach() },
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return &world{url: "http://" + listener.Addr().String(), reach: reach, client: client, log: book, stop: stop}
}

type answer struct {
	*http.Response
	text string
}

// do sends a request; "Host" among the headers replaces the address's. A header that stands twice is sent twice.
func (w *world) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	response, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, string(text)}
}

// dial opens a connection, for what no client of net/http would do.
func (w *world) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := w.reach()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func says(content string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, content) })
}
