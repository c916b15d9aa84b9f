package limits_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"regtok/graph/limits"
)

// The goal is 20 ms, which the benchmark shows. A test machine may have much else to do and the race detector watches, so
// a failure is what no such thing explains. Which limit refused is told by the code.
const tooSlow = 10 * time.Second

const tooLong = 10_000 // bytes

// many joins n texts made by format, which gets the number.
func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// doubling returns 31 fragments, each of which spreads the next one twice.
func doubling(on, last string) string {
	var b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&b, " fragment F%d on %s { ...F%d ...F%d }", i, on, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F30 on %s { %s }", on, last)
	return b.String()
}

var hostile = []struct {
	name, query string
	status      int
	code        string
}{
	{"a million braces are too many bytes", strings.Repeat("{a", 1_000_000), 413, "REQUEST_TOO_LARGE"},
	{"two megabytes of white space are too many bytes",
		strings.Repeat(" ", 2<<20) + "{viewer{subject}}", 413, "REQUEST_TOO_LARGE"},
	{"half a million braces are too many tokens", strings.Repeat("{a", 500_000), 400, "QUERY_TOO_LARGE"},
	{"16,000 fields are too many tokens",
		"{viewer{" + strings.Repeat(" subject", 16_000) + "}}", 400, "QUERY_TOO_LARGE"},
	{"4,000 aliases are too many tokens", "{" + many(4000, " a%d:viewer{subject}") + "}", 400, "QUERY_TOO_LARGE"},
	{"300 aliases are too many", "{viewer{" + many(300, " a%d:subject") + "}}", 400, "QUERY_TOO_LARGE"},
	{"an alias of 60 KB, repeated with each of 5,000 items, is too long",
		"{registries(first:50){nodes{tokens(first:100){nodes{" + strings.Repeat("a", 60_000) + ":id}}}}}", 400, "QUERY_TOO_LARGE"},
	{"300 fields at the root are too many", "{" + strings.Repeat(" viewer", 300) + "}", 400, "QUERY_TOO_LARGE"},
	{"2,000 directives are too many tokens",
		"{viewer " + strings.Repeat("@a", 2000) + "{subject}}", 400, "QUERY_TOO_LARGE"},
	{"400 directives are too many", "{viewer " + strings.Repeat("@a", 400) + "{subject}}", 400, "QUERY_TOO_LARGE"},
	{"2,000 conflicting fields are too many tokens",
		"{" + many(2000, " a:nodes(ids:%d){id}") + "}", 400, "QUERY_TOO_LARGE"},
	{"150 conflicting fields are too many aliases",
		"{viewer{" + many(150, " a:nodes(ids:%d)") + "}}", 400, "QUERY_TOO_LARGE"},
	{"doubling fragments are too many fields at the root", "{...F0}" + doubling("Query", "viewer{subject}"), 400, "QUERY_TOO_LARGE"},
	{"doubling fragments cost too much below the root", "{viewer{...F0}}" + doubling("Viewer", "subject"), 400, "QUERY_TOO_COSTLY"},
	{"doubling fragments that end in nothing cost, too", "{viewer{...F0}}" + doubling("Viewer", "...Gone"), 400, "QUERY_TOO_COSTLY"},
	{"a fragment that spreads itself is refused",
		"{...A} fragment A on Query {viewer{subject} ...B} fragment B on Query {...A}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"fragments that spread each other are refused",
		"{...F0}" + many(60, " fragment F%d on Query {...F0 ...F1 ...F2}"), 400, "GRAPHQL_VALIDATION_FAILED"},
	{"fragments outside of every operation are refused",
		"{viewer{subject}}" + many(100, " fragment F%d on Viewer {subject}"), 400, "GRAPHQL_VALIDATION_FAILED"},
	{"an operation that does not run is measured, too",
		"query A {viewer{subject}} query B {viewer{" + many(200, " a%d:subject") + "}}", 400, "QUERY_TOO_LARGE"},
	{"300 levels are too deep", strings.Repeat("{self", 300) + strings.Repeat("}", 300), 400, "QUERY_TOO_DEEP"},
	{"a list nested 400 deep is refused",
		"{nodes(ids:" + strings.Repeat("[", 400) + strings.Repeat("]", 400) + "){id}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"a page of a billion is refused",
		"{registries(first:1000000000){nodes{tokens(first:1000000000){nodes{id}}}}}", 400, "QUERY_TOO_COSTLY"},
	{"a page of 10^999 is refused",
		"{registries(first:1" + strings.Repeat("0", 999) + "){nodes{tokens{nodes{id}}}}}", 400, "QUERY_TOO_COSTLY"},
	{"nested pages multiply",
		"{registries{nodes{tokens{nodes{createdBy{tokens{nodes{id}}}}}}}}", 400, "QUERY_TOO_COSTLY"},
	{"a megabyte of commas is too long", strings.Repeat(",", 1_000_000), 400, "QUERY_TOO_LARGE"},
	{"a comment of 900 KB is too long", "#" + strings.Repeat("a", 900_000) + "\n{a}", 400, "QUERY_TOO_LARGE"},
	{"30,000 comments are too many tokens", strings.Repeat("#\n", 30_000), 400, "QUERY_TOO_LARGE"},
	{"a name of 60 KB is not echoed", "{" + strings.Repeat("a", 60_000) + "}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"a text of 60 KB in the wrong place is not echoed",
		`{viewer "` + strings.Repeat("a", 60_000) + `"}`, 400, "GRAPHQL_PARSE_FAILED"},
	{"a block text of 30,000 lines is not echoed",
		`"""` + strings.Repeat(" \n", 30_000) + `""" a`, 400, "GRAPHQL_PARSE_FAILED"},
	{"900 equal fields are too many aliases",
		"{viewer{" + strings.Repeat(" subject", 900) + "}}", 400, "QUERY_TOO_LARGE"},
	{"230 equal fields in inline fragments are too many aliases",
		"{viewer{" + strings.Repeat("...{subject}", 230) + "}}", 400, "QUERY_TOO_LARGE"},
	{"100 operations with the same 300 fields are too many fields",
		many(100, "query Q%d{...F}") + "fragment F on Query{viewer{" + many(300, "f%d ") + "}}", 400, "QUERY_TOO_LARGE"},
	{"900 unknown fields", "{viewer{" + many(900, " a%d") + "}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"25 operations of one name", strings.Repeat("query a{viewer{subject}}", 25), 400, "GRAPHQL_VALIDATION_FAILED"},
	{"300 variables that nobody uses",
		"query(" + many(240, "$v%d:Int ") + "){viewer{subject}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"introspection that nests lists",
		"{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"a subscription to two streams of one name", "subscription{expiry{id} b:expiry{id}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"a subscription to two streams of one name in fragments", "subscription{...A ...B} fragment A on Subscription{expiry{id}} fragment B on Subscription{...{b:expiry{id}}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"a subscription to nothing", "subscription{expiry@skip(if:true){id}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"a subscription to nothing in a fragment", "subscription{...A} fragment A on Subscription{...@include(if:false){expiry{id}}}", 400, "GRAPHQL_VALIDATION_FAILED"},
	{"a subscription with doubling fragments", "subscription{expiry{id} ...F0}" + doubling("Subscription", "...Gone"), 400, "QUERY_TOO_COSTLY"},
	{"introspection 40 deep is too deep",
		"{__schema{types" + strings.Repeat("{ofType", 40) + strings.Repeat("}", 40) + "}}", 400, "QUERY_TOO_DEEP"},
}

func TestHostileDocumentsAreRefusedAtOnceAndBriefly(t *testing.T) {
	l := limits.Default()
	l.Introspection = true
	a := newAPI(t, l)
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			got := a.send(t, map[string]any{"query": test.query})
			took := time.Since(start)
			t.Logf("%d bytes in %s: %d %s", got.size, took.Round(10*time.Microsecond), got.status, got.code())

			if got.status != test.status || got.code() != test.code {
				t.Errorf("answered %d %s, want %d %s", got.status, got.code(), test.status, test.code)
			}
			if took > tooSlow {
				t.Errorf("took %s, want at most %s", took, tooSlow)
			}
			if got.size > tooLong {
				t.Errorf("answered %d bytes, want at most %d", got.size, tooLong)
			}
		})
	}
	if n := len(a.ran()); n != 0 {
		t.Errorf("%d of them were executed", n)
	}
	if got := a.ask(t, "{viewer{subject}}", nil); got.status != http.StatusOK {
		t.Errorf("afterwards the server answers %d", got.status)
	}
}

