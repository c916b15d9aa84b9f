package rest

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"regtok/providers"
)

func TestPartsOfAPathAreEscaped(t *testing.T) {
	api := newAPI(t, nil)
	for part, want := range map[string]string{
		"a":            "a",
		"a/b":          "a%2Fb",
		"a%2fb":        "a%252fb",
		"a b":          "a%20b",
		"a+b":          "a+b",
		"a?b#c":        "a%3Fb%23c",
		"a;b,c":        "a%3Bb%2Cc",
		"ü":            "%C3%BC",
		"...":          "...",
		".a":           ".a",
		"%2e%2e":       "%252e%252e",
		`a\b`:          "a%5Cb",
		"a\nb":         "a%0Ab",
		"\xff":         "%FF",
		"http://a":     "http:%2F%2Fa",
		"//evil.test/": "%2F%2Fevil.test%2F",
	} {
		target, ok := api.target(Get("get thing", "things", part, "end"))
		if !ok {
			t.Errorf("%q is refused", part)
			continue
		}
		if got := target.String(); got != "https://api.acme.test/v2/things/"+want+"/end" {
			t.Errorf("%q becomes %s", part, got)
		}
	}
}

func TestPartsThatCouldLeadElsewhereAreNotFoundWithoutARequest(t *testing.T) {
	api := newAPI(t, upstream(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return respond(200, "{}"), nil
	}))
	for _, part := range []string{"", ".", "..", "../x", "x/..", "a/../b", "/..", `..\x`, `a\..\b`, "a/./b"} {
		for _, call := range []Call{Get("get thing", "things", part), Delete("delete thing", part, "x")} {
			_, err := api.Do(t.Context(), call, nil)
			wantError(t, err, providers.NotFound, "")
			_, _, err = api.NextLink(Answer{}, call)
			wantError(t, err, providers.NotFound, "")
		}
	}
}

func TestTheBasesOwnPathIsKept(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.acme.test":             "https://api.acme.test/things",
		"https://api.acme.test/":            "https://api.acme.test/things",
		"https://api.acme.test/a/b/":        "https://api.acme.test/a/b/things",
		"https://api.acme.test/a%20b/c%2Fd": "https://api.acme.test/a%20b/c%2Fd/things",
		"https://API.acme.test:8443":        "https://api.acme.test:8443/things",
	} {
		api := newAPI(t, nil, func(o *Options) { o.Base = base })
		if target, _ := api.target(Get("list things", "things")); target.String() != want {
			t.Errorf("%s becomes %s, want %s", base, target, want)
		}
	}
}

func FuzzAPathNeverLeavesItsPlace(f *testing.F) {
	for _, seed := range []string{"a", "", "..", "a/b", "%2e%2e", "a%2fb", "?", "#", "\\", "ü", "\x00", "//x", "..;/", "@evil.test", ":80"} {
		f.Add(seed, "x")
		f.Add("x", seed)
	}
	api, err := New(Options{Provider: "acme", Base: "https://api.acme.test/v2"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		parts := []string{first, second}
		target, ok := api.target(Get("get thing", parts...))
		if !ok {
			return
		}
		read, err := url.Parse(target.String())
		if err != nil {
			t.Fatalf("%q becomes %s: %v", parts, target, err)
		}
		if read.Host != "api.acme.test" || read.User != nil || read.RawQuery != "" || read.Fragment != "" {
			t.Errorf("%q becomes %s", parts, target)
		}
		escaped := strings.Split(read.EscapedPath(), "/")
		if len(escaped) != 4 || escaped[1] != "v2" {
			t.Fatalf("%q becomes %s", parts, target)
		}
		for i, part := range parts {
			if plain, err := url.PathUnescape(escaped[2+i]); plain != part || err != nil {
				t.Errorf("part %q becomes %q", part, escaped[2+i])
			}
		}
		if cleaned := path.Clean(read.Path); !strings.HasPrefix(cleaned, "/v2/") {
			t.Errorf("%q ends at %s when it is decoded first", parts, cleaned)
		}
	})
}
