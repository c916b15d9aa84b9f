package transport

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
	"regtok/graph/internal/scalar"
)

// refusal is a request that never became an operation.
type refusal struct {
	status        int
	code, message string
}

func badRequest(message string) *refusal {
	return &refusal{http.StatusBadRequest, codes.BadRequest, message}
}

func (f *refusal) write(w http.ResponseWriter) {
	switch f.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusRequestTimeout, http.StatusRequestEntityTooLarge:
		w.Header().Set("Connection", "close") // the rest of the body is not waited for
	}
	write(w, f.status, &graphql.Response{Errors: gqlerror.List{{
		Message:    f.message,
		Extensions: map[string]any{"code": f.code},
	}}})
}

// write frames the answer. Its data is JSON already, and large: it goes out as it is, not once more through an encoder.
func write(w http.ResponseWriter, status int, answer *graphql.Response) {
	head, tail, err := frame(answer)
	if err != nil {
		panic("transport: an error or an extension of an answer does not encode: " + err.Error())
	}
	if status == http.StatusTooManyRequests {
		tellWhen(w.Header(), answer)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+len(answer.Data)+len(tail)))
	w.WriteHeader(status)
	// A caller that is gone cannot be told so.
	_, _ = w.Write(head)
	_, _ = w.Write(answer.Data)
	_, _ = w.Write(tail)
}

// tellWhen says in HTTP's own way when it is of use to come back, which the errors say in ISO 8601: programs that know nothing of
// GraphQL wait for that long.
func tellWhen(h http.Header, answer *graphql.Response) {
	var longest time.Duration
	for _, err := range answer.Errors {
		if wait, e := scalar.UnmarshalDuration(err.Extensions["retryAfter"]); e == nil {
			longest = max(longest, wait)
		}
	}
	if longest > 0 {
		h.Set("Retry-After", strconv.Itoa(int((longest+time.Second-1)/time.Second)))
	}
}

// frame returns what stands before and after the data.
func frame(answer *graphql.Response) (head, tail []byte, err error) {
	var before, after bytes.Buffer
	before.WriteByte('{')
	if len(answer.Errors) > 0 {
		if err := member(&before, "errors", answer.Errors); err != nil {
			return nil, nil, err
		}
	}
	if len(answer.Data) > 0 {
		name(&before, "data")
	}
	if len(answer.Extensions) > 0 {
		if before.Len() > 1 {
			after.WriteByte(',')
		}
		if err := member(&after, "extensions", answer.Extensions); err != nil {
			return nil, nil, err
		}
	}
	after.WriteByte('}')
	return before.Bytes(), after.Bytes(), nil
}

func member(buf *bytes.Buffer, key string, v any) error {
	name(buf, key)
	encoder := json.NewEncoder(buf)
	encoder.SetEscapeHTML(false) // no answer is a page
	if err := encoder.Encode(v); err != nil {
		return err
	}
	buf.Truncate(buf.Len() - 1) // Encode ends with a line feed
	return nil
}

// name writes a member's name, and the comma before it unless it is the first.
func name(buf *bytes.Buffer, key string) {
	if buf.Len() > 1 {
		buf.WriteByte(',')
	}
	buf.WriteByte('"')
	buf.WriteString(key)
	buf.WriteString(`":`)
}
