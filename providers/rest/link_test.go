package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestTheNextPageIsTheLinkWithRelationNext(t *testing.T) {
	api := newAPI(t, nil)
	call := Get("list things", "things", "a/b")
	const page = "https://api.acme.test/v2/things/a%2Fb"
	for _, test := range []struct {
		name    string
		headers []string
		want    url.Values // nil: none
	}{
		{"no header", nil, nil},
		{"an empty header", []string{""}, nil},
		{"no next", []string{`<` + page + `?page=1>; rel="prev"`}, nil},
		{"next comes first", []string{`<` + page + `?page=3>; rel="next", <` + page + `?page=6>; rel="last"`}, url.Values{"page": {"3"}}},
		{"next comes last", []string{`<` + page + `?page=1>; rel="first", <` + page + `?page=3&x=a%26b>; rel="next"`}, url.Values{"page": {"3"}, "x": {"a&b"}}},
		{"next in a second header", []string{`<` + page + `?page=1>; rel="prev"`, `<` + page + `?page=3>; rel="next"`}, url.Values{"page": {"3"}}},
		{"without quotes", []string{`<` + page + `?page=3>;rel=next`}, url.Values{"page": {"3"}}},
		{"one of several relations", []string{`<` + page + `?page=3>; rel="last Next"`}, url.Values{"page": {"3"}}},
		{"a relation that only looks like it", []string{`<` + page + `?page=3>; rel="nextish"`}, nil},
		{"the first of two rel parameters", []string{`<` + page + `?page=3>; rel="prev"; rel="next"`}, nil},
		{"other parameters around it", []string{`<` + page + `?page=3>; title="a, b; \"rel=prev\""; rel="next"; flag`}, url.Values{"page": {"3"}}},
		{"a comma in the target", []string{`<` + page + `?ids=1,2>; rel="next"`}, url.Values{"ids": {"1,2"}}},
		{"empty elements", []string{`, ,<` + page + `?page=3>; rel="next",`}, url.Values{"page": {"3"}}},
		{"a relative target", []string{`<?page=3>; rel="next"`}, url.Values{"page": {"3"}}},
		{"an absolute path", []string{`</v2/things/a%2Fb?page=3>; rel="next"`}, url.Values{"page": {"3"}}},
		{"no query", []string{`<` + page + `>; rel="next"`}, url.Values{}},
		{"the scheme's own port", []string{`<https://api.acme.test:443/v2/things/a%2fb?page=3>; rel="next"`}, url.Values{"page": {"3"}}},
		{"a proxy's scheme", []string{`<http://API.acme.test/v2/things/a%2Fb?page=3>; rel="next"`}, url.Values{"page": {"3"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok, err := api.NextLink(Answer{Header: http.Header{"Link": test.headers}}, call)
			if err != nil || ok != (test.want != nil) {
				t.Fatalf("NextLink(%q) = %v, %v, %v", test.headers, got, ok, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

func TestANextPageElsewhereIsRefused(t *testing.T) {
	api := newAPI(t, nil)
	for _, header := range []string{
		`<https://canary.test/v2/things?page=2>; rel="next"`,
		`<//canary.test/v2/things?page=2>; rel="next"`,
		`<https://api.acme.test.canary.test/v2/things?page=2>; rel="next"`,
		`<https://api.acme.test@canary.test/v2/things?page=2>; rel="next"`,
		`<https://api.acme.test:8443/v2/things?page=2>; rel="next"`,
		`<https://api.acme.test/v2/canary?page=2>; rel="next"`,
		`<https://api.acme.test/v2/things/../canary?page=2>; rel="next"`,
		`<https://api.acme.test/v2/things/?page=2>; rel="next"`,
		`<javascript:canary>; rel="next"`,
		`<https://api.acme.test/v2/things?page=%zz>; rel="next"`,
		`<https://api.acme.test:canary/>; rel="next"`,
		`https://api.acme.test/v2/things?page=2; rel="next"`,
		`<https://api.acme.test/v2/things?page=2; rel="next"`,
		`<https://api.acme.test/v2/things?page=2>; rel="next`,
		`<https://api.acme.test/v2/things?page=2> canary; rel="next"`,
		`<https://api.acme.test/v2/things?page=1>; title="\`,
	} {
		answer := Answer{Status: 200, Header: http.Header{"Link": {header}}}
		query, ok, err := api.NextLink(answer, Get("list things", "things"))
		e := wantError(t, err, providers.Unavailable, providers.InvalidResponse)
		if ok || query != nil || e.Status != 200 || e.Err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("NextLink(%s) = %v, %v, %v", header, query, ok, err)
		}
	}
}

func FuzzALinkIsFoundBetweenOthers(f *testing.F) {
	f.Add(`<https://a.test/?page=1>; rel="prev"`, "x=1")
	f.Add(`<a>; title="\"next\", <b>"`, "page=2&x=%2C")
	f.Add(`<a>;rel=`, ",;")
	f.Add("<", `"`)
	f.Fuzz(func(t *testing.T, other, query string) {
		if _, err := nextTarget([]string{other}); err != nil || strings.ContainsAny(query, ">") {
			return
		}
		if before, _ := nextTarget([]string{other}); before != "" {
			return
		}
		want := "?" + query
		header := fmt.Sprintf(`%s, <%s>; rel="next"`, other, want)
		if got, err := nextTarget([]string{header}); got != want || err != nil {
			t.Errorf("nextTarget(%s) = %q, %v, want %q", header, got, err, want)
		}
	})
}
