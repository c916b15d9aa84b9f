package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/server"
)

func TestParseOrigin(t *testing.T) {
	right := map[string]string{
		"https://app.example.com":     "https://app.example.com",
		"https://App.Example.com":     "https://app.example.com",
		"https://app.example.com:443": "https://app.example.com",
		"https://app.example.com:80":  "https://app.example.com:80",
		"http://app.example.com:80":   "http://app.example.com",
		"http://localhost:5173":       "http://localhost:5173",
		"http://[::1]:5173":           "http://[::1]:5173",
		"https://xn--bcher-kva.de":    "https://xn--bcher-kva.de",
	}
	for text, want := range right {
		if got, err := server.ParseOrigin(text); err != nil || got != want {
			t.Errorf("ParseOrigin(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	wrong := map[string]string{
		"":                              "scheme",
		"null":                          "scheme",
		"app.example.com":               "scheme",
		"//app.example.com":             "scheme",
		"app.example.com:443":           "scheme",
		"localhost:5173":                "scheme",
		"ftp://app.example.com":         "scheme",
		"file://":                       "scheme",
		"https://":                      "scheme",
		"https://:443":                  "scheme",
		"https://user@app.example.com":  "scheme",
		"https://app.example.com:x":     "scheme",
		"*":                             "wildcard",
		"https://*":                     "wildcard",
		"https://*.example.com":         "wildcard",
		"https://app.example.com/":      "slash",
		"https://app.example.com/app":   "slash",
		"https://app.example.com?":      "slash",
		"https://app.example.com?a":     "slash",
		"https://app.example.com#":      "slash",
		"https://app.example.com:":      "port",
		"https://bücher.de":             "ASCII",
		"https://a.example,b.example":   "ASCII",
		"https://app.example.com%2f.de": "scheme",
	}
	for text, want := range wrong {
		if got, err := server.ParseOrigin(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseOrigin(%q) = %q, %v, want an error with %q", text, got, err, want)
		}
	}
}

// fromPages are requests as browsers send them for pages, and whether they come to be answered where app.example is allowed.
var fromPages = []struct {
	name    string
	headers []string // HOST stands for the server's own
	allowed bool
}{
	{"no browser", nil, true},
	{"our own page", []string{"Origin", "http://HOST", "Sec-Fetch-Site", "same-origin"}, true},
	{"our own page in an old browser", []string{"Origin", "http://HOST"}, true},
	{"our own page behind a proxy with TLS", []string{"Origin", "https://HOST"}, true},
	{"our own page behind a proxy with another name", []string{"Origin", "https://tokens.example", "Sec-Fetch-Site", "same-origin"}, true},
	{"an allowed origin", []string{"Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"}, true},
	{"an allowed origin in an old browser", []string{"Origin", "https://app.example"}, true},
	{"an allowed origin by another scheme", []string{"Origin", "http://app.example"}, false},
	{"an allowed origin at another port", []string{"Origin", "https://app.example:8443"}, false},
	{"a name that begins like an allowed one", []string{"Origin", "https://app.example.evil.example"}, false},
	{"a name that ends like an allowed one", []string{"Origin", "https://evilapp.example"}, false},
	{"an allowed one and another", []string{"Origin", "https://app.example", "Origin", "https://evil.example"}, false},
	{"another site", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, false},
	{"another site in an old browser", []string{"Origin", "https://evil.example"}, false},
	{"another port", []string{"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"}, false},
	{"a name that begins like ours", []string{"Host", "localhost", "Origin", "http://localhost.evil.example"}, false},
	{"a user that looks like us", []string{"Origin", "http://HOST@evil.example"}, false},
	{"a page without a site", []string{"Origin", "null"}, false},
	{"a page without a site that is said to be ours", []string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, false},
	{"another site that sees no answer", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "empty"}, false},
	{"another site with a frame", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, false},
}

func TestPagesOfOtherSitesAreRefused(t *testing.T) {
	w := start(t, server.Config{GraphQL: says("an answer"), Origins: []string{"https://app.example"}})
	asks := []struct {
		name, method string
		headers      []string
	}{
		{"an operation", http.MethodPost, []string{"Content-Type", "application/json"}},
		{"an upgrade", http.MethodGet, []string{"Connection", "Upgrade", "Upgrade", "websocket"}},
		{"a stream", http.MethodGet, []string{"Accept", "text/event-stream"}},
	}
	for _, page := range fromPages {
		for _, ask := range asks {
			t.Run(page.name+" with "+ask.name, func(t *testing.T) {
				got := w.do(t, ask.method, "/graphql", "", append(w.as(page.headers), ask.headers...)...)
				if allowed := got.StatusCode == 200 && got.text == "an answer"; allowed != page.allowed || !allowed && got.StatusCode != 403 {
					t.Errorf("answered %d %s, want it allowed: %t", got.StatusCode, got.text, page.allowed)
				}
				shown := got.Header.Get("Access-Control-Allow-Origin")
				if want := page.allowed && strings.HasPrefix(page.name, "an allowed origin"); (shown == "https://app.example") != want || !want && shown != "" {
					t.Errorf("Access-Control-Allow-Origin = %q", shown)
				}
				if got.Header.Get("Access-Control-Allow-Credentials") != "" {
					t.Error("it lets pages send what the browser keeps for this server")
				}
			})
		}
	}
}

// as puts the server's own host into headers.
func (w *world) as(headers []string) []string {
	replaced := make([]string, len(headers))
	for i, header := range headers {
		replaced[i] = strings.ReplaceAll(header, "HOST", strings.TrimPrefix(w.url, "http://"))
	}
	return replaced
}

func TestALinkToAPageMayBeFollowed(t *testing.T) {
	w := start(t, server.Config{Playground: says("a page")})
	link := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	if got := w.do(t, http.MethodGet, "/playground", "", link...); got.text != "a page" {
		t.Errorf("answered %d %s", got.StatusCode, got.text)
	}
	if got := w.do(t, http.MethodPost, "/playground", "", link...); got.StatusCode != 403 {
		t.Errorf("a form that is sent here is answered %d %s, want 403", got.StatusCode, got.text)
	}
}

// TestPreflights asks what browsers ask before they send what pages want: who has no credential has to be answered.
func TestPreflights(t *testing.T) {
	const asked, ours = "Access-Control-Request-Method", "authorization,cache-control,content-type,last-event-id,x-request-id"
	w, _, _ := guarded(t, server.Config{GraphQL: tellsWho, Metrics: says("figures"), Origins: []string{"https://app.example", "http://localhost:5173"}})
	tests := []struct {
		name, path, origin, method, headers string
		status                              int
		allowed                             bool
	}{
		{"an operation", "/graphql", "https://app.example", "POST", ours, 204, true},
		{"one of another allowed origin", "/graphql", "http://localhost:5173", "POST", "content-type", 204, true},
		{"a stream", "/graphql", "https://app.example", "GET", "authorization", 204, true},
		{"a method that there is not", "/graphql", "https://app.example", "DELETE", "", 204, false},
		{"a header that nobody needs", "/graphql", "https://app.example", "POST", "x-other", 204, false},
		{"another site", "/graphql", "https://evil.example", "POST", ours, 403, false},
		{"a page without a site", "/graphql", "null", "POST", ours, 403, false},
		{"the figures", "/metrics", "https://app.example", "GET", "authorization", 405, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			headers := []string{"Origin", test.origin, asked, test.method}
			if test.headers != "" {
				headers = append(headers, "Access-Control-Request-Headers", test.headers)
			}
			got := w.do(t, http.MethodOptions, test.path, "", headers...)
			if got.StatusCode != test.status {
				t.Errorf("answered %d %s, want %d", got.StatusCode, got.text, test.status)
			}
			want := http.Header{}
			if test.allowed {
				want.Set("Access-Control-Allow-Origin", test.origin)
				want.Set("Access-Control-Allow-Methods", test.method)
				want.Set("Access-Control-Allow-Headers", test.headers)
				want.Set("Access-Control-Max-Age", "3600")
			}
			shown := http.Header{}
			for name, values := range got.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					shown[name] = values
				}
			}
			if diff := cmp.Diff(shown, want); diff != "" {
				t.Errorf("headers (-got +want):\n%s", diff)
			}
			if test.status == 204 && !strings.Contains(got.Header.Get("Vary"), "Origin") {
				t.Errorf("Vary = %q, want Origin in it", got.Header.Get("Vary"))
			}
		})
	}
}

func TestAnAllowedPageLearnsWhatRefusesIt(t *testing.T) {
	w, _, _ := guarded(t, server.Config{GraphQL: tellsWho, Origins: []string{"https://app.example"}})
	got := w.do(t, http.MethodPost, "/graphql", "", "Origin", "https://app.example")
	if got.StatusCode != 401 || got.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || got.Header.Get("Vary") != "Origin" {
		t.Errorf("nobody of an allowed page is answered %d with %v", got.StatusCode, got.Header)
	}
	if exposed := got.Header.Get("Access-Control-Expose-Headers"); exposed != "X-Request-Id, Retry-After, Www-Authenticate" {
		t.Errorf("it may read %s", exposed)
	}
}

func TestWithoutAllowedOriginsNoPageIsTold(t *testing.T) {
	w := start(t, server.Config{GraphQL: says("an answer")})
	for _, origin := range []string{"https://app.example", w.url} {
		for _, method := range []string{http.MethodOptions, http.MethodPost} {
			got := w.do(t, method, "/graphql", "", "Origin", origin, "Access-Control-Request-Method", "POST")
			for name := range got.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s of %s answered %s: %s", method, origin, name, got.Header.Get(name))
				}
			}
		}
	}
}
