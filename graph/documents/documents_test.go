package documents_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"regtok/graph/documents"
)

const (
	greeting = "query Greeting { greeting: hello }"
	change   = "mutation Change { change: hello }"
	stream   = "subscription Stream { stream: hello }"
	stranger = "query Stranger { stranger: hello }"
)

// manifest has an MD5 and a SHA-1 of something, as programs write them, and one id that is a hash with its prefix.
func manifest(t testing.TB) *documents.Manifest {
	return known(t, map[string]string{
		"5d41402abc4b2a76b9719d911017c592": greeting, "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d": change, "sha256:" + sum(stream): stream,
	})
}

const (
	unknown      = "DOCUMENT_NOT_KNOWN"
	notFound     = "PERSISTED_QUERY_NOT_FOUND"
	notSupported = "PERSISTED_QUERY_NOT_SUPPORTED"
	invalid      = "INVALID"
	badRequest   = "BAD_REQUEST"
)

// asked is a request, and what its answer comes to.
type asked struct {
	name string
	request
	want string
}

func (a *api) check(t *testing.T, tests []asked) {
	t.Helper()
	for _, test := range tests {
		if got := a.post(t, test.request); got != test.want {
			t.Errorf("%s: answered %s, want %s", test.name, got, test.want)
		}
	}
}

func TestADocumentOfTheManifestGoesByItsIDAndByItsHash(t *testing.T) {
	for mode, only := range map[string]bool{"with others": false, "alone": true} {
		t.Run(mode, func(t *testing.T) {
			newAPI(t, documents.Config{Known: manifest(t), Only: only}).check(t, []asked{
				{"its id", request{"documentId": "5d41402abc4b2a76b9719d911017c592"}, "greeting"},
				{"its id beside an empty query", request{"documentId": "5d41402abc4b2a76b9719d911017c592", "query": ""}, "greeting"},
				{"its id beside null", request{"documentId": "5d41402abc4b2a76b9719d911017c592", "query": nil, "operationName": "Greeting"}, "greeting"},
				{"its hash with the prefix", request{"documentId": "sha256:" + sum(greeting)}, "greeting"},
				{"its hash, as clients of persisted queries send it", hashed(sum(greeting), nil), "greeting"},
				{"its id, in the place of the hash", hashed("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", nil), "change"},
				{"the hash of an id with the prefix", hashed(sum(stream), request{"operationName": "Gone"}), "GRAPHQL_VALIDATION_FAILED"},
				{"its text", request{"query": greeting}, "greeting"},
				{"an id that nothing has", request{"documentId": "nothing"}, unknown},
				{"a hash in the place of an id", request{"documentId": sum(greeting)}, unknown},
				{"an id of another kind", request{"documentId": 1}, badRequest},
				{"an empty id", request{"documentId": ""}, badRequest},
				{"an id and a document", request{"documentId": "5d41402abc4b2a76b9719d911017c592", "query": greeting}, badRequest},
				{"an id among the extensions", request{"query": "", "extensions": map[string]any{"documentId": "5d41402abc4b2a76b9719d911017c592"}},
					map[bool]string{false: "GRAPHQL_VALIDATION_FAILED", true: unknown}[only]},
				{"a hash that nothing has", hashed(sum(stranger), nil), notFound},
				{"nothing at all", request{"operationName": "Greeting"}, badRequest},
			})
		})
	}
}

func TestWhatIsNotOfTheManifestIsRefused(t *testing.T) {
	a := newAPI(t, documents.Config{Known: manifest(t), Only: true, Automatic: false})
	a.check(t, []asked{
		{"another document", request{"query": stranger}, unknown},
		{"one that differs in white space", request{"query": greeting + " "}, unknown},
		{"another with its hash", hashed(sum(stranger), request{"query": stranger}), unknown},
		{"another with the hash of a known one", hashed(sum(greeting), request{"query": stranger}), unknown},
		{"the hash of one that was sent before", hashed(sum(stranger), nil), notFound},
		{"an empty one", request{"query": ""}, unknown},
		{"the shortest of all", request{"query": "{__typename}"}, unknown},
		{"introspection", request{"query": "{__schema{queryType{name}}}"}, unknown},
		{"what is no GraphQL, and is not read", request{"query": "}{"}, unknown},
		{"a million braces", request{"query": strings.Repeat("{a", 500_000)}, unknown},
	})
	if n := a.ran.Load(); n != 0 {
		t.Errorf("%d of them were executed", n)
	}
}

