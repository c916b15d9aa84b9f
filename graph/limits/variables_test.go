package limits_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/graph/limits"
)

func TestVariables(t *testing.T) {
	const (
		byAddress = "query($a: TokenAddress!) {token(address: $a) {id}}"
		byFilters = "query($f: [Filter!]) {search(filters: $f) {id}}"
		byState   = "query($s: State, $n: Int! = 1) {registries(first: $n, state: $s) {totalCount}}"
		byID      = "query($id: ID!) {token(address: {id: $id}) {id}}"
	)
	tests := []struct {
		name, query, variables string
		code                   string
		path                   []any
	}{
		{"one key is good", byAddress, `{"a": {"id": "x"}}`, "", nil},
		{"one key with an object is good", byAddress, `{"a": {"native": {"registryId": "r", "nativeId": "n"}}}`, "", nil},
		{"a literal with one key from a variable is good", byID, `{"id": "x"}`, "", nil},
		{"two keys are refused", byAddress, `{"a": {"id": "x", "native": {"registryId": "r", "nativeId": "n"}}}`, "INVALID", []any{"variable", "a"}},
		{"two keys, one of them null, are refused", byAddress, `{"a": {"id": "x", "native": null}}`, "INVALID", []any{"variable", "a"}},
		{"no key is refused", byAddress, `{"a": {}}`, "INVALID", []any{"variable", "a"}},
		{"a null key is refused", byAddress, `{"a": {"id": null}}`, "INVALID", []any{"variable", "a"}},
		{"an unknown key is refused", byAddress, `{"a": {"uuid": "x"}}`, "INVALID", []any{"variable", "a", "uuid"}},
		{"no object is refused", byAddress, `{"a": "x"}`, "INVALID", []any{"variable", "a"}},
		{"null for what may not be null is refused", byAddress, `{"a": null}`, "INVALID", []any{"variable", "a"}},
		{"nothing for what must be given is refused", byAddress, `{}`, "INVALID", []any{"variable", "a"}},
		{"two keys inside an object are refused", "mutation($i: PatchTokenInput!) {patchToken(input: $i) {id}}",
			`{"i": {"token": {"id": "x"}, "expiry": {"in": "P1D", "never": true}}}`, "INVALID", []any{"variable", "i", "expiry"}},
		{"two keys inside a list are refused", byFilters,
			`{"f": [{}, {"any": [{"address": {"id": "x"}}, {"address": {}}]}]}`, "INVALID", []any{"variable", "f", 1., "any", 1., "address"}},
		{"two keys inside a list of lists are refused", byFilters,
			`{"f": [{"all": [[{"address": {}}]]}]}`, "INVALID", []any{"variable", "f", 0., "all", 0., 0., "address"}},
		{"two keys inside a single value for a list are refused", byFilters,
			`{"f": {"all": {"address": {}}}}`, "INVALID", nil},
		{"an enum value is good", byState, `{"s": "ACTIVE"}`, "", nil},
		{"an unknown enum value is refused", byState, `{"s": "GONE"}`, "INVALID", []any{"variable", "s"}},
		{"an enum value in small letters is refused", byState, `{"s": "active"}`, "INVALID", []any{"variable", "s"}},
		{"a number for an enum is refused", byState, `{"s": 1}`, "INVALID", []any{"variable", "s"}},
		{"an unknown enum value inside a list is refused", byFilters,
			`{"f": [{"states": ["ACTIVE", "GONE"]}]}`, "INVALID", []any{"variable", "f", 0., "states", 1.}},
		{"a text for an integer is refused", byState, `{"n": "1"}`, "INVALID", []any{"variable", "n"}},
		{"a fraction for an integer is refused", byState, `{"n": 1.5}`, "INVALID", []any{"variable", "n"}},
		{"an integer beyond 32 bits is refused", byState, `{"n": -3000000000}`, "INVALID", []any{"variable", "n"}},
		{"a number for a text is refused", byAddress, `{"a": {"native": {"registryId": "r", "nativeId": 1}}}`, "INVALID",
			[]any{"variable", "a", "native", "nativeId"}},
		{"an integer for an id is good", byID, `{"id": 4}`, "", nil},
		{"an integer in a literal default for an id is good", "query($id: ID! = 4) {token(address: {id: $id}) {id}}", `{}`, "", nil},
		{"a fraction for an id is refused", byID, `{"id": 4.5}`, "INVALID", []any{"variable", "id"}},
		{"a text for a boolean is refused", "query($b: Boolean!) {viewer @include(if: $b) {subject}}", `{"b": "true"}`,
			"INVALID", []any{"variable", "b"}},
		{"a fraction is good", "query($w: Float) {weigh(grams: $w)}", `{"w": 1.5}`, "", nil},
		{"a text for a fraction is refused", "query($w: Float) {weigh(grams: $w)}", `{"w": "1.5"}`, "INVALID", []any{"variable", "w"}},
		{"a list of 51 is refused", byFilters, `{"f": [` + strings.Repeat("{},", 50) + `{}]}`, "INVALID", []any{"variable", "f"}},
		{"a list of 51 deep inside is refused", byFilters,
			`{"f": {"any": [{"states": [` + strings.Repeat(`"ACTIVE",`, 50) + `"ACTIVE"]}]}}`, "INVALID", []any{"variable", "f"}},
		{"a variable that nobody declared is left alone", byState, `{"other": [1]}`, "", nil},
		{"both keys in a literal are refused", `{token(address: {id: "x", native: {registryId: "r", nativeId: "n"}}) {id}}`, `{}`,
			"GRAPHQL_VALIDATION_FAILED", nil},
		{"a key in a literal that may be null is refused", "query($id: ID) {token(address: {id: $id}) {id}}", `{"id": null}`,
			"GRAPHQL_VALIDATION_FAILED", nil},
		{"both keys in a variable's default are refused", `query($a: TokenAddress! = {id: "x", native: null}) {token(address: $a) {id}}`, `{}`,
			"GRAPHQL_VALIDATION_FAILED", nil},
	}
	a := newAPI(t, limits.Default())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := len(a.ran())
			got := a.send(t, map[string]any{"query": test.query, "variables": json.RawMessage(test.variables)})
			if got.code() != test.code {
				t.Fatalf("answered %q, want %q: %v", got.code(), test.code, got.Errors)
			}
			if test.path != nil {
				if diff := cmp.Diff(got.Errors[0].Path, test.path); diff != "" {
					t.Errorf("path (-got +want):\n%s", diff)
				}
			}
			if ran := len(a.ran()) > before; ran != (test.code == "") {
				t.Errorf("executed: %t, want %t", ran, test.code == "")
			}
		})
	}
}

