package limits_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/graph/limits"
)

// chain nests n fields.
func chain(n int) string {
	return "{viewer" + strings.Repeat("{self", n-2) + "{subject}" + strings.Repeat("}", n-2) + "}"
}

func TestEachLimitHoldsWhereItSays(t *testing.T) {
	l := limits.Default()
	l.Introspection = true
	a := newAPI(t, l)
	tests := []struct {
		limit   string
		max     int
		code    string
		most    string // as much as is allowed
		further string // and a bit more
	}{
		// Each field and each brace is a token.
		{"tokens", 1000, "QUERY_TOO_LARGE", "{viewer{" + many(995, " f%d") + "}}", "{viewer{" + many(996, " f%d") + "}}"},
		{"bytes", 64 << 10, "QUERY_TOO_LARGE",
			"{viewer{subject}}" + strings.Repeat(" ", 64<<10-17), "{viewer{subject}}" + strings.Repeat(" ", 64<<10-16)},
		{"depth", 12, "QUERY_TOO_DEEP", chain(12), chain(13)},
		{"introspectionDepth", 20, "QUERY_TOO_DEEP",
			`{__type(name:"A"){name` + strings.Repeat("{ofType", 19) + strings.Repeat("}", 19) + "}}",
			`{__type(name:"A"){name` + strings.Repeat("{ofType", 20) + strings.Repeat("}", 20) + "}}"},
		{"rootFields", 10, "QUERY_TOO_LARGE",
			"{...F" + many(5, " a%d:viewer{subject}") + "} fragment F on Query {" + many(5, " b%d:viewer{subject}") + "}",
			"{...F" + many(5, " a%d:viewer{subject}") + "} fragment F on Query {" + many(6, " b%d:viewer{subject}") + "}"},
		{"aliases", 15, "QUERY_TOO_LARGE",
			"{viewer{...F ...F" + many(7, " a%d:subject") + "}} fragment F on Viewer {" + many(8, " b%d:subject") + "}",
			"{viewer{...F ...F" + many(7, " a%d:subject") + "}} fragment F on Viewer {" + many(9, " b%d:subject") + "}"},
		{"aliasLength", 100, "QUERY_TOO_LARGE",
			"{viewer{...F}} fragment F on Viewer{" + strings.Repeat("a", 100) + ":subject}", "{viewer{...F}} fragment F on Viewer{" + strings.Repeat("a", 101) + ":subject}"},
		{"directives", 50, "QUERY_TOO_LARGE",
			"{viewer{subject" + strings.Repeat("@x", 50) + "}}", "{viewer{subject" + strings.Repeat("@x", 51) + "}}"},
		{"listItems", 50, "INVALID",
			"{nodes(ids:[" + many(50, "%d ") + "]){id}}", "{nodes(ids:[" + many(51, "%d ") + "]){id}}"},
		{"objects", 10_000, "QUERY_TOO_COSTLY",
			"{registries(first:100){nodes{tokens(first:99){nodes{id}}}}}", "{registries(first:100){nodes{tokens(first:100){nodes{id}}}}}"},
		{"points", 5000, "QUERY_TOO_COSTLY",
			"{registries(first:100){nodes{tokens(first:75){nodes{" + many(12, "f%d ") + "}}}}}",
			"{registries(first:100){nodes{tokens(first:75){nodes{" + many(13, "f%d ") + "}}}}}"},
	}
	for _, test := range tests {
		t.Run(test.limit, func(t *testing.T) {
			// What is within the limits may still not fit the schema.
			if got := a.ask(t, test.most, nil).code(); got != "" && got != "GRAPHQL_VALIDATION_FAILED" {
				t.Errorf("%.200s\nanswered %s, want it within the limits", test.most, got)
			}
			got := a.ask(t, test.further, nil)
			if got.code() != test.code {
				t.Fatalf("%.200s\nanswered %q, want %s", test.further, got.code(), test.code)
			}
			extensions := got.Errors[0].Extensions
			if extensions["limit"] != test.limit || extensions["max"] != float64(test.max) {
				t.Errorf("refused by %v of %v, want %s of %d", extensions["limit"], extensions["max"], test.limit, test.max)
			}
			if actual, told := extensions["actual"].(float64); told && actual <= float64(test.max) {
				t.Errorf("refused with %v although %d are allowed", actual, test.max)
			}
			if !strings.Contains(got.Errors[0].Message, ": ") {
				t.Errorf("message %q does not say what to do", got.Errors[0].Message)
			}
		})
	}
}

