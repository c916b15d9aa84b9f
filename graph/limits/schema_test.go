package limits_test

import (
	"os"
	"testing"

	"regtok/graph/limits"
)

// What people ask of the real schema is far from the limits: see docs/decisions/what-an-operation-costs.md.
func TestWhatDashboardsAskIsWithinTheLimits(t *testing.T) {
	sdl, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	a := newAPIOf(t, string(sdl), limits.Default())
	tests := []struct {
		name, query     string
		points, objects float64
	}{
		{"all tokens of all registries, in pages of the default size", "{registries{nodes{tokens{nodes{id name}}}}}", 815, 2550},
		{"40 registries with ten tokens each and their creators",
			"{registries(first:40){nodes{id name tokens(first:10){nodes{id name expiresAt createdBy{id name}}}}}}", 699, 440},
		{"50 registries with a hundred tokens each, ten fields of each",
			"{registries(first:50){nodes{id name tokens(first:100){nodes{id name state expiresAt dueAt createdAt createdBy{id name} provider{slug}}}}}}",
			2919, 5050},
		{"a token by id, with all that is around it",
			"{node(id:\"x\"){id ... on Token{name registry{name organization{name provider{name}}} createdBy{name email}}}}", 12, 0},
		{"a hundred tokens, soonest due first, with a summary",
			"{tokens(first:100){totalCount nodes{name state dueAt dueSource registry{name organization{name}} createdBy{name}} summary{expired expiring}}}",
			71, 100},
		{"a create, with all that is told of it",
			"mutation{createToken(input:{registryId:\"x\",name:\"n\"}){token{id name registry{name tokens(first:1){totalCount}}} tokenEdge{cursor node{id}} credential{username secret dockerConfigJson} errors{code message path}}}",
			40, 0},
	}
	for _, test := range tests {
		got := a.ask(t, test.query, nil)
		if got.code() != "" {
			t.Errorf("%s: answered %s: %s", test.name, got.code(), got.Errors[0].Message)
			continue
		}
		cost := got.Extensions["cost"].(map[string]any)
		if cost["points"] != test.points || cost["objects"] != test.objects {
			t.Errorf("%s: costs %v points and %v objects, want %v and %v", test.name, cost["points"], cost["objects"], test.points, test.objects)
		}
	}
}
