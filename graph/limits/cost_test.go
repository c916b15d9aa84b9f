package limits_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/graph/limits"
)

func TestCost(t *testing.T) {
	tests := []struct {
		name, query     string
		variables       map[string]any
		points, objects int
	}{
		{"a field is a point", "{viewer{subject}}", nil, 2, 0},
		{"a field that does not exist is one, too", "{viewer{subject __typename}}", nil, 3, 0},
		{"a list is ten points more, and has as many objects as it may hold", "{registries(first:1){nodes{name}}}", nil, 13, 1},
		{"a count reads no objects", "{registries{nodes{tokens{totalCount}}}}", nil, 565, 50},
		{"up to 25 objects are read as one", "{registries(first:25){nodes{name}}}", nil, 13, 25},
		{"26 objects are read as two times 25", "{registries(first:26){nodes{name}}}", nil, 15, 26},
		{"the schema's default is a length, too", "{registries{nodes{name}}}", nil, 15, 50},
		{"lists in lists multiply", "{registries(first:50){nodes{name tokens(first:100){nodes{name}}}}}", nil, 917, 5050},
		{"an empty page holds nothing", "{registries(first:0){nodes{tokens{nodes{id}}}}}", nil, 13, 0},
		{"a negative page holds nothing", "{registries(first:-5){nodes{tokens{nodes{id}}}}}", nil, 13, 0},
		{"a variable is a length", "query($n:Int!){registries(first:$n){nodes{name}}}", map[string]any{"n": 26}, 15, 26},
		{"a variable's default is a length", "query($n:Int!=26){registries(first:$n){nodes{name}}}", nil, 15, 26},
		{"a variable that is not given leaves the schema's default", "query($n:Int=3){registries(first:$n){nodes{name}}}", nil, 13, 3},
		{"a list of ids is as long as it is", `{nodes(ids:["a","b","c"]){id}}`, nil, 12, 3},
		{"a list of ids in a variable is as long as it is", "query($ids:[ID!]!){nodes(ids:$ids){id}}",
			map[string]any{"ids": []string{"a", "b"}}, 12, 2},
		{"a fragment costs each time", "{registries(first:1){nodes{...F ...F}}} fragment F on Registry {tokens(first:1){totalCount}}", nil, 13 + 2*12 - 1, 1},
		{"an inline fragment costs what is in it", "{viewer{... on Viewer {subject} ... {self{subject}}}}", nil, 4, 0},
		{"a mutation is ten points more", `mutation{patchToken(input:{token:{id:"x"}}){id}}`, nil, 12, 0},
		{"each mutation is, in fragments too", `mutation{a:patchToken(input:{token:{id:"x"}}){id} ...M} fragment M on Mutation {b:patchToken(input:{token:{id:"x"}}){id}}`,
			nil, 24, 0},
		{"an object between is a field", "{registries(first:2){edges{node{tokens(first:3){nodes{id}}}}}}", nil, 38, 8},
	}
	a := newAPI(t, limits.Default())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := a.ask(t, test.query, test.variables)
			want := map[string]any{
				"points": float64(test.points), "maxPoints": 5000.,
				"objects": float64(test.objects), "maxObjects": 10000.,
			}
			if got.code() != "" {
				t.Fatalf("answered %s: %s", got.code(), got.Errors[0].Message)
			}
			if diff := cmp.Diff(got.Extensions["cost"], any(want)); diff != "" {
				t.Errorf("extensions.cost (-got +want):\n%s", diff)
			}
		})
	}
}
