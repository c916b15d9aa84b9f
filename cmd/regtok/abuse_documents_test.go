package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// accepting lets the status say that a document was refused.
const accepting = "Accept: application/graphql-response+json"

// asking is a request with a document, and with variables if there are any.
func asking(document string, variables ...string) string {
	query, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	body := fmt.Sprintf(`{"query":%s}`, query)
	if len(variables) > 0 {
		body = fmt.Sprintf(`{"query":%s,"variables":%s}`, query, variables[0])
	}
	return posted(body, accepting)
}

// doubling are 31 fragments, each of which spreads the next one twice.
func doubling(on, last string) string {
	var text strings.Builder
	for i := range 30 {
		fmt.Fprintf(&text, " fragment F%d on %s { ...F%d ...F%d }", i, on, i+1, i+1)
	}
	fmt.Fprintf(&text, " fragment F30 on %s { %s }", on, last)
	return text.String()
}

// hostileDocuments ask for too much, or for what is none of the caller's business.
func hostileDocuments() []attack {
	const wrong, large, costly = "GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_LARGE", "QUERY_TOO_COSTLY"
	return []attack{
		{"no document", asking(""), 400, wrong},
		{"a document of brackets", asking(strings.Repeat("{", 900)), 400, "GRAPHQL_PARSE_FAILED"},
		{"half a million braces", asking(strings.Repeat("{a", 300_000)), 400, large},
		{"16,000 fields", asking("{viewer{" + strings.Repeat(" subject", 16_000) + "}}"), 400, large},
		{"4,000 aliases", asking("{" + many(4000, " a%d:viewer{subject}") + "}"), 400, large},
		{"300 aliases", asking("{viewer{" + many(300, " a%d:subject") + "}}"), 400, large},
		{"an alias of 60 KB", asking("{registries(first:50){nodes{tokens(first:100){nodes{" + strings.Repeat("a", 60_000) + ":id}}}}}"), 400, large},
		{"300 fields at the root", asking("{" + strings.Repeat(" viewer", 300) + "}"), 400, large},
		{"400 directives", asking("{viewer " + strings.Repeat("@a", 400) + "{subject}}"), 400, large},
		{"2,000 fields in conflict", asking("{" + many(2000, " a:nodes(ids:%d){id}") + "}"), 400, large},
		{"fragments that double at the root", asking("{...F0}" + doubling("Query", "viewer{subject}")), 400, large},
		{"fragments that double below", asking("{viewer{...F0}}" + doubling("Viewer", "subject")), 400, costly},
		{"fragments in a circle", asking("{...A} fragment A on Query {...B} fragment B on Query {...A}"), 400, wrong},
		{"300 levels", asking(strings.Repeat("{self", 300) + strings.Repeat("}", 300)), 400, "QUERY_TOO_DEEP"},
		{"a page of a billion", asking("{tokens(first:1000000000){nodes{id}}}"), 400, costly},
		{"pages within pages", asking("{registries{nodes{tokens{nodes{createdBy{tokens{nodes{id}}}}}}}}"), 400, costly},
		{"a comment of 600 KB", asking("#" + strings.Repeat("a", 600_000) + "\n{viewer{subject}}"), 400, large},
		{"the schema", asking("{__schema{types{name fields{name type{name ofType{name}}}}}}"), 400, "INTROSPECTION_OFF"},
		{"a guess at a name", asking("{viewer{subjec}}"), 400, wrong},
		{"a mutation that is a query", asking("query{deleteToken(input:{token:{id:\"x\"}}){errors{code}}}"), 400, wrong},
		{"two operations and no name", asking("query A{viewer{subject}} query B{viewer{subject}}"), 400, wrong},
		{"an operation that there is not", posted(`{"query":"query A{viewer{subject}}","operationName":"B"}`, accepting), 400, wrong},
		{"a subscription in one answer", asking("subscription{tokenExpiry{__typename}}"), 400, "UNSUPPORTED"},
		{"many subscriptions at once", asking("subscription{tokenExpiry{__typename} b:tokenExpiry{__typename}}"), 400, wrong},
		{"a hundred mutations", asking("mutation{" + many(100, ` a%d:deleteToken(input:{token:{id:"x"}}){errors{code}}`) + "}"), 400, large},
	}
}

// hostileValues are arguments that are no values of their kind.
func hostileValues() []attack {
	const wrong, invalid = "GRAPHQL_VALIDATION_FAILED", "INVALID"
	node := func(id string) string {
		variables, err := json.Marshal(map[string]string{"id": id})
		if err != nil {
			panic(err)
		}
		return asking("query($id:ID!){node(id:$id){id}}", string(variables))
	}
	tokens := func(arguments string) string { return asking("{tokens(" + arguments + "){totalCount}}") }
	return []attack{
		{"an id of 500 KB", node(strings.Repeat("A", 500_000)), 200, "NOT_FOUND"},
		{"an id that leads elsewhere", node("../../../../admin"), 200, "NOT_FOUND"},
		{"an id with a zero byte", node("a\x00b"), 200, "NOT_FOUND"},
		{"an id that is no text", asking("query($id:ID!){node(id:$id){id}}", `{"id":{"a":1}}`), 400, invalid},
		{"1,000 ids", asking("query($ids:[ID!]!){nodes(ids:$ids){id}}", `{"ids":["x"`+strings.Repeat(`,"x"`, 1000)+`]}`), 400, invalid},
		{"a cursor of somebody else", tokens(`after:"` + strings.Repeat("A", 1000) + `"`), 200, invalid},
		{"a page of minus one", tokens("first:-1"), 200, invalid},
		{"a page of 1e999", tokens("first:1e999"), 400, wrong},
		{"a duration that there is not", tokens(`filter:{dueWithin:"P99999999999999999999D"}`), 400, invalid},
		{"a date that there is not", tokens(`filter:{created:{from:"2026-99-99T00:00:00Z"}}`), 400, invalid},
		{"a variable that is not declared", asking("{node(id:$id){id}}"), 400, wrong},
		{"an enum as a text", tokens(`filter:{states:["SQL' OR 1=1"]}`), 400, wrong},
		{"a field that no input has", tokens(`filter:{__proto__:{admin:true}}`), 400, wrong},
	}
}
