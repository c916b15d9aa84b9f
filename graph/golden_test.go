package graph_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"regtok/catalog"
)

// update writes what the operations answer now: `go test ./graph -run Golden -update`, then read the difference.
var update = flag.Bool("update", false, "write the golden answers anew")

// golden is what stands beside an operation: its variables, its answer, and how many requests each provider gets when
// nothing is known yet, and when the same is asked again at once. A mutation is made once in a world of which nothing is
// known, and once in another like it whose tokens were listed before; and so is what is asked of the trail.
type golden struct {
	Variables map[string]any `json:"variables,omitempty"`
	Upstream  upstream       `json:"upstream"`
	Answer    answer         `json:"answer"`
}

type upstream struct {
	Cold map[string]int `json:"cold"`
	Warm map[string]int `json:"warm"`
}

// TestGolden runs every operation of testdata over the demo's providers, at a fixed moment.
func TestGolden(t *testing.T) {
	operations, err := fs.Glob(os.DirFS("testdata"), "*/*.graphql")
	if err != nil || len(operations) == 0 {
		t.Fatalf("no operations: %v", err)
	}
	for _, name := range operations {
		t.Run(strings.TrimSuffix(name, ".graphql"), func(t *testing.T) {
			run := runGolden
			switch filepath.Dir(name) {
			case "mutations":
				run = runMutation
			case "activity":
				run = runActivity
			}
			synctest.Test(t, func(t *testing.T) { run(t, filepath.Join("testdata", name)) })
		})
	}
}

// TestEveryGoldenAnswerHasItsOperation finds answers that nobody compares.
func TestEveryGoldenAnswerHasItsOperation(t *testing.T) {
	answers, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(answers) == 0 {
		t.Fatalf("no answers: %v", err)
	}
	for _, name := range answers {
		if _, err := os.Stat(strings.TrimSuffix(name, ".json") + ".graphql"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func runGolden(t *testing.T, path string) {
	query, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	beside := strings.TrimSuffix(path, ".graphql") + ".json"
	want := readGolden(t, beside)
	w := newWorld(t, plan{policy: catalog.Policy{MaxAge: demoPolicy()}})

	got := golden{Variables: want.Variables}
	got.Answer = w.ask(t, string(query), want.Variables).inOrder()
	got.Upstream.Cold = w.requests()
	again := w.ask(t, string(query), want.Variables).inOrder()
	got.Upstream.Warm = w.requests()
	if diff := cmp.Diff(pretty(t, got.Answer), pretty(t, again)); diff != "" {
		t.Errorf("the second answer differs from the first (-first +second):\n%s", diff)
	}
	compare(t, beside, want, got)
}

// compare compares with the record at a path, or writes it.
func compare(t *testing.T, path string, want, got golden) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, pretty(t, got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(pretty(t, want)), string(pretty(t, got))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// inOrder sorts errors by their paths: fields fail in any order.
func (a answer) inOrder() answer {
	slices.SortStableFunc(a.Errors, func(a, b map[string]any) int { return strings.Compare(fmt.Sprint(a["path"]), fmt.Sprint(b["path"])) })
	return a
}

func readGolden(t *testing.T, path string) golden {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) && *update {
		return golden{}
	}
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&g); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return g
}

func pretty(t *testing.T, v any) []byte {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}