// What passes the limits may still make the validator work hard: these are the worst that fit.
func TestTheLargestDocumentsAreValidatedAtOnce(t *testing.T) {
	a := newAPI(t, limits.Default())
	tests := []struct{ name, query string }{
		{"900 unknown fields", "{viewer{" + many(900, " a%d") + "}}"},
		{"equal fields in 100 fragments", "{viewer{" + many(90, "...F%d ") + "}}" + many(90, "fragment F%d on Viewer{self{subject}}")},
		{"a fragment that is spread 450 times", "{viewer{" + strings.Repeat("...F ", 450) + "}} fragment F on Viewer {subject}"},
		{"100 operations with the same 8 fields", many(100, "query Q%d{...F}") + "fragment F on Query{viewer{" + many(7, "f%d ") + "}}"},
		{"100 fragments that are spread everywhere", "{viewer{" + many(100, "...F%d ") + "}}" + many(100, "fragment F%d on Viewer{subject}")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			got := a.ask(t, test.query, nil)
			took := time.Since(start)
			t.Logf("%d bytes in %s: %d %s", got.size, took.Round(10*time.Microsecond), got.status, got.code())
			if took > tooSlow {
				t.Errorf("took %s, want at most %s", took, tooSlow)
			}
			if got.size > tooLong {
				t.Errorf("answered %d bytes, want at most %d", got.size, tooLong)
			}
		})
	}
}
