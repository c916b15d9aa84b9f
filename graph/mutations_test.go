package graph_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/catalog"
)

// runMutation makes a golden mutation in two worlds that are alike but for what is cached.
func runMutation(t *testing.T, path string) { runTwice(t, path, func(*world) {}) }

// runActivity asks of the trail in two such worlds, in which the same was done: cursors differ from log to log.
func runActivity(t *testing.T, path string) { runTwice(t, path, func(w *world) { w.recall(t) }) }

func runTwice(t *testing.T, path string, begin func(*world)) {
	query, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	beside := strings.TrimSuffix(path, ".graphql") + ".json"
	want := readGolden(t, beside)
	got := golden{Variables: want.Variables}

	run := func(prepare func(*world)) (any, map[string]int) {
		w := newWorld(t, plan{policy: catalog.Policy{MaxAge: demoPolicy()}})
		begin(w)
		prepare(w)
		a := w.ask(t, string(query), want.Variables).inOrder()
		if got.Answer.Errors = a.Errors; len(a.Data) == 0 {
			t.Fatalf("the operation did not run: %v", a.Errors)
		}
		return decoded(t, a.Data), w.requests()
	}
	cold, requests := run(func(*world) {})
	got.Upstream.Cold = requests
	warm, requests := run(func(w *world) {
		w.ask(t, `{ tokens(first: 1) { totalCount } }`, nil)
		w.requests()
	})
	got.Upstream.Warm = requests

	m := masks{t: t}
	m.compare(cold, warm, "")
	got.Answer.Data = m.mask(cold)
	if diff := cmp.Diff(string(got.Answer.Data), string(m.mask(warm))); diff != "" {
		t.Errorf("the answer depends on what is cached (-cold +warm):\n%s", diff)
	}
	compare(t, beside, want, got)
}

// random are the fields that differ each time that something is created, or told by another log.
var random = []string{"id", "nativeId", "cursor", "startCursor", "endCursor", "version", "webUrl", "deletedTokenId"}

// masks hide what is another each time that something is created: secrets, and random fields where they differ.
type masks struct {
	t       *testing.T
	replace []string // pairs of what is and what shall be shown
}

// compare finds what is to be hidden in two answers.
func (m *masks) compare(a, b any, key string) {
	switch a := a.(type) {
	case map[string]any:
		other, _ := b.(map[string]any)
		for name, value := range a {
			m.compare(value, other[name], name)
		}
		m.credential(a)
		m.credential(other)
	case []any:
		other, _ := b.([]any)
		for i := range min(len(a), len(other)) {
			m.compare(a[i], other[i], key)
		}
	case string:
		if other, ok := b.(string); ok && a != other && slices.Contains(random, key) {
			m.replace = append(m.replace, a, "[random]", other, "[random]")
		}
	}
}

// credential hides a secret and what holds it.
func (m *masks) credential(object map[string]any) {
	secret, _ := object["secret"].(string)
	username, _ := object["username"].(string)
	if secret == "" {
		return
	}
	if len(secret) < 16 || slices.Contains(m.replace, secret) {
		m.t.Errorf("the secret %q is too short, or no new one", secret)
	}
	login := base64.StdEncoding.EncodeToString([]byte(username + ":" + secret))
	if config, ok := object["dockerConfigJson"].(string); ok && (!strings.Contains(config, secret) || !strings.Contains(config, login)) {
		m.t.Errorf("dockerConfigJson is %s, want it to hold the secret, and the username and the secret in base64", config)
	}
	m.replace = append(m.replace, secret, "[secret]", login, "[base64 of username:secret]")
}

func (m *masks) mask(data any) json.RawMessage {
	text := strings.NewReplacer(m.replace...).Replace(string(pretty(m.t, data)))
	return json.RawMessage(text)
}

func decoded(t *testing.T, text json.RawMessage) any {
	t.Helper()
	var data any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&data); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return data
}
