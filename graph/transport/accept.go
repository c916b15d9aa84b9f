package transport

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"regtok/codes"
)

// form is the media type of an answer. The draft gives each its own statuses.
type form string

const (
	plain  form = "application/json"
	modern form = "application/graphql-response+json"
)

func (f form) contentType() string { return string(f) + "; charset=utf-8" }

// status is 200 for whatever was executed. A request that was not is 400 in the modern form, or 429 if it came too soon; in the
// plain form it is 200, because programs that know only that one take other statuses for a proxy's.
func (f form) status(answer *graphql.Response) int {
	switch {
	case len(answer.Data) > 0:
		return http.StatusOK
	case coded(answer, codes.Internal):
		return http.StatusInternalServerError
	case f == modern && coded(answer, codes.RateLimited):
		return http.StatusTooManyRequests
	case f == modern:
		return http.StatusBadRequest
	default:
		return http.StatusOK
	}
}

// coded tells whether one of the errors has that code.
func coded(answer *graphql.Response, code string) bool {
	for _, err := range answer.Errors {
		if err != nil && err.Extensions["code"] == code {
			return true
		}
	}
	return false
}

// accepted is what the caller takes an answer in.
type accepted struct {
	form   form
	events bool // server-sent events, too
	only   bool // nothing else
}

// accept settles the form of the answer, before the body is read.
func (p POST) accept(r *http.Request) (accepted, *refusal) {
	if r.Method != http.MethodPost {
		return accepted{form: plain}, &refusal{http.StatusMethodNotAllowed, codes.MethodNotAllowed, "send queries and mutations with POST"}
	}
	f, ok := negotiate(r.Header.Values("Accept"))
	a := accepted{form: f, events: p.Streams != nil && wantsEvents(r.Header)}
	a.only = a.events && !ok
	if !ok && !a.events {
		return accepted{form: plain}, &refusal{http.StatusNotAcceptable, codes.NotAcceptable,
			"answers come as application/graphql-response+json or application/json: name one of them in Accept"}
	}
	if a.only {
		a.form = plain // for what never becomes an operation
	}
	if !isJSON(r.Header) {
		return a, &refusal{http.StatusUnsupportedMediaType, codes.UnsupportedMediaType,
			"send Content-Type: application/json, in UTF-8 and without Content-Encoding"}
	}
	return a, nil
}

// joined is the Accept header as one list.
func joined(h http.Header) string { return strings.Join(h.Values("Accept"), ",") }

func isJSON(h http.Header) bool {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return false
	}
	charset := params["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}

// negotiate takes the form that the caller likes best. The modern one has to be named: the draft keeps wildcards, and
// callers that say nothing, on the plain one.
func negotiate(accept []string) (form, bool) {
	if len(accept) == 0 {
		return plain, true
	}
	weights := parse(strings.Join(accept, ","))
	p, _ := weights.of(plain)
	m, named := weights.of(modern)
	switch {
	case m > 0 && (named && m >= p || p == 0):
		return modern, true
	case p > 0:
		return plain, true
	default:
		return "", false
	}
}

// weights holds how much the caller likes each media range, 0 to 1.
type weights map[string]float64

// of returns the weight of the most precise range that f is in, and whether that names f.
func (w weights) of(f form) (weight float64, named bool) {
	for i, media := range []string{string(f), "application/*", "*/*"} {
		if weight, ok := w[media]; ok {
			return weight, i == 0
		}
	}
	return 0, false
}

// parse reads an Accept header. A range that makes no sense is as if it were not there.
func parse(accept string) weights {
	w := weights{}
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if media == "*" { // what some old clients send
			media = "*/*"
		}
		weight, err := strconv.ParseFloat(params["q"], 64)
		if params["q"] == "" {
			weight, err = 1, nil
		}
		if err != nil || weight < 0 || weight > 1 {
			continue
		}
		w[media] = max(weight, w[media])
	}
	return w
}