func TestErrorsAreFewAndShort(t *testing.T) {
	a := newAPI(t, limits.Default())
	t.Run("of those of the validator, ten are told and the rest counted", func(t *testing.T) {
		got := a.ask(t, "{viewer{"+many(33, " f%d")+"}}", nil)
		if len(got.Errors) != 10 || got.Extensions["omittedErrors"] != 23. {
			t.Errorf("%d errors, %v omitted, want 10 and 23", len(got.Errors), got.Extensions["omittedErrors"])
		}
	})
	t.Run("of those of resolvers, too", func(t *testing.T) {
		got := a.ask(t, "{fail}", nil)
		if len(got.Errors) != 10 || got.Extensions["omittedErrors"] != 20. {
			t.Errorf("%d errors, %v omitted, want 10 and 20", len(got.Errors), got.Extensions["omittedErrors"])
		}
	})
	t.Run("a long name in a variable is cut", func(t *testing.T) {
		got := a.ask(t, "query($a: TokenAddress!) {token(address: $a) {id}}",
			map[string]any{"a": map[string]any{strings.Repeat("x", 100_000): 1}})
		if got.code() != "INVALID" || got.size > 1000 {
			t.Errorf("answered %q in %d bytes, want INVALID in at most 1000", got.code(), got.size)
		}
	})
	t.Run("a long operation name is cut", func(t *testing.T) {
		got := a.send(t, map[string]any{"query": "query A {viewer{subject}}", "operationName": strings.Repeat("B\x00", 50_000)})
		if got.code() != "GRAPHQL_VALIDATION_FAILED" || got.size > 1000 {
			t.Errorf("answered %q in %d bytes, want GRAPHQL_VALIDATION_FAILED in at most 1000", got.code(), got.size)
		}
	})
}
