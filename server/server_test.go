package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/server"
)

func TestRoutes(t *testing.T) {
	w := start(t, server.Config{GraphQL: says("an answer"), Playground: says("a page"), Metrics: says("figures"), SDL: "type Query"})
	tests := []struct {
		name, method, path string
		status             int
		text               string
	}{
		{"an operation", http.MethodPost, "/graphql", 200, "an answer"},
		{"GraphQL gets every method", http.MethodGet, "/graphql", 200, "an answer"},
		{"the playground", http.MethodGet, "/playground", 200, "a page"},
		{"what the playground consists of", http.MethodGet, "/playground/assets/a.js", 200, "a page"},
		{"the schema", http.MethodGet, "/schema.graphqls", 200, "type Query"},
		{"the schema's head", http.MethodHead, "/schema.graphqls", 200, ""},
		{"figures", http.MethodGet, "/metrics", 200, "figures"},
		{"another method on the figures", http.MethodPost, "/metrics", 405, "METHOD_NOT_ALLOWED"},
		{"the index names the figures", http.MethodGet, "/", 200, "/metrics"},
		{"alive", http.MethodGet, "/livez", 200, "ok\n"},
		{"ready", http.MethodGet, "/readyz", 200, "ok\n"},
		{"the index names the paths", http.MethodGet, "/", 200, "POST /graphql"},
		{"another path", http.MethodGet, "/graphql/", 404, "NO_SUCH_PATH"},
		{"a path that leads up", http.MethodGet, "/playground/../../etc/passwd", 307, ""},
		{"another method", http.MethodPost, "/schema.graphqls", 405, "METHOD_NOT_ALLOWED"},
		{"another method on the index", http.MethodDelete, "/", 405, "METHOD_NOT_ALLOWED"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.do(t, test.method, test.path, "")
			if got.StatusCode != test.status || !strings.Contains(got.text, test.text) {
				t.Errorf("answered %d %q, want %d with %q", got.StatusCode, got.text, test.status, test.text)
			}
			if allow := got.Header.Get("Allow"); (test.status == 405) != (allow == "GET, HEAD") {
				t.Errorf("Allow = %q", allow)
			}
		})
	}
}

func TestTheIndexSendsBrowsersToThePlayground(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	t.Run("if there is one", func(t *testing.T) {
		got := start(t, server.Config{Playground: says("a page")}).do(t, http.MethodGet, "/", "", "Accept", browser)
		if got.StatusCode != http.StatusFound || got.Header.Get("Location") != "/playground" {
			t.Errorf("answered %d to %q, want 302 to /playground", got.StatusCode, got.Header.Get("Location"))
		}
	})
	t.Run("not if there is none", func(t *testing.T) {
		w := start(t, server.Config{})
		got := w.do(t, http.MethodGet, "/", "", "Accept", browser)
		if got.StatusCode != http.StatusOK || strings.Contains(got.text, "playground") {
			t.Errorf("answered %d %q", got.StatusCode, got.text)
		}
		if got := w.do(t, http.MethodGet, "/playground", ""); got.StatusCode != http.StatusNotFound {
			t.Errorf("/playground answered %d, want 404", got.StatusCode)
		}
	})
}

func TestReadiness(t *testing.T) {
	w := start(t, server.Config{Ready: func(ctx context.Context) error {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("asked without a deadline")
		}
		return errors.New("no way to buildkite.example")
	}})
	got := w.do(t, http.MethodGet, "/readyz", "")
	if got.StatusCode != http.StatusServiceUnavailable || strings.Contains(got.text, "buildkite") {
		t.Errorf("answered %d %q, want 503 without the reason", got.StatusCode, got.text)
	}
	if !strings.Contains(w.log.String(), "no way to buildkite.example") {
		t.Error("the reason is not in the log")
	}
	if got := w.do(t, http.MethodGet, "/livez", ""); got.StatusCode != http.StatusOK {
		t.Errorf("/livez answered %d, want 200", got.StatusCode)
	}
}

func TestWhileNoCallersAreKnownTheCallerIsLocal(t *testing.T) {
	var got auth.Viewer
	w := start(t, server.Config{GraphQL: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = auth.FromContext(r.Context())
	})})
	w.do(t, http.MethodPost, "/graphql", "{}")
	if diff := cmp.Diff(got, auth.Local()); diff != "" {
		t.Errorf("viewer (-got +want):\n%s", diff)
	}
}

func TestTheLogNamesEachRequestAndNoSecret(t *testing.T) {
	const secret = "hunter2"
	w := start(t, server.Config{GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rw.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(rw, "12345")
	})})
	got := w.do(t, http.MethodPost, "/graphql?token="+secret, `{"variables":{"password":"`+secret+`"}}`,
		"X-Request-Id", "build-17", "Authorization", "Bearer "+secret, "Cookie", secret)
	if id := got.Header.Get("X-Request-Id"); id != "build-17" {
		t.Errorf("X-Request-Id = %q, want build-17", id)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.log.String(), secret) {
		t.Errorf("the log tells a secret:\n%s", w.log)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(strings.SplitN(w.log.String(), "\n", 2)[0]), &line); err != nil {
		t.Fatal(err)
	}
	if ms, ok := line["ms"].(float64); !ok || ms <= 0 {
		t.Errorf("ms = %v", line["ms"])
	}
	delete(line, "time")
	delete(line, "ms")
	want := map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "path": "/graphql", "status": 418., "bytes": 5., "request_id": "build-17", "from": "127.0.0.1",
	}
	if diff := cmp.Diff(line, want); diff != "" {
		t.Errorf("log line (-got +want):\n%s", diff)
	}
}

func TestAPanicIsAnswered(t *testing.T) {
	w := start(t, server.Config{GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("late") {
			_, _ = io.WriteString(rw, "the beginning")
			_ = http.NewResponseController(rw).Flush()
		}
		panic("a bug")
	})})
	t.Run("as INTERNAL, with the request's id", func(t *testing.T) {
		got := w.do(t, http.MethodPost, "/graphql", "{}", "X-Request-Id", "build-18")
		want := `{"errors":[{"message":"something went wrong in this server; its log has the details under the request id",` +
			`"extensions":{"code":"INTERNAL","requestId":"build-18"}}]}`
		if got.StatusCode != http.StatusInternalServerError || got.text != want {
			t.Errorf("answered %d %s\nwant 500 %s", got.StatusCode, got.text, want)
		}
		for _, part := range []string{"a bug", "server_test.go", `"request_id":"build-18"`, `"status":500`} {
			if !strings.Contains(w.log.String(), part) {
				t.Errorf("the log does not tell %s:\n%s", part, w.log)
			}
		}
	})
	t.Run("by cutting the connection when the answer has begun", func(t *testing.T) {
		response, err := w.client.Post(w.url+"/graphql?late", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("%q came as a whole answer", text)
		}
	})
	t.Run("and the server goes on", func(t *testing.T) {
		if got := w.do(t, http.MethodGet, "/livez", ""); got.StatusCode != http.StatusOK {
			t.Errorf("/livez answered %d", got.StatusCode)
		}
	})
}