func TestADocumentThatWasSentWithItsHashGoesByItAfterwards(t *testing.T) {
	a := newAPI(t, documents.Config{Automatic: true})
	long := "{a:hello" + strings.Repeat(" ", 65<<10) + "}"
	a.check(t, []asked{
		{"before", hashed(sum(stranger), nil), notFound},
		{"with the hash of another", hashed(sum(greeting), request{"query": stranger}), invalid},
		{"with its hash", hashed(sum(stranger), request{"query": stranger}), "stranger"},
		{"by its hash", hashed(sum(stranger), nil), "stranger"},
		{"by its hash as an id", request{"documentId": "sha256:" + sum(stranger)}, "stranger"},
		{"what was never sent so", hashed(sum(greeting), nil), notFound},
		{"without its hash", request{"query": greeting}, "greeting"},
		{"which keeps nothing", hashed(sum(greeting), nil), notFound},
		{"one that is not valid", hashed(sum("{gone}"), request{"query": "{gone}"}), "GRAPHQL_VALIDATION_FAILED"},
		{"is not kept", hashed(sum("{gone}"), nil), notFound},
		{"one whose variables are wrong", hashed(sum("query($n: Int!){hello}"), request{"query": "query($n: Int!){hello}"}), "GRAPHQL_VALIDATION_FAILED"},
		{"is not kept either", hashed(sum("query($n: Int!){hello}"), nil), notFound},
		{"one that is too long, whatever its hash", hashed("x", request{"query": long}), "QUERY_TOO_LARGE"},
		{"nor is that", hashed(sum(long), nil), notFound},
	})
	for name, extension := range map[string]any{
		"no object": 1, "another version": map[string]any{"version": 2, "sha256Hash": sum(greeting)}, "no version": map[string]any{"sha256Hash": sum(greeting)},
		"no hash": map[string]any{"version": 1}, "a hash that is no text": map[string]any{"version": 1, "sha256Hash": []any{}},
	} {
		for _, query := range []string{"", greeting} {
			if got := a.post(t, request{"query": query, "extensions": map[string]any{"persistedQuery": extension}}); got != invalid {
				t.Errorf("%s, with %q: answered %s", name, query, got)
			}
		}
	}
}

func TestClientsAreToldThatHashesAreNotUnderstood(t *testing.T) {
	newAPI(t, documents.Config{}).check(t, []asked{
		{"the hash alone", hashed(sum(stranger), nil), notSupported},
		{"with the document", hashed(sum(stranger), request{"query": stranger}), "stranger"},
		{"again", hashed(sum(stranger), nil), notSupported},
		{"an id", request{"documentId": "a"}, unknown},
	})
}

func TestServerSentEventsAndSocketsUnderstandTheSame(t *testing.T) {
	a := newAPI(t, documents.Config{Known: manifest(t), Only: true})
	hash, err := json.Marshal(hashed(sum(stream), nil)["extensions"])
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		query url.Values
		want  string
	}{
		"by id":       {url.Values{"documentId": {"sha256:" + sum(stream)}}, "stream"},
		"by its hash": {url.Values{"extensions": {string(hash)}}, "stream"},
		"another":     {url.Values{"query": {"subscription {hello}"}}, unknown},
	} {
		if got := a.events(t, http.MethodGet, "?"+test.query.Encode(), ""); got != test.want {
			t.Errorf("GET, %s: heard %s, want %s", name, got, test.want)
		}
	}
	if got := a.events(t, http.MethodPost, "", `{"documentId": "sha256:`+sum(stream)+`"}`); got != "stream" {
		t.Errorf("POST by id: heard %s", got)
	}
	for _, test := range []asked{
		{"a subscription by id", request{"documentId": "sha256:" + sum(stream)}, "stream"},
		{"a subscription by its hash", hashed(sum(stream), request{"query": ""}), "stream"},
		{"a query by id", request{"documentId": "5d41402abc4b2a76b9719d911017c592"}, "greeting"},
		{"another", request{"query": stranger}, unknown},
		{"a hash that nothing has", hashed(sum(stranger), nil), notFound},
	} {
		if got := a.socket(t, test.request); got != test.want {
			t.Errorf("socket, %s: heard %s, want %s", test.name, got, test.want)
		}
	}
}

// events asks for server-sent events, and returns what the first one comes to.
func (a *api) events(t *testing.T, method, query, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.URL+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Content-Type", "application/json")
	resp, err := a.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, event, ok := strings.Cut(string(text), "data: "); ok {
		event, _, _ = strings.Cut(event, "\n")
		return told(t, []byte(event))
	}
	return told(t, text)
}

// socket runs an operation on a socket of its own, and returns what its first message comes to.
func (a *api) socket(t *testing.T, r request) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conn, _, err := websocket.Dial(ctx, a.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket that is open has none
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	for _, message := range []request{{"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": r}} {
		text, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(ctx, websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		switch m.Type {
		case "next":
			return told(t, m.Payload)
		case "error":
			return told(t, []byte(`{"errors":`+string(m.Payload)+`}`))
		}
	}
}
