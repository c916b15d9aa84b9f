package requestid_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"regtok/server/requestid"
)

func TestHandler(t *testing.T) {
	var seen string
	handler := requestid.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = requestid.FromContext(r.Context())
	}))
	tests := []struct {
		name, sent string
		kept       bool
	}{
		{"a caller's id is kept", "build-17_a.B", true},
		{"a caller's id of 64 characters is kept", strings.Repeat("a", 64), true},
		{"a caller without an id gets one", "", false},
		{"an overlong id is replaced", strings.Repeat("a", 65), false},
		{"an id that could break a log line is replaced", "a\" level=ERROR", false},
		{"an id that is not ASCII is replaced", "bücher", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set(requestid.Header, test.sent)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)

			if got := w.Header().Get(requestid.Header); got != seen {
				t.Errorf("answered id %q, the handler saw %q", got, seen)
			}
			if seen == "" {
				t.Error("the request has no id")
			}
			if got := seen == test.sent; got != test.kept {
				t.Errorf("sent %q, used %q, kept = %t, want %t", test.sent, seen, got, test.kept)
			}
		})
	}
}

func TestOutsideOfARequestThereIsNoID(t *testing.T) {
	if got := requestid.FromContext(t.Context()); got != "" {
		t.Errorf("FromContext = %q, want none", got)
	}
}