func TestFragmentsOnDifferentTypesMayShareFieldNames(t *testing.T) {
	a := newAPI(t, limits.Default())
	query := "{nodes(ids:[1]){" + "... on Token{id name} ... on Registry{id name}" + "}}"
	if got := a.ask(t, query, nil); got.code() != "" {
		t.Errorf("answered %s: %s", got.code(), got.Errors[0].Message)
	}
}

func TestWhatStandardToolsAskOfTheSchema(t *testing.T) {
	// As deep and as wide as what GraphiQL sends.
	query := `query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
		types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
	fragment FullType on __Type { kind name description specifiedByURL
		fields(includeDeprecated: true) { name args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } }
		inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef } possibleTypes { ...TypeRef }
		enumValues(includeDeprecated: true) { name isDeprecated } }
	fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue isDeprecated }
	fragment TypeRef on __Type ` + strings.Repeat("{ kind name ofType ", 9) + "{ kind name }" + strings.Repeat("}", 9)

	t.Run("it is answered when introspection is on", func(t *testing.T) {
		l := limits.Default()
		l.Introspection = true
		if got := newAPI(t, l).ask(t, query, nil); got.code() != "" {
			t.Errorf("answered %s: %s", got.code(), got.Errors[0].Message)
		}
	})
	t.Run("it is refused when introspection is off", func(t *testing.T) {
		a := newAPI(t, limits.Default())
		if got := a.ask(t, query, nil); got.code() != "INTROSPECTION_OFF" {
			t.Errorf("answered %q, want INTROSPECTION_OFF", got.code())
		}
		if len(a.ran()) != 0 {
			t.Error("it was executed")
		}
	})
	t.Run("a single type is null when introspection is off", func(t *testing.T) {
		got := newAPI(t, limits.Default()).ask(t, `{ t: __type(name: "Token") { name } }`, nil)
		if diff := cmp.Diff(got.Data, map[string]any{"t": nil}); diff != "" || got.code() != "" {
			t.Errorf("answered %q and data (-got +want):\n%s", got.code(), diff)
		}
	})
}

func TestNamesAreSuggestedOnlyWithIntrospection(t *testing.T) {
	tests := []struct{ name, query string }{
		{"a field", "{viewr{subject}}"},
		{"an argument", "{registries(frist:1){totalCount}}"},
		{"a type", "{viewer{...F}} fragment F on Viewr {subject}"},
		{"an enum value", "{registries(state:ACTIV){totalCount}}"},
		{"an input field", `{token(address:{ide:"a"}){id}}`},
		{"a leaf", "{viewer}"},
	}
	for _, on := range []bool{true, false} {
		l := limits.Default()
		l.Introspection = on
		a := newAPI(t, l)
		for _, test := range tests {
			got := a.ask(t, test.query, nil)
			if got.code() != "GRAPHQL_VALIDATION_FAILED" {
				t.Fatalf("%s: answered %q", test.name, got.code())
			}
			if suggested := strings.Contains(got.Errors[0].Message, "Did you mean"); suggested != on {
				t.Errorf("introspection %t, %s: message %q", on, test.name, got.Errors[0].Message)
			}
		}
	}
}

func TestADocumentIsParsedOnce(t *testing.T) {
	a := newAPI(t, limits.Default())
	query := "query($n: Int!) {registries(first: $n){nodes{name}}}"
	a.ask(t, query, map[string]any{"n": 1})
	a.ask(t, query, map[string]any{"n": 2})
	docs := a.ran()
	if len(docs) != 2 || docs[0] != docs[1] {
		t.Fatalf("%d operations ran, want 2 of the same parsed document", len(docs))
	}
	if got := a.ask(t, query, map[string]any{"n": 20_000}).code(); got != "QUERY_TOO_COSTLY" {
		t.Errorf("with a larger page the known document is answered %q, want QUERY_TOO_COSTLY", got)
	}
}
