package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"regtok/auth"
	"regtok/expiry"
	"regtok/graph/transport"
)

// TestTheFollowerInTheDocumentsMissesNothing runs what docs/events.md has for graphql-ws, with that package. Its server ends
// and stays away for a while, before the first event and after it, and each time another replica takes its place.
func TestTheFollowerInTheDocumentsMissesNothing(t *testing.T) {
	s := newStage(t, plan{})
	s.tell(t, event(ionosToken, 0)) // long ago
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	end := replica(t, s, listener)
	f := follow(t, address)

	s.waitFor(t, 1) // it follows, and has heard nothing
	end()
	s.tell(t, event(ionosToken, 1))
	f.breaks(t, 2) // its stream, and then a connection
	end = replica(t, s, listenAt(t, address))
	f.hears(t, "name-1")
	s.tell(t, event(ionosToken, 2))
	f.hears(t, "name-2")
	end()
	s.tell(t, event(ionosToken, 3), event(ionosToken, 4))
	f.breaks(t, 2)
	end = replica(t, s, listenAt(t, address))
	defer end()
	f.hears(t, "name-3")
	f.hears(t, "name-4")
	s.tell(t, event(ionosToken, 5))
	f.hears(t, "name-5") // and nothing twice in between
}

// replica is a server over the stage's log, at an address. It ends as a process does that is told to.
func replica(t *testing.T, s *stage, listener net.Listener) (end func()) {
	t.Helper()
	streams := transport.NewStreams(transport.StreamConfig{})
	api := newWorld(t, plan{events: &expiry.Events{Log: s.log, Retention: 35 * day, Current: s.present}, streams: streams}).api
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r.WithContext(auth.NewContext(r.Context(), auth.Local())))
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		streams.Close()
		_ = server.Close() // which does not wait for sockets
		nobodyLeft(t, streams)
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the replica ended with %v", err)
		}
	}
	t.Cleanup(end)
	return end
}

// nobodyLeft waits until nobody is there any more.
func nobodyLeft(t *testing.T, streams *transport.Streams) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	late := time.After(30 * time.Second) // a busy machine's
	for {
		got := streams.Stats()
		if got.Sockets+got.WebSocket+got.SSE == 0 {
			return
		}
		select {
		case <-ticker.C:
		case <-late:
			t.Errorf("after their end there are %+v", got)
			return
		}
	}
}

// listenAt takes an address that another server had.
func listenAt(t *testing.T, address string) net.Listener {
	t.Helper()
	for begin := time.Now(); ; {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return listener
		}
		if time.Since(begin) > 30*time.Second {
			t.Fatal(err)
		}
	}
}

// follower is the example at work.
type follower struct{ lines <-chan line }

// line is what it says: an update, or that its stream broke.
type line struct {
	Update *struct{ Subject struct{ Name string } }
	Broke  string
}

// follow runs the example against a server.
func follow(t *testing.T, address string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := os.Stat("follower/node_modules/graphql-ws"); errors.Is(err, fs.ErrNotExist) {
		npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		npm.Dir = "follower"
		if said, err := npm.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, said)
		}
	}
	example := documented(t, "createClient({")
	if n := strings.Count(example, "127.0.0.1:8080"); n != 1 {
		t.Fatalf("the example has %d addresses, want one", n)
	}
	var stderr bytes.Buffer
	node := exec.CommandContext(ctx, "node", "--import", "./page.mjs", "--input-type=module")
	node.Dir, node.Stdin, node.Stderr = "follower", strings.NewReader(strings.Replace(example, "127.0.0.1:8080", address, 1)), &stderr
	stdout, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	lines, read := make(chan line, 100), make(chan struct{})
	go func() {
		defer close(read)
		defer close(lines)
		for said := json.NewDecoder(stdout); ; {
			var l line
			if said.Decode(&l) != nil {
				return
			}
			lines <- l
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-read
		_ = node.Wait() // killed
		if t.Failed() {
			t.Logf("the example said %s", &stderr)
		}
	})
	return &follower{lines}
}

// next is what the example says next.
func (f *follower) next(t *testing.T, what string) line {
	t.Helper()
	select {
	case l, ok := <-f.lines:
		if !ok {
			t.Fatalf("the example ended, want %s", what)
		}
		return l
	case <-time.After(time.Minute): // on a busy machine
		t.Fatalf("the example says nothing, want %s", what)
	}
	return line{}
}

// breaks wants the next to be so many breaks.
func (f *follower) breaks(t *testing.T, count int) {
	t.Helper()
	for range count {
		if got := f.next(t, "a break"); got.Broke == "" {
			t.Fatalf("the example says %+v, want a break", got.Update)
		}
	}
}

// hears wants the next event to be a token's, whatever breaks before it.
func (f *follower) hears(t *testing.T, name string) {
	t.Helper()
	got := f.next(t, name)
	for got.Broke != "" {
		got = f.next(t, name)
	}
	if got.Update.Subject.Name != name {
		t.Fatalf("the example hears %s, want %s", got.Update.Subject.Name, name)
	}
}
