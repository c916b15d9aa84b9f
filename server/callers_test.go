package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/server"
)

// guarded is a server that knows two callers: one who may read the figures, and one who may not.
func guarded(t *testing.T, c server.Config) (w *world, reader, other string) {
	t.Helper()
	may, mayNot := auth.NewKey(), auth.NewKey()
	c.Callers = auth.NewCallers(auth.Config{Keys: []auth.Caller{
		{Key: may.Hash(), Viewer: auth.Viewer{Subject: "prometheus", Permissions: []auth.Permission{auth.MetricsRead}}},
		{Key: mayNot.Hash(), Viewer: auth.Viewer{Subject: "ci", Permissions: []auth.Permission{auth.TokensRead}}},
	}})
	return start(t, c), "Bearer " + may.Reveal(), "Bearer " + mayNot.Reveal()
}

// tellsWho answers with the subject of the viewer.
var tellsWho = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "for "+auth.FromContext(r.Context()).Subject)
})

func TestWhatCallersHaveToBeKnownFor(t *testing.T) {
	w, reader, other := guarded(t, server.Config{GraphQL: tellsWho, Playground: says("a page"), Metrics: says("figures"), SDL: "type Query"})
	const missing, wrong = `Bearer realm="regtok"`, `Bearer realm="regtok", error="invalid_token"`
	tests := []struct {
		name, method, path, authorization string
		status                            int
		text, challenge                   string
	}{
		{"an operation", http.MethodPost, "/graphql", other, 200, "for ci", ""},
		{"a stream", http.MethodGet, "/graphql?query=x", other, 200, "for ci", ""},
		{"an operation of nobody", http.MethodPost, "/graphql", "", 401, `"UNAUTHENTICATED"`, missing},
		{"a stream of nobody", http.MethodGet, "/graphql?query=x", "", 401, `"UNAUTHENTICATED"`, missing},
		{"a preflight of nobody", http.MethodOptions, "/graphql", "", 401, `"UNAUTHENTICATED"`, missing},
		{"an operation of a stranger", http.MethodPost, "/graphql", "Bearer " + auth.NewKey().Reveal(), 401, `"UNAUTHENTICATED"`, wrong},
		{"another scheme", http.MethodPost, "/graphql", strings.Replace(other, "Bearer", "Basic", 1), 401, `"UNAUTHENTICATED"`, wrong},
		{"the figures", http.MethodGet, "/metrics", reader, 200, "figures", ""},
		{"the figures without the permission", http.MethodGet, "/metrics", other, 403, "METRICS_READ", ""},
		{"the figures for nobody", http.MethodGet, "/metrics", "", 401, `"UNAUTHENTICATED"`, missing},
		{"the page that asks for the key", http.MethodGet, "/playground", "", 200, "a page", ""},
		{"the schema", http.MethodGet, "/schema.graphqls", "", 200, "type Query", ""},
		{"alive", http.MethodGet, "/livez", "", 200, "ok", ""},
		{"ready", http.MethodGet, "/readyz", "", 200, "ok", ""},
		{"the index", http.MethodGet, "/", "", 200, "/graphql", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			headers := []string{"X-Request-Id", "build-19"}
			if test.authorization != "" {
				headers = append(headers, "Authorization", test.authorization)
			}
			got := w.do(t, test.method, test.path, "", headers...)
			if got.StatusCode != test.status || !strings.Contains(got.text, test.text) {
				t.Errorf("answered %d %q, want %d with %q", got.StatusCode, got.text, test.status, test.text)
			}
			if challenge := got.Header.Get("WWW-Authenticate"); challenge != test.challenge {
				t.Errorf("WWW-Authenticate = %s, want %s", challenge, test.challenge)
			}
			if test.status == 401 && !strings.Contains(got.text, `"requestId":"build-19"`) {
				t.Errorf("the answer does not tell its request's id: %s", got.text)
			}
		})
	}
}

func TestSeveralCredentialsAreNone(t *testing.T) {
	w, reader, other := guarded(t, server.Config{GraphQL: tellsWho})
	for name, second := range map[string]string{"another": reader, "the same": other, "an empty one": "", "a wrong one": "Bearer x"} {
		for _, pair := range [][]string{{other, second}, {second, other}} {
			got := w.do(t, http.MethodPost, "/graphql", "", "Authorization", pair[0], "Authorization", pair[1])
			if got.StatusCode != 401 {
				t.Errorf("with %s beside it: answered %d %q, want 401", name, got.StatusCode, got.text)
			}
		}
	}
}

