package graph_test

import (
	"io"
	"net/http"
	"strings"
)

// canaryBody stands in the body of every spoilt answer, and may be seen nowhere else.
const canaryBody = "canary-body-2b7e"

// fault is a way in which a provider fails.
type fault struct {
	name   string
	reason string
	code   string // of the error where there is no list to tell
	// spoil answers in the provider's place; nil: it cannot even be reached.
	spoil http.HandlerFunc
	// retryAfter is told; "": it is not.
	retryAfter string
}

func faults() []fault {
	say := func(status int, contentType, body string, more ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			for i := 0; i+1 < len(more); i += 2 {
				w.Header().Set(more[i], more[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const text, page = "application/json", "text/html"
	refusal := `{"message":"` + canaryBody + `","errorCode":"` + canaryBody + `"}`
	return []fault{
		{name: "refuses connections", reason: "UNREACHABLE", code: "UNAVAILABLE"},
		{name: "is silent", reason: "TIMEOUT", code: "UNAVAILABLE", spoil: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{name: "limits requests for an hour", reason: "RATE_LIMITED", code: "RATE_LIMITED", retryAfter: "PT1H",
			spoil: say(429, text, refusal, "Retry-After", "3600")},
		{name: "answers with a page", reason: "INVALID_RESPONSE", code: "UNAVAILABLE", spoil: say(200, page, "<html>"+canaryBody+"</html>")},
		{name: "breaks off", reason: "UNREACHABLE", code: "UNAVAILABLE", spoil: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `[{"id":"`+canaryBody)
			panic(http.ErrAbortHandler)
		}},
		{name: "answers in another shape", reason: "INVALID_RESPONSE", code: "UNAVAILABLE", spoil: say(200, text, `{"items":"`+canaryBody+`"}`)},
		{name: "answers with null", reason: "INVALID_RESPONSE", code: "UNAVAILABLE", spoil: say(200, text, "null")},
		{name: "answers with nothing", reason: "INVALID_RESPONSE", code: "UNAVAILABLE", spoil: say(200, text, "")},
		{name: "has a fault", reason: "UNREACHABLE", code: "UNAVAILABLE", spoil: say(500, text, refusal)},
		{name: "is overloaded", reason: "UNREACHABLE", code: "UNAVAILABLE", spoil: say(503, page, canaryBody)},
		{name: "refuses the credential", reason: "UNAUTHORIZED", code: "UNAUTHORIZED", spoil: say(401, text, refusal)},
		{name: "forbids", reason: "FORBIDDEN", code: "FORBIDDEN", spoil: say(403, text, refusal)},
		{name: "sends us elsewhere", reason: "INVALID_RESPONSE", code: "UNAVAILABLE", spoil: say(302, text, canaryBody, "Location", "http://127.0.0.2:9/"+canaryBody)},
	}
}

// fail makes a provider fail from now on where path says so. A provider that cannot be reached fails everywhere.
func (w *world) fail(n *memory, provider string, f fault, path func(string) bool) {
	if f.spoil == nil {
		n.host(w.bases[provider]).refuse(true)
		return
	}
	w.taps[provider].Spoil(func(rw http.ResponseWriter, r *http.Request, _ int) bool {
		if !path(r.URL.Path) {
			return false
		}
		f.spoil(rw, r)
		return true
	})
}

// heal ends a provider's failing.
func (w *world) heal(n *memory, provider string) {
	n.host(w.bases[provider]).refuse(false)
	w.taps[provider].Spoil(nil)
}

func everywhere(string) bool { return true }

func lists(of string) func(path string) bool {
	return func(path string) bool { return strings.HasSuffix(path, "/"+of) }
}
