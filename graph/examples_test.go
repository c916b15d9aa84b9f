package graph_test

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"testing"

	"regtok/catalog"
	"regtok/web"
)

// TestEveryExampleOfThePlaygroundHasAnAnswer runs the examples over the demo's providers. A list that the example shows is
// never empty, or people would not see what it is for.
func TestEveryExampleOfThePlaygroundHasAnAnswer(t *testing.T) {
	examples := web.Examples()
	names, err := fs.Glob(examples, "*.graphql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			query, err := fs.ReadFile(examples, name)
			if err != nil {
				t.Fatal(err)
			}
			w := newStage(t, plan{policy: catalog.Policy{MaxAge: demoPolicy()}})
			w.ask(t, "{ registries { totalCount } }", nil) // accounts have budgets once they were used
			w.recall(t)
			if regexp.MustCompile(`(?m)^subscription `).Match(query) {
				if first, _ := w.follow(t, string(query), nil, "").next(); !regexp.MustCompile(`^{"data":{"token\w+":{.*"kind":`).MatchString(first) {
					t.Errorf("the first event is %s", first)
				}
				return
			}
			a := w.ask(t, string(query), nil)
			if len(a.Errors) > 0 {
				t.Errorf("errors: %v", a.Errors)
			}
			var data map[string]any
			if err := json.Unmarshal(a.Data, &data); err != nil || len(data) == 0 {
				t.Fatalf("the answer is %s, %v", a.Data, err)
			}
			expectFilled(t, data)
		})
	}
}

// expectFilled expects that root fields are there, that connections hold something, and that nothing is unavailable.
func expectFilled(t *testing.T, data map[string]any) {
	t.Helper()
	for name, value := range data {
		if value == nil {
			t.Errorf("%s is null", name)
		}
		if list, ok := value.([]any); ok && len(list) == 0 {
			t.Errorf("%s is empty", name)
		}
		connection, ok := value.(map[string]any)
		if !ok {
			continue
		}
		if nodes, ok := connection["nodes"].([]any); ok && len(nodes) == 0 {
			t.Errorf("%s has no nodes", name)
		}
		if count, ok := connection["totalCount"].(float64); ok && count == 0 {
			t.Errorf("%s counts nothing", name)
		}
		if missing, ok := connection["unavailable"].([]any); ok && len(missing) > 0 {
			t.Errorf("%s lacks %v", name, missing)
		}
	}
}
