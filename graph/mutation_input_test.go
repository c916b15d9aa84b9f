package graph_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	ionosRegistry     = "AXIFaW9ub3MIMzI3NDAxNTgkMTM2MjFiZjYtODY4OS00YzljLWJlMTktNjU3OWI2NDQzZTkx"
	buildkiteRegistry = "AXIJYnVpbGRraXRlJDAxODY5YzJmLTczNmEtN2VhZi1hZDE2LTc0ZmYxYTlhOTM3ZiQwMThmNTdjMC1iZDM0LTdkMDEtYWJkYi0yOWFjNTdhYjk1ZGM"

	createQuery = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { token { name } errors { code path } } }`
	patchQuery  = `mutation ($input: PatchTokenInput!) { patchToken(input: $input) { token { name } errors { code path } } }`
	rotateQuery = `mutation ($input: RotateTokenInput!) { rotateToken(input: $input) { token { name } errors { code path } } }`
)

type object = map[string]any

func patchOf(more object) object {
	input := object{"token": object{"id": ionosToken}}
	for key, value := range more {
		input[key] = value
	}
	return object{"input": input}
}

func createOf(more object) object {
	input := object{"registryId": ionosRegistry, "name": "deploy"}
	for key, value := range more {
		input[key] = value
	}
	return object{"input": input}
}

// TestVariablesThatDoNotFitTheSchemaNeverReachAMutation: what GraphQL itself forbids is no payload's matter.
func TestVariablesThatDoNotFitTheSchemaNeverReachAMutation(t *testing.T) {
	scopes := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = object{"type": "repository", "name": fmt.Sprint("team/", i), "actions": []any{"pull"}}
		}
		return list
	}
	native := object{"registryId": ionosRegistry, "nativeId": "99dc9f1e-8794-4619-97e8-3a886afa7c6c"}
	tests := []struct {
		name, query string
		variables   object
		path        []any // of the error
	}{
		{"two keys of an expiry", createQuery, createOf(object{"expiry": object{"in": "P1D", "never": true}}), []any{"variable", "input", "expiry"}},
		{"all keys of an expiry", patchQuery, patchOf(object{"expiry": object{"at": "2030-01-01T00:00:00Z", "in": "P1D", "never": true}}),
			[]any{"variable", "input", "expiry"}},
		{"two keys of an expiry, one of them null", patchQuery, patchOf(object{"expiry": object{"at": nil, "never": true}}), []any{"variable", "input", "expiry"}},
		{"no key of an expiry", patchQuery, patchOf(object{"expiry": object{}}), []any{"variable", "input", "expiry"}},
		{"a null key of an expiry", patchQuery, patchOf(object{"expiry": object{"at": nil}}), []any{"variable", "input", "expiry"}},
		{"no key of a rotation's expiry", rotateQuery, patchOf(object{"expiry": object{}}), []any{"variable", "input", "expiry"}},
		{"both keys of scopes", patchQuery, patchOf(object{"scopes": object{"set": []any{}, "change": object{}}}), []any{"variable", "input", "scopes"}},
		{"no key of scopes", patchQuery, patchOf(object{"scopes": object{}}), []any{"variable", "input", "scopes"}},
		{"a null key of scopes", patchQuery, patchOf(object{"scopes": object{"set": nil}}), []any{"variable", "input", "scopes"}},
		{"both keys of an address", patchQuery, object{"input": object{"token": object{"id": ionosToken, "native": native}, "enabled": true}},
			[]any{"variable", "input", "token"}},
		{"no key of an address", patchQuery, object{"input": object{"token": object{}, "enabled": true}}, []any{"variable", "input", "token"}},
		{"a null key of an address", patchQuery, object{"input": object{"token": object{"id": nil}, "enabled": true}}, []any{"variable", "input", "token"}},
		{"no address", patchQuery, object{"input": object{"enabled": true}}, []any{"variable", "input", "token"}},
		{"a field that does not exist", patchQuery, patchOf(object{"expiresAt": nil}), []any{"variable", "input", "expiresAt"}},
		{"a text for a switch", patchQuery, patchOf(object{"enabled": "true"}), []any{"variable", "input", "enabled"}},
		{"a number for a name", createQuery, createOf(object{"name": 1}), []any{"variable", "input", "name"}},
		{"null for an overlap", rotateQuery, patchOf(object{"overlap": nil}), []any{"variable", "input", "overlap"}},
		{"51 scopes", createQuery, createOf(object{"scopes": scopes(51)}), []any{"variable", "input"}},
		{"51 scopes to remove", patchQuery, patchOf(object{"scopes": object{"change": object{"remove": scopes(51)}}}), []any{"variable", "input"}},
	}
	w := newWorld(t, plan{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := w.ask(t, test.query, test.variables)
			if len(a.Data) > 0 || len(a.Errors) == 0 {
				t.Fatalf("answered %s, %v, want an error and no data", a.Data, a.Errors)
			}
			extensions, _ := a.Errors[0]["extensions"].(object)
			if extensions["code"] != "INVALID" {
				t.Errorf("the error is %v, want INVALID", a.Errors[0])
			}
			if diff := cmp.Diff(a.Errors[0]["path"], any(test.path)); diff != "" {
				t.Errorf("path (-got +want):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff(w.requests(), map[string]int{"buildkite": 0, "ionos": 0}); diff != "" {
		t.Errorf("requests for what does not fit (-got +want):\n%s", diff)
	}
	if a := w.ask(t, createQuery, createOf(object{"scopes": scopes(50)})); string(a.Data) != `{"createToken":{"token":{"name":"deploy"},"errors":[]}}` {
		t.Errorf("50 scopes were answered %s, %v", a.Data, a.Errors)
	}
}

// TestSpansAndMomentsThatMakeNoSenseLetNothingRun: other mutations of the document would be done otherwise.
func TestSpansAndMomentsThatMakeNoSenseLetNothingRun(t *testing.T) {
	const pair = `mutation ($good: CreateTokenInput!, $odd: CreateTokenInput!) {
		good: createToken(input: $good) { token { name } errors { code } }
		odd: createToken(input: $odd) { token { name } errors { code } }
	}`
	odd := func(expiry object) object {
		return object{"good": atBuildkite(), "odd": object{"registryId": ionosRegistry, "name": "odd", "expiry": expiry}}
	}
	tests := []struct {
		query     string
		variables object
		path      []any
	}{
		{pair, odd(object{"in": "1 month"}), []any{"variable", "odd", "expiry", "in"}},
		{pair, odd(object{"in": "P1M"}), []any{"variable", "odd", "expiry", "in"}},
		{pair, odd(object{"at": "2030-01-01"}), []any{"variable", "odd", "expiry", "at"}},
		{rotateQuery, patchOf(object{"overlap": "a week"}), []any{"variable", "input", "overlap"}},
		{`mutation { good: createToken(input: {registryId: "` + ionosRegistry + `", name: "good"}) { errors { code } }
			...odd }
			fragment odd on Mutation { odd: createToken(input: {registryId: "` + ionosRegistry + `", name: "odd", expiry: {in: "soon"}}) { errors { code } } }`, nil, nil},
	}
	w := newWorld(t, plan{})
	for _, test := range tests {
		a := w.ask(t, test.query, test.variables)
		if len(a.Errors) != 1 || len(a.Data) > 0 {
			t.Fatalf("%v: answered %s, %v, want an error and no data", test.variables, a.Data, a.Errors)
		}
		extensions, _ := a.Errors[0]["extensions"].(object)
		path, _ := a.Errors[0]["path"].([]any)
		if diff := cmp.Diff(path, test.path); diff != "" || extensions["code"] != "INVALID" {
			t.Errorf("%v: %v, want INVALID at %v", test.variables, a.Errors[0], test.path)
		}
	}
	if diff := cmp.Diff(w.requests(), map[string]int{"buildkite": 0, "ionos": 0}); diff != "" {
		t.Errorf("requests (-got +want):\n%s", diff)
	}
}
