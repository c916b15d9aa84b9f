package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// answer is what a handler says: a body to encode, or one that is encoded, or none.
type answer struct {
	status  int // 0: 200
	header  http.Header
	body    any
	encoded []byte
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	body := a.encoded
	if a.body != nil {
		body = encode(a.body)
	}
	if body != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	if status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller who left needs no answer
}

func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("emulator: an answer does not encode: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

type greeting struct {
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"`
}

// greet answers the root, which needs no credential.
func greet(method string) (answer, *refusal) {
	if method != http.MethodGet && method != http.MethodHead {
		return answer{}, methodNotAllowed("GET")
	}
	return answer{body: greeting{"🛠", time.Now().Unix()}}, nil
}

// allowBrowsers lets pages of any origin use the API, as the vendor does.
func allowBrowsers(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Link")
}

// preflight lets a browser send a credential and JSON.
func preflight(h http.Header) {
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
}

// created answers a create.
func (e *emulator) created(body any) answer {
	if e.choices.is(createStatus, "201") {
		return answer{status: http.StatusCreated, body: body}
	}
	return answer{body: body}
}

// deleted answers a delete.
func (e *emulator) deleted(body any) answer {
	switch e.choices[deleteAnswer] {
	case "204":
		return answer{status: http.StatusNoContent}
	case "200_object":
		return answer{body: body}
	}
	return answer{}
}

// listing remembers the last encoded answer of a list that seldom changes. Read it under the emulator's read lock,
// and forget it under its write lock: so an old list is never remembered after a change.
type listing struct {
	last atomic.Pointer[listed]
}

type listed struct {
	base string
	body []byte
}

func (l *listing) encoded(base string, body func() any) []byte {
	if last := l.last.Load(); last != nil && last.base == base {
		return last.body
	}
	fresh := &listed{base, encode(body())}
	l.last.Store(fresh)
	return fresh.body
}

func (l *listing) forget() { l.last.Store(nil) }

// moment is a time as Buildkite writes it: UTC, milliseconds.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
