package emulator

import (
	"net/http"
	"strings"
)

// refusal is an answer that is not a success.
type refusal struct {
	status int
	body   any
	allow  string // the Allow header of a 405
}

func (r *refusal) answer() answer {
	a := answer{status: r.status, body: r.body}
	if r.allow != "" {
		a.header = http.Header{"Allow": {r.allow}}
	}
	return a
}

type message struct {
	Message string `json:"message"`
}

func unauthenticated() *refusal {
	return &refusal{status: http.StatusUnauthorized, body: message{"Authentication required. " +
		"Please supply a valid API Access Token: https://buildkite.com/docs/apis/rest-api#authentication"}}
}

func missingScope(scope string) *refusal {
	return &refusal{status: http.StatusForbidden, body: message{"Your access token doesn't have the " + scope + " scope"}}
}

func forbidden() *refusal {
	return &refusal{status: http.StatusForbidden, body: message{"Forbidden"}}
}

func noRoute() *refusal {
	return &refusal{status: http.StatusNotFound, body: message{"Not Found"}}
}

func methodNotAllowed(allow string) *refusal {
	return &refusal{status: http.StatusMethodNotAllowed, body: message{"Method Not Allowed"}, allow: allow}
}

func malformed() *refusal {
	return &refusal{status: http.StatusBadRequest, body: message{"The request body is not a JSON object"}}
}

func tooLarge() *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, body: message{"Request Entity Too Large"}}
}

// notFound says that there is no such thing, or none that the caller may see.
func (e *emulator) notFound(thing string) *refusal {
	if e.choices.is(notFoundText, "plain") {
		return noRoute()
	}
	return &refusal{status: http.StatusNotFound, body: message{"No " + thing + " found"}}
}

type fieldError struct {
	Field string `json:"field"`
	Code  string `json:"code"`
}

type validationError[E any] struct {
	Message string `json:"message"`
	Errors  []E    `json:"errors"`
}

// invalid refuses a property: code for programs, reason for people ("can't be blank").
func (e *emulator) invalid(field, code, reason string) *refusal {
	label := strings.ReplaceAll(field, "_", " ")
	text := strings.ToUpper(label[:1]) + label[1:] + " " + reason
	r := &refusal{status: http.StatusUnprocessableEntity}
	switch e.choices[validationErrors] {
	case "fields":
		r.body = validationError[fieldError]{"Validation Failed", []fieldError{{field, code}}}
	case "strings":
		r.body = validationError[string]{"Validation Failed", []string{text}}
	default:
		r.body = message{"Validation failed: " + text}
	}
	return r
}

func (e *emulator) blank(field string) *refusal { return e.invalid(field, "blank", "can't be blank") }