func TestTheFiguresAreForEveryoneOnAServerWithoutCallers(t *testing.T) {
	if got := start(t, server.Config{Metrics: says("figures")}).do(t, http.MethodGet, "/metrics", ""); got.text != "figures" {
		t.Errorf("answered %d %s", got.StatusCode, got.text)
	}
}

func TestWhoeverAsksForASocketMayBringTheCredentialLater(t *testing.T) {
	w, _, other := guarded(t, server.Config{GraphQL: tellsWho, Metrics: says("figures")})
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "WebSocket"}
	if got := w.do(t, http.MethodGet, "/graphql", "", upgrade...); got.text != "for " {
		t.Errorf("without one it answered %d %q, want it to be for nobody", got.StatusCode, got.text)
	}
	if got := w.do(t, http.MethodGet, "/graphql", "", append(upgrade, "Authorization", other)...); got.text != "for ci" {
		t.Errorf("with one it answered %d %q, want it to be for ci", got.StatusCode, got.text)
	}
	if got := w.do(t, http.MethodGet, "/graphql", "", append(upgrade, "Authorization", "Bearer x")...); got.StatusCode != 401 {
		t.Errorf("with a wrong one it answered %d %q, want 401", got.StatusCode, got.text)
	}
	if got := w.do(t, http.MethodGet, "/metrics", "", upgrade...); got.StatusCode != 401 {
		t.Errorf("where there are no sockets it answered %d %q, want 401", got.StatusCode, got.text)
	}
	if got := w.do(t, http.MethodPost, "/graphql", "", upgrade...); got.StatusCode != 401 {
		t.Errorf("a POST that says so answered %d %q, want 401", got.StatusCode, got.text)
	}
}

func TestAKeyInAnAddressIsRefused(t *testing.T) {
	w, reader, other := guarded(t, server.Config{GraphQL: tellsWho, Metrics: says("figures")})
	key := strings.TrimPrefix(other, "Bearer ")
	for _, path := range []string{"/graphql?access_token=", "/graphql?query=x&key=", "/graphql?KEY=", "/metrics?token="} {
		for _, headers := range [][]string{nil, {"Authorization", reader}, {"Connection", "Upgrade", "Upgrade", "websocket"}} {
			got := w.do(t, http.MethodGet, path+key, "", headers...)
			if got.StatusCode != 400 || !strings.Contains(got.text, "do not belong into addresses") || strings.Contains(got.text, key) {
				t.Errorf("%s answered %d %q", path, got.StatusCode, got.text)
			}
		}
	}
	for _, hidden := range []string{"/graphql?query=x;&key=" + key, "/graphql?a=%zz&key=" + key, "/graphql?" + strings.Repeat("a&", 20_000) + "key=" + key} {
		got := w.do(t, http.MethodGet, hidden, "", "Authorization", other)
		if got.StatusCode != 400 || !strings.Contains(got.text, "cannot be read") || strings.Contains(got.text, key) {
			t.Errorf("%.20s answered %d %q", hidden, got.StatusCode, got.text)
		}
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.log.String(), key) {
		t.Errorf("the log tells the key:\n%s", w.log)
	}
}

func TestWithCallersAnyNameWillDoUnlessSomeAreGiven(t *testing.T) {
	open, _, other := guarded(t, server.Config{GraphQL: tellsWho})
	if got := open.do(t, http.MethodPost, "/graphql", "", "Host", "tokens.example", "Authorization", other); got.text != "for ci" {
		t.Errorf("answered %d %s", got.StatusCode, got.text)
	}
	named, _, other := guarded(t, server.Config{GraphQL: tellsWho, Hosts: []string{"tokens.example"}})
	got := map[string]int{}
	for _, name := range []string{"tokens.example", "other.example"} {
		got[name] = named.do(t, http.MethodPost, "/graphql", "", "Host", name, "Authorization", other).StatusCode
	}
	if diff := cmp.Diff(got, map[string]int{"tokens.example": 200, "other.example": 421}); diff != "" {
		t.Errorf("statuses (-got +want):\n%s", diff)
	}
}
