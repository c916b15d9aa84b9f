package graph_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"regtok/catalog"
	"regtok/graph"
	"regtok/graph/documents"
	"regtok/graph/limits"
)

// goldens are the operations at a place of testdata, by path.
func goldens(t *testing.T, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no operations: %v", err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

// md5Of is how Relay makes ids.
func md5Of(text string) string {
	hash := md5.Sum([]byte(text))
	return hex.EncodeToString(hash[:])
}

func manifestOf(t *testing.T, texts map[string]string) *documents.Manifest {
	t.Helper()
	byID := map[string]string{}
	for _, text := range texts {
		byID[md5Of(text)] = text
	}
	encoded, err := json.Marshal(byID)
	if err != nil {
		t.Fatal(err)
	}
	l := limits.Default()
	l.Introspection = true
	m, err := graph.ReadManifest(encoded, l)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestKnownDocumentsAreAnsweredByTheirIDsAsByTheirTexts(t *testing.T) {
	texts := goldens(t, "lists/*.graphql")
	maps.Copy(texts, goldens(t, "nodes/*.graphql"))
	known := manifestOf(t, texts)
	for path, text := range texts {
		synctest.Test(t, func(t *testing.T) {
			// A world for each: Buildkite's tokens tell more of a person than its members do, so that what was read before matters.
			w := newWorld(t, plan{policy: catalog.Policy{MaxAge: demoPolicy()}, documents: documents.Config{Known: known, Only: true}})
			want := readGolden(t, strings.TrimSuffix(path, ".graphql")+".json")
			said, _ := w.post(t, map[string]any{"documentId": md5Of(text), "variables": want.Variables})
			got := answered(t, said).inOrder()
			if diff := cmp.Diff(string(pretty(t, want.Answer)), string(pretty(t, got))); diff != "" {
				t.Errorf("%s by its id (-want +got):\n%s", path, diff)
			}
			if other := w.ask(t, text+" ", want.Variables); len(other.Errors) != 1 || other.Data != nil {
				t.Errorf("%s, changed by a space: %v", path, other.Errors)
			}
		})
	}
}

// TestAManifestIsJudgedAsItsRequestsWillBe compares with what the goldens without variables were answered.
func TestAManifestIsJudgedAsItsRequestsWillBe(t *testing.T) {
	refused := 0
	for path, text := range goldens(t, "*/*.graphql") {
		want := readGolden(t, strings.TrimSuffix(path, ".graphql")+".json")
		if want.Variables != nil || strings.Contains(string(pretty(t, want.Answer)), `"variable",`) {
			continue // that is about a request's variables
		}
		encoded, err := json.Marshal(map[string]string{"a": text})
		if err != nil {
			t.Fatal(err)
		}
		l := limits.Default()
		l.Introspection = true
		_, err = graph.ReadManifest(encoded, l)
		runs := len(want.Answer.Data) > 0
		if !runs {
			refused++
		}
		if (err == nil) != runs {
			t.Errorf("%s: the manifest is judged %v; sent, it is answered %v", path, err, want.Answer.Errors)
		}
	}
	if refused < 5 {
		t.Errorf("%d of the goldens are refused, too few for a comparison", refused)
	}
}
