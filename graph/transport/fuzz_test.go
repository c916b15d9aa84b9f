package transport_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"regtok/graph/transport"
)

// FuzzRequest looks for bodies and headers that get no answer, or one that is no JSON.
func FuzzRequest(f *testing.F) {
	f.Add(`{"query":"{hello}","variables":{"a":[1,{"b":null}]}}`, "application/json;q=0.5, */*", "application/json; charset=utf-8")
	f.Add("[{}]", "*", "text/plain")
	f.Add("\ufeff{}", ",;q=,", "")
	handler := newAPI(f, transport.POST{}, false).Config.Handler
	f.Fuzz(func(t *testing.T, body, accept, contentType string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Accept", accept)
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 && !strings.Contains(body, "panic") {
			t.Errorf("%q answered %d %s", body, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q answered %q, which is no JSON", body, w.Body)
		}
		if length := w.Header().Get("Content-Length"); length != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%q answered %d bytes as %s", body, w.Body.Len(), length)
		}
	})
}
