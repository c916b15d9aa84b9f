package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"regtok/providers"
)

// client sends requests to an emulator and fails its test when that cannot be done.
type client struct {
	t       testing.TB
	base    string
	header  http.Header
	send    func(*http.Request) (*http.Response, error)
	options *providers.Emulator
}

// serve starts an emulator on a loopback port.
func serve(t testing.TB, options providers.EmulatorOptions) *client {
	t.Helper()
	e := start(t, options)
	server := httptest.NewServer(e.Handler)
	t.Cleanup(server.Close)
	return &client{t: t, base: server.URL, header: bearer("anything"), send: server.Client().Do, options: e}
}

// inside calls an emulator without a network, for bubbles of synctest.
func inside(t testing.TB, options providers.EmulatorOptions) *client {
	t.Helper()
	e := start(t, options)
	send := func(r *http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		e.Handler.ServeHTTP(recorder, r)
		return recorder.Result(), nil
	}
	return &client{t: t, base: "http://emulator.test", header: bearer("anything"), send: send, options: e}
}

func start(t testing.TB, options providers.EmulatorOptions) *providers.Emulator {
	t.Helper()
	e, err := New(options)
	if err != nil {
		t.Fatalf("New(%+v): %v", options, err)
	}
	return e
}

func choosing(name, value string) providers.EmulatorOptions {
	return providers.EmulatorOptions{Choices: map[string]string{name: value}}
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// as is the same client with another Authorization.
func (c *client) as(authorization string) *client {
	other := *c
	other.header = c.header.Clone()
	other.header.Set("Authorization", authorization)
	return &other
}

// with is the same client with one more header.
func (c *client) with(name, value string) *client {
	other := *c
	other.header = c.header.Clone()
	other.header.Set(name, value)
	return &other
}

// status sends a write whose body is read from a reader, and returns the answer's status.
func (c *client) status(method, path string, body io.Reader) int {
	c.t.Helper()
	request, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	request.Header = c.header.Clone()
	request.Header.Set("Content-Type", "application/json")
	response, err := c.send(request)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

// reply is an answer.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	text   string
	json   any
}

func (c *client) get(path string) reply                 { return c.do("GET", path, "") }
func (c *client) post(path, body string) reply          { return c.do("POST", path, body) }
func (c *client) put(path, body string) reply           { return c.do("PUT", path, body) }
func (c *client) patch(path, body string) reply         { return c.do("PATCH", path, body) }
func (c *client) delete(path string) reply              { return c.do("DELETE", path, "") }
func (c *client) list(path string) []any                { return c.get(path).want(200).items() }
func (c *client) names(path string) (names []string)    { return c.get(path).want(200).names() }
func (c *client) registries(query string) reply         { return c.get(registriesPath + query) }
func (c *client) tokensOf(name string) (names []string) { return c.names(tokensPath(name)) }

func (c *client) do(method, path, body string) reply {
	c.t.Helper()
	request, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	request.Header = c.header.Clone()
	if body != "" && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.send(request)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	r := reply{t: c.t, what: method + " " + path, status: response.StatusCode, header: response.Header, text: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &r.json); err != nil {
			c.t.Fatalf("%s: not JSON: %v\n%s", r.what, err, raw)
		}
	}
	return r
}

// want fails the test unless the status is the one wanted.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s = %d, want %d\n%s", r.what, r.status, status, r.text)
	}
	return r
}

// at returns what is at a path of keys and indexes like "items.0.id"; nil when nothing is.
func (r reply) at(path string) any { return at(r.json, path) }

func at(v any, path string) any {
	if path == "" {
		return v
	}
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func (r reply) string(path string) string {
	r.t.Helper()
	s, ok := r.at(path).(string)
	if !ok {
		r.t.Fatalf("%s: no string at %s\n%s", r.what, path, r.text)
	}
	return s
}

// fields are values by their paths. A number is an int; nil is null or nothing.
type fields map[string]any

// holds fails the test unless each value is at its path.
func (r reply) holds(want fields) reply {
	r.t.Helper()
	for path, value := range want {
		if n, ok := value.(int); ok {
			value = float64(n)
		}
		if got := r.at(path); got != value {
			r.t.Errorf("%s: %s = %v, want %v\n%s", r.what, path, got, value, r.text)
		}
	}
	return r
}

// has tells whether there is a value, null included, in the object at a path.
func (r reply) has(object, key string) bool {
	in, _ := r.at(object).(map[string]any)
	_, ok := in[key]
	return ok
}

func (r reply) items() []any {
	items, _ := r.at("items").([]any)
	return items
}

func (r reply) names() []string {
	names := []string{}
	for _, item := range r.items() {
		name, _ := at(item, "properties.name").(string)
		names = append(names, name)
	}
	return names
}

// refused fails the test unless this is the error envelope with a status, a code, and a message that holds a text.
func (r reply) refused(status int, code, message string) {
	r.t.Helper()
	r.want(status)
	got := r.string("messages.0.message")
	if r.at("httpStatus") != float64(status) || r.at("messages.0.errorCode") != code || !strings.Contains(got, message) {
		r.t.Errorf("%s refused with %s, want status %d, code %s, and %q", r.what, r.text, status, code, message)
	}
}

const registriesPath = "/containerregistries/registries"

// registryPath is the path of a registry of the story.
func registryPath(name string) string {
	return registriesPath + "/" + fixedID("registry", "lindenhof-"+name)
}
func tokensPath(name string) string { return registryPath(name) + "/tokens" }

// tokenPath is the path of a token of the story.
func tokenPath(registry, name string) string {
	return tokensPath(registry) + "/" + fixedID("token", registry, name)
}
