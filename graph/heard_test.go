package graph_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// heard is a stream of server-sent events.
type heard struct {
	t      *testing.T
	reader *bufio.Reader
	stop   context.CancelFunc
}

func (s *stage) follow(t *testing.T, subscription string, variables object, lastEventID string) *heard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // a busy machine's
	t.Cleanup(cancel)
	given, err := json.Marshal(variables)
	if err != nil {
		t.Fatal(err)
	}
	address := s.url + "?" + url.Values{"query": {subscription}, "variables": {string(given)}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &heard{t, bufio.NewReader(response.Body), cancel}
}

// next is the data of the next event, and its id.
func (h *heard) next() (data, id string) {
	h.t.Helper()
	data, id, err := h.read()
	if err != nil {
		h.t.Fatalf("the stream ends: %v", err)
	}
	return data, id
}

// read is next, of a stream that may have come to its end. Comments are passed over.
func (h *heard) read() (data, id string, err error) {
	for {
		line, err := h.reader.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" && data != "" {
			return data, id, nil
		}
		if rest, ok := strings.CutPrefix(line, "data: "); ok {
			data, _, _ = strings.Cut(rest, `,"extensions":{"cost"`)
		}
		if rest, ok := strings.CutPrefix(line, "id: "); ok {
			id = rest
		}
	}
}

// rest is what comes until the stream ends, as it is written.
func (h *heard) rest() string {
	text, err := io.ReadAll(h.reader)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// hears wants the next events to be of these names.
func (h *heard) hears(names ...string) {
	h.t.Helper()
	for _, name := range names {
		data, _ := h.next()
		if want := `{"data":{"tokenExpiry":{"subject":{"name":"` + name + `"}}}`; data != want {
			h.t.Errorf("it hears %s, want %s", data, want)
		}
	}
}

const justNames = `subscription ($filter: TokenFilter, $thresholds: [Duration!], $after: EventCursor, $includeCurrent: Boolean! = false) {
  tokenExpiry(filter: $filter, thresholds: $thresholds, after: $after, includeCurrent: $includeCurrent) {
    ... on TokenExpiryEvent { subject { name } }
    ... on EventGap { reason after resumesAt }
  }
}`
