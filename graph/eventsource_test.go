package graph_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/expiry"
	"regtok/graph/transport"
	"regtok/web/webtest"
)

// TestABrowserFollowsByItself runs what docs/events.md has for browsers in one. Its connection breaks, the process ends and
// another takes its place, and a proxy refuses it: it hears each event once, in order, without the page's doing more than that.
func TestABrowserFollowsByItself(t *testing.T) {
	s := newStage(t, plan{})
	s.current = []expiry.Event{event(ionosToken, 7), event(ionosToken, 8)}
	s.tell(t, event(ionosToken, 0))
	site := newSite(t, s.world)
	page := webtest.Open(t, site.URL)
	page.Run("var told = []; console.log = (id, answer) => told.push([id, answer])")
	page.Run(documented(t, "new EventSource("))

	hears := func(names ...string) {
		t.Helper()
		told := webtest.Await[[][2]any](page, fmt.Sprintf("told.length >= %d && told.map(([id, answer]) => [id, answer.data.tokenExpiry.subject?.name])", len(names)))
		var got []string
		for _, event := range told {
			got = append(got, fmt.Sprint(event[1]))
		}
		if diff := cmp.Diff(got, names); diff != "" {
			t.Fatalf("the page hears (-got +want):\n%s", diff)
		}
		if got, want := told[len(told)-1][0], s.cursors(t)[len(s.cursors(t))-1]; got != want {
			t.Errorf("the last event's id is %v, want the cursor %s", got, want)
		}
	}
	site.hears(t, "")
	hears("name-7", "name-8")
	s.tell(t, event(ionosToken, 1))
	hears("name-7", "name-8", "name-1")

	site.CloseClientConnections()
	s.tell(t, event(ionosToken, 2), event(ionosToken, 3))
	site.hears(t, s.cursors(t)[1])
	hears("name-7", "name-8", "name-1", "name-2", "name-3")

	streams := transport.NewStreams(transport.StreamConfig{})
	t.Cleanup(streams.Close)
	site.serve(newWorld(t, plan{events: &expiry.Events{Log: s.log, Current: s.present}, streams: streams}).api)
	s.streams.Close()
	nobodyLeft(t, s.streams) // or it may tell the next event itself, before it ends
	s.tell(t, event(ionosToken, 4))
	site.hears(t, s.cursors(t)[3])
	hears("name-7", "name-8", "name-1", "name-2", "name-3", "name-4")

	again := site.api
	site.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		site.serve(again)
		w.WriteHeader(http.StatusBadGateway)
	}))
	site.CloseClientConnections()
	s.tell(t, event(ionosToken, 5))
	site.hears(t, s.cursors(t)[4]) // which is refused
	site.hears(t, "")              // the page's own, with the cursor in its variables
	hears("name-7", "name-8", "name-1", "name-2", "name-3", "name-4", "name-5")
}

// site is a page with nothing on it, and the API beside it.
type site struct {
	*httptest.Server
	asked chan string // the Last-Event-ID of each who comes to the API

	mu  sync.Mutex
	api http.Handler
}

func newSite(t *testing.T, w *world) *site {
	t.Helper()
	s := &site{asked: make(chan string, 100), api: w.api}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>a page</title>")
	})
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) {
		s.asked <- r.Header.Get("Last-Event-ID")
		s.mu.Lock()
		api := s.api
		s.mu.Unlock()
		api.ServeHTTP(w, r.WithContext(auth.NewContext(r.Context(), auth.Local())))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

// serve puts another API in the place of the one before, for whoever comes from now on.
func (s *site) serve(api http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.api = api
}

// hears wants the next who comes to have heard this last.
func (s *site) hears(t *testing.T, lastEventID string) {
	t.Helper()
	select {
	case got := <-s.asked:
		if got != lastEventID {
			t.Errorf("the browser comes with Last-Event-ID %q, want %q", got, lastEventID)
		}
	case <-time.After(time.Minute): // on a busy machine; it takes its three seconds
		t.Fatalf("the browser does not come, want it to with Last-Event-ID %q", lastEventID)
	}
}

// documented is the example in docs/events.md that has a text.
func documented(t *testing.T, text string) string {
	t.Helper()
	page, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(page), "```js\n") {
		if code, _, found := strings.Cut(block, "\n```"); found && strings.Contains(code, text) {
			return code
		}
	}
	t.Fatalf("docs/events.md has no example with %s", text)
	return ""
}
