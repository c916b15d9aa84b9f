package transport_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"regtok/graph/transport"
)

// TestAStreamOverHTTP2OutlivesWhatOneEventMayTake: there a limit that is left standing ends the stream, although nothing is
// being written.
func TestAStreamOverHTTP2OutlivesWhatOneEventMayTake(t *testing.T) {
	handler, streams := streaming(t, transport.StreamConfig{Write: time.Second, Ping: 2 * time.Second})
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(streams.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"?query="+url.QueryEscape("subscription { count(to: 1, stay: true) }"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.ProtoMajor != 2 {
		t.Fatalf("it is answered by %s", response.Proto)
	}
	pings := 0
	for lines := bufio.NewScanner(response.Body); pings < 2; {
		if !lines.Scan() {
			t.Fatalf("the stream ended after %d signs of life: %v", pings, lines.Err())
		}
		if lines.Text() == ": ping" {
			pings++
		}
	}
}
