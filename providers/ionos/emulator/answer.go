package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// answer is what goes back.
type answer struct {
	status   int
	location string
	etag     string
	retry    int // seconds; 0: not told
	body     []byte
}

// ok is a 200 with a body.
func ok(body []byte) (answer, error) { return answer{status: http.StatusOK, body: body}, nil }

func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	if a.location != "" {
		header.Set("Location", a.location)
	}
	if a.etag != "" {
		header.Set("ETag", a.etag)
	}
	if a.retry > 0 {
		header.Set("Retry-After", strconv.Itoa(a.retry))
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone, or want no body
}

// encode writes one of our own wire types, which cannot fail.
func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic("emulator: a wire type cannot be encoded: " + err.Error())
	}
	return body
}

// encodeList writes a collection whose items are encoded already. Encoding whole lists again and again would cost
// more than everything else here.
func encodeList(head any, items [][]byte, null bool) []byte {
	body := encode(head)
	size := len(body) + len(`,"items":null`)
	for _, item := range items {
		size += len(item) + 1
	}
	list := append(make([]byte, 0, size), body[:len(body)-1]...)
	if len(items) == 0 && null {
		return append(list, `,"items":null}`...)
	}
	list = append(list, `,"items":[`...)
	for i, item := range items {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, item...)
	}
	return append(list, "]}"...)
}

// fault is a refusal.
type fault struct {
	status  int
	message string
	retry   int // seconds
}

func (f *fault) Error() string { return fmt.Sprintf("%d %s", f.status, f.message) }

func invalid(format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

// unauthorized has the vendor's own text.
func unauthorized() *fault {
	return &fault{status: http.StatusUnauthorized,
		message: "Unauthorized, wrong or no api key provided to process this request"}
}

func forbidden(message string) *fault { return &fault{status: http.StatusForbidden, message: message} }
func notFound() *fault {
	return &fault{status: http.StatusNotFound, message: "Resource does not exist"}
}
func conflict(message string) *fault { return &fault{status: http.StatusConflict, message: message} }
func unprocessable(message string) *fault {
	return &fault{status: http.StatusUnprocessableEntity, message: message}
}

// explain makes the answer of a refusal.
func (s *server) explain(api api, err error) answer {
	f, isFault := errors.AsType[*fault](err)
	if !isFault {
		panic("emulator: an error that is no refusal: " + err.Error())
	}
	a := answer{status: f.status, retry: f.retry}
	if api == registryAPI && f.status == http.StatusNotFound && s.msgNotFound {
		a.body = []byte(`{"msg":"Not Found"}`)
		return a
	}
	a.body = encode(errorEnvelope{
		HTTPStatus: f.status,
		Messages:   []errorMessage{{ErrorCode: errorCode(api, f.status), Message: f.message}},
	})
	return a
}

// errorCode is the code that goes with a status; see the package comment for which of them are the vendor's.
func errorCode(api api, status int) string {
	if api == cloudAPI {
		switch status {
		case http.StatusForbidden:
			return "451"
		case http.StatusNotFound:
			return "309"
		}
	}
	switch status {
	case http.StatusUnauthorized:
		return "paas-auth-1"
	case http.StatusForbidden:
		return "paas-auth-2"
	case http.StatusNotFound:
		return "paas-resource-1"
	case http.StatusConflict:
		return "paas-resource-2"
	case http.StatusTooManyRequests:
		return "paas-limit-1"
	}
	return "paas-validation-1"
}
