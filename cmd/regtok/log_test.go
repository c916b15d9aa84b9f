package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestTheLogHoldsNothingOfCallersOrCredentials marks everything that a caller or an owner may want to keep, and looks
// for the mark in all that the program says.
func TestTheLogHoldsNothingOfCallersOrCredentials(t *testing.T) {
	strict := start(t, nil, "emulate", "buildkite", "--token=another")
	lenient := start(t, nil, "emulate", "ionos")
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, fmt.Sprintf(`
log_level: debug
accounts:
- {provider: buildkite, token: %[1]s, base_url: '%[2]s'}
- {provider: ionos, token: %[1]s, base_url: '%[3]s'}
- {provider: ionos, name: down, username: %[1]s, password: %[1]s, base_url: 'http://127.0.0.1:1'}
`, canary, strict.url, lenient.url))
	for _, r := range []*running{start(t, nil, "serve", "-c", config), start(t, nil, "demo", "--log-level=debug")} {
		marked := canary
		for _, body := range []string{
			query(t, everything, nil),
			query(t, `query Q($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": marked}),
			query(t, `query Q($f: TokenFilter) { tokens(filter: $f) { totalCount } }`, map[string]any{"f": map[string]any{"nameContains": marked}}),
			query(t, `query `+marked+` { viewer { __typename } }`, nil),
			query(t, `{ token(address: {native: {registryId: "`+marked+`", nativeId: "`+marked+`"}}) { id } }`, nil),
			query(t, `{ `+marked+` }`, nil),
			query(t, `{ tokens(first: "`+marked+`") { totalCount } }`, nil),
			`{"query": "` + marked,
			`["` + marked + `"]`,
			marked,
		} {
			post(t, r.url+"/graphql?secret="+marked, body)
		}
		if code := r.end(t); code != 0 {
			t.Errorf("exit %d", code)
		}
		said := r.stdout.String() + r.stderr.String()
		if strings.Contains(strings.ToLower(said), strings.ToLower(canary)) {
			t.Errorf("the mark is in what it said:\n%s", said)
		}
		if n := strings.Count(said, `"msg":"request"`); n != 10 {
			t.Errorf("%d requests are in the log, want 10", n)
		}
	}
}

func query(t *testing.T, text string, variables map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// post sends a marked request, whatever the answer is.
func post(t *testing.T, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	for _, name := range []string{"Authorization", "Cookie", "User-Agent", "Referer", "Traceparent"} {
		request.Header.Set(name, canary)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
}
