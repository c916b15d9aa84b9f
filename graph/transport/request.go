package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"regtok/codes"
)

const (
	// firstRoom is the memory that a request gets before any of its body has come.
	firstRoom = 64 << 10
	// mostValues is the most values of all kinds in the JSON of a request. Each takes up to some four hundred bytes when it is read,
	// and two when it is sent.
	mostValues = 10_000
)

func read(r *http.Request) (*graphql.RawParams, *refusal) {
	start := graphql.Now()
	body, refusal := readBody(r)
	if refusal != nil {
		return nil, refusal
	}
	params, refusal := decode(body)
	if refusal != nil {
		return nil, refusal
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}

func readBody(r *http.Request) ([]byte, *refusal) {
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), firstRoom)) + bytes.MinRead)
	_, err := buf.ReadFrom(r.Body)
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		return buf.Bytes(), nil
	case tooLarge:
		return nil, &refusal{http.StatusRequestEntityTooLarge, codes.RequestTooLarge, "the request's body is too large"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{http.StatusRequestTimeout, codes.RequestTimeout, "the request's body came too slowly"}
	default:
		return nil, badRequest("the request's body broke off")
	}
}

// decode reads the parameters. Their names are taken as they are written, and others are left alone.
// The errors of encoding/json quote what they read: they are dropped.
func decode(body []byte) (*graphql.RawParams, *refusal) {
	if !utf8.Valid(body) {
		return nil, badRequest("the body is not UTF-8")
	}
	if crowded(body) {
		return nil, &refusal{http.StatusRequestEntityTooLarge, codes.RequestTooLarge, fmt.Sprintf("the request has more than %d values in its JSON", mostValues)}
	}
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		return nil, badRequest("the body is an array: send one operation a request")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, badRequest("the body is not one JSON object")
	}
	params := &graphql.RawParams{}
	if !value(fields["query"], &params.Query) {
		return nil, badRequest("query is no string")
	}
	if !value(fields["operationName"], &params.OperationName) {
		return nil, badRequest("operationName is no string")
	}
	if !value(fields["variables"], &params.Variables) {
		return nil, badRequest("variables is no object")
	}
	if !value(fields["extensions"], &params.Extensions) {
		return nil, badRequest("extensions is no object")
	}
	if refusal := nameDocument(params, fields["documentId"]); refusal != nil {
		return nil, refusal
	}
	if absent(fields["query"]) && absent(fields["documentId"]) && params.Extensions["persistedQuery"] == nil {
		return nil, badRequest("query is missing, and so is documentId")
	}
	return params, nil
}

// crowded tells whether a JSON text has too many values. It counts what stands before each, and reads none of them.
func crowded(text []byte) bool {
	values, quoted := 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++ // whatever comes is of the string
		case !quoted && (c == '{' || c == '[' || c == ','):
			values++
		}
	}
	return values > mostValues
}

// value decodes a parameter. One that is absent leaves target as it is.
func value(raw json.RawMessage, target any) bool {
	if absent(raw) {
		return true
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // a float64 would round large integers
	return decoder.Decode(target) == nil
}

// absent is true of null, too: the draft does not tell the two apart.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
