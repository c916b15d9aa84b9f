package transport_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/graph/documents"
	"regtok/graph/transport"
)

// TestClientsMaySendHashesInThePlaceOfDocuments lets the packages of npm that do so talk to the server, none of them changed.
func TestClientsMaySendHashesInThePlaceOfDocuments(t *testing.T) {
	const refused, unknown = "METHOD_NOT_ALLOWED", "DOCUMENT_NOT_KNOWN"
	hello := map[string]any{"hello": "hello <nil>"}
	one, two := map[string]any{"count": 1.0}, map[string]any{"count": 2.0}
	for name, test := range map[string]struct {
		config documents.Config
		want   map[string]map[string][]any // by client and what it asked: what it sent, and then heard
	}{
		"what was sent is kept": {documents.Config{Automatic: true, Longest: 1000}, map[string]map[string][]any{
			"Apollo": {
				"query":              {"POST hash", "POST hash document", hello},
				"query again":        {"POST hash", hello},
				"subscription":       {"socket hash document", one, two},
				"subscription again": {"socket hash document", one, two},
				"stranger":           {"POST hash", "POST hash document", hello},
			},
			"Urql": {
				"query":              {"POST hash", "POST hash document", hello},
				"query again":        {"POST hash", hello},
				"subscription":       {"socket hash", "socket hash document", one, two},
				"subscription again": {"socket hash", one, two},
				"stranger":           {"POST hash", "POST hash document", hello},
			},
			"UrqlByGet": {
				"query":              {"GET hash", "GET hash document", refused},
				"query again":        {"GET hash", "GET hash document", refused},
				"subscription":       {"socket hash", "socket hash document", one, two},
				"subscription again": {"socket hash", one, two},
				"stranger":           {"GET hash", "GET hash document", refused},
			},
		}},
		"known documents only": {documents.Config{Known: theirs(t, "Apollo", "Urql", "UrqlByGet"), Only: true}, map[string]map[string][]any{
			"Apollo": {
				"query":              {"POST hash", hello},
				"query again":        {"POST hash", hello},
				"subscription":       {"socket hash document", one, two},
				"subscription again": {"socket hash document", one, two},
				"stranger":           {"POST hash", "POST hash document", unknown},
			},
			"Urql": {
				"query":              {"POST hash", hello},
				"query again":        {"POST hash", hello},
				"subscription":       {"socket hash", one, two},
				"subscription again": {"socket hash", one, two},
				"stranger":           {"POST hash", "POST hash document", unknown},
			},
			"UrqlByGet": {
				"query":              {"GET hash", refused},
				"query again":        {"GET hash", refused},
				"subscription":       {"socket hash", one, two},
				"subscription again": {"socket hash", one, two},
				"stranger":           {"GET hash", "GET hash document", unknown},
			},
		}},
		"neither": {documents.Config{}, map[string]map[string][]any{
			"Apollo": {
				"query":              {"POST hash", "POST document", hello},
				"query again":        {"POST document", hello},
				"subscription":       {"socket document", one, two},
				"subscription again": {"socket document", one, two},
				"stranger":           {"POST document", hello},
			},
			"Urql": {
				"query":              {"POST hash", "POST document", hello},
				"query again":        {"POST document", hello},
				"subscription":       {"socket document", one, two},
				"subscription again": {"socket document", one, two},
				"stranger":           {"POST document", hello},
			},
			"UrqlByGet": {
				"query":              {"GET hash", "GET document", refused},
				"query again":        {"GET document", refused},
				"subscription":       {"socket document", one, two},
				"subscription again": {"socket document", one, two},
				"stranger":           {"GET document", refused},
			},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(heard(t, "persisted.mjs", knowing(t, test.config)), test.want); diff != "" {
				t.Errorf("what clients send and hear (-got +want):\n%s", diff)
			}
		})
	}
}

// knowing serves the schema with documents that go by their hashes, and returns its address.
func knowing(t *testing.T, c documents.Config) string {
	t.Helper()
	streams := transport.NewStreams(transport.StreamConfig{})
	api := executing(t, true, []graphql.HandlerExtension{documents.New(c)},
		transport.WebSocket{Streams: streams}, transport.Events{Streams: streams}, transport.POST{Streams: streams})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	t.Cleanup(streams.Close)
	return server.URL
}

// theirs is a manifest of what these clients ask for more than once.
func theirs(t *testing.T, clients ...string) *documents.Manifest {
	t.Helper()
	texts := map[string]string{}
	for _, name := range clients {
		for _, form := range []string{"query %s {\n  hello\n}", "subscription %s {\n  count(to: 2)\n}"} {
			text := fmt.Sprintf(form, name)
			hash := sha256.Sum256([]byte(text))
			texts[hex.EncodeToString(hash[:])] = text
		}
	}
	written, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := documents.Read(written, func(string) ([]string, gqlerror.List) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}
