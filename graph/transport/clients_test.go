package transport_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/graph/transport"
)

// TestTheClientsThatPeopleUse lets the packages of npm talk to the server, none of them changed.
func TestTheClientsThatPeopleUse(t *testing.T) {
	server, streams := newStreams(t, transport.StreamConfig{})
	told := heard(t, "clients.mjs", server.URL)
	number := func(n float64) any { return map[string]any{"count": n} }
	const nothing = `Cannot query field "nothing" on type "Subscription".`
	numbers := []any{number(1), number(2), number(3)}
	hello, nobody := map[string]any{"hello": "hello Ada"}, map[string]any{"hello": "hello <nil>"}
	answers := func(numbers, query, mutation, broken, failing []any) map[string][]any {
		return map[string][]any{"subscription": numbers, "query": query, "mutation": mutation, "broken": broken, "failing": failing}
	}
	ended := append(numbers[:3:3], "complete")
	want := map[string]map[string][]any{
		"graphql-ws":         answers(ended, []any{hello, "complete"}, []any{nobody, "complete"}, []any{"error: " + nothing}, []any{"error: no luck"}),
		"graphql-sse":        answers(ended, []any{hello, "complete"}, []any{nobody, "complete"}, []any{nothing, "complete"}, []any{"no luck", "complete"}),
		"apollo":             answers(ended, []any{hello}, []any{nobody}, []any{"error: " + nothing, "complete"}, []any{"error: no luck", "complete"}),
		"urql by fetch":      answers(numbers, []any{hello}, []any{nobody}, []any{"error: " + nothing}, []any{"error: no luck"}),
		"urql over a socket": answers(numbers, []any{hello}, []any{nobody}, []any{"error: " + nothing}, []any{"error: no luck"}),
	}
	if diff := cmp.Diff(told, want); diff != "" {
		t.Errorf("what clients hear (-got +want):\n%s", diff)
	}
	if stats := streams.Stats(); stats.Live != 15 {
		t.Errorf("%d events were handed out, want 3 to each of the 5", stats.Live)
	}
}

// heard is what the clients of a script tell of a server, each of what it asked.
func heard(t *testing.T, script, url string) map[string]map[string][]any {
	t.Helper()
	const latest = "clients/node_modules/@urql/exchange-persisted" // of the packages: who has it has all
	if _, err := os.Stat(latest); errors.Is(err, fs.ErrNotExist) {
		run(t, "clients", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	}
	var told map[string]map[string][]any
	if err := json.Unmarshal(run(t, "clients", "node", script, url), &told); err != nil {
		t.Fatalf("%s printed no JSON: %v", script, err)
	}
	return told
}
