package graph_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatAResponseRemembersEndsWithIt asks the same thing several times in one response, and then in another, where nothing
// is cached.
func TestWhatAResponseRemembersEndsWithIt(t *testing.T) {
	const query = `query ($id: ID!) {
	  first: token(address: { id: $id }) { name }
	  second: token(address: { id: $id }) { name updatedBy { name } }
	  nodes(ids: [$id, $id]) { ... on Token { name } }
	}`
	w := newWorld(t, plan{cacheOff: true})
	want := map[string]int{"buildkite": 0, "ionos": 2} // the token, and who changed it
	for range 3 {
		if a := w.ask(t, query, map[string]any{"id": ionosToken}); len(a.Errors) > 0 {
			t.Fatal(a.Errors)
		}
		if diff := cmp.Diff(w.requests(), want); diff != "" {
			t.Errorf("the requests of one response (-got +want):\n%s", diff)
		}
	}
}

// TestAListThatAResponseHasReadTellsItsRegistries asks for tokens out of lists and for their registries, where nothing is
// cached.
func TestAListThatAResponseHasReadTellsItsRegistries(t *testing.T) {
	w := newWorld(t, plan{cacheOff: true})
	a := w.ask(t, "{ tokens(first: 40) { nodes { name registry { name } organization { name } } } }", nil)
	if len(a.Errors) > 0 {
		t.Fatal(a.Errors)
	}
	// Organizations, registries of each, and tokens of each registry.
	if diff := cmp.Diff(w.requests(), map[string]int{"buildkite": 1 + 2 + 8, "ionos": 1 + 6}); diff != "" {
		t.Errorf("requests (-got +want):\n%s", diff)
	}
}
