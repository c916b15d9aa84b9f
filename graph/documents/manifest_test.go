package documents_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/graph/documents"
	"regtok/graph/limits"
)

// foresee takes documents that the schema and the limits allow.
func foresee(text string) ([]string, gqlerror.List) { return limits.Default().Foresee(parsed(), text) }

func TestManifestsOfThreeKindsAreRead(t *testing.T) {
	for name, text := range map[string]string{
		"Relay, by MD5":      `{"b6e8ee4f0a9f3b9a7a9a06a6a0a1d111": "query Hello {hello}", "c1": "query Other {hello other: hello}"}`,
		"graphql-codegen":    `{"sha256:0f0e": "query Hello { hello }", "c1": "mutation Change { hello }"}`,
		"Apollo":             `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a", "name": "Hello", "type": "query", "body": "query Hello {hello}"}, {"id": "b", "name": "S", "type": "subscription", "body": "subscription S {hello}"}]}`,
		"a byte order mark":  "\ufeff" + `{"a": "{hello}", "b": "{hello} "}`,
		"one text, two ids":  `{"a": "{hello}", "b": "{hello}"}`,
		"ids of other words": `{"operations": "{hello}", "format": "{hello}"}`,
	} {
		m, err := documents.Read([]byte(text), foresee)
		if err != nil || m.Len() != 2 {
			t.Errorf("%s: %d documents, %v", name, m.Len(), err)
		}
	}
}

func TestAManifestThatIsWrongIsRefusedWithTheNameOfTheDocument(t *testing.T) {
	other := sum("{hello}")
	tests := []struct{ name, text, want string }{
		{"no JSON", `{"a": `, "not JSON"},
		{"no object", `["{hello}"]`, "no JSON object"},
		{"no UTF-8", "{\"a\": \"{hello\xff}\"}", "not UTF-8"},
		{"nothing", `{}`, "holds no document"},
		{"no text", `{"a": 1}`, `document "a" is no text`},
		{"null", `{"a": null}`, `document "a" is no text`},
		{"twice", `{"a": "{hello}", "a": "{hello}"}`, `document "a" stands there twice`},
		{"twice at Apollo", `{"operations": [{"id": "a", "body": "{hello}"}, {"id": "a", "body": "{hello}"}]}`, `document "a" stands there twice`},
		{"no list of operations", `{"operations": [1]}`, "operations is no list of objects"},
		{"no id", `{"": "{hello}"}`, "ids have 1 to 200 bytes"},
		{"no id at Apollo", `{"operations": [{"body": "{hello}"}]}`, "ids have 1 to 200 bytes"},
		{"a long id", `{"` + strings.Repeat("a", 201) + `": "{hello}"}`, "ids have 1 to 200 bytes"},
		{"no GraphQL", `{"a": "query Q {"}`, `document "a": Expected Name`},
		{"no operation", `{"a": "fragment F on Query {hello}"}`, `document "a": it has no operation`},
		{"an unknown field", `{"a": "query Q {gone}"}`, `document "a" (Q): Cannot query field "gone" on type "Query"`},
		{"a scalar with fields", `{"a": "query Q {hello {x}}"}`, `document "a" (Q): Field "hello" must not have a selection`},
		{"too deep", `{"a": "query Q {` + strings.Repeat("self {", 13) + "hello" + strings.Repeat("}", 14) + `"}`, `document "a" (Q): fields are nested more than 12 deep`},
		{"too costly", `{"a": "query Q {list(first: 100) {nodes {list(first: 100) {nodes {list(first: 100) {nodes {hello}}}}}}}"}`, `document "a" (Q): the lists may hold more than 10000 objects`},
		{"introspection that is off", `{"a": "query Q {__schema {queryType {name}}}"}`, `document "a" (Q): introspection is switched off`},
		{"the hash of another", `{"` + other + `": "{other: hello}", "b": "{hello}"}`, `document "` + other + `": its id is the hash of another document`},
	}
	for _, test := range tests {
		_, err := documents.Read([]byte(test.text), foresee)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", test.name, err, test.want)
		}
	}
}

func TestAllThatIsWrongWithAManifestIsToldAtOnceUpToTenThings(t *testing.T) {
	var text strings.Builder
	for i := range 15 {
		fmt.Fprintf(&text, `, "%02d": "query Q%02d {gone}"`, i, i)
	}
	_, err := documents.Read([]byte("{"+text.String()[1:]+"}"), foresee)
	if err == nil {
		t.Fatal("15 wrong documents were taken")
	}
	told := err.Error()
	if !strings.Contains(told, `"00" (Q00)`) || !strings.Contains(told, `"09" (Q09)`) || strings.Contains(told, `"10"`) || !strings.HasSuffix(told, "and 5 more") {
		t.Errorf("told %s", told)
	}
	many := make([]string, 10_001)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d": "{hello}"`, i)
	}
	if _, err := documents.Read([]byte("{"+strings.Join(many, ",")+"}"), foresee); err == nil || !strings.Contains(err.Error(), "more than 10000") {
		t.Errorf("10,001 documents: %v", err)
	}
}
