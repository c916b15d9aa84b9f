package rest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestACallBecomesARequestAndAValue(t *testing.T) {
	var got *http.Request
	var body string
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r, string(text)
		w.Header().Set("X-Page", "1")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, ` {"id":"1","name":"a","unknown":{"x":[1]},"name":"b"} `)
	})
	api := s.plain(t, func(o *Options) { o.Header = http.Header{"X-Contract-Number": {"42"}} })
	call := Post("create thing", map[string]string{"name": "<a&b>"}, "things", "a/b c")
	call.Query = url.Values{"limit": {"100"}, "after": {"x&y"}}

	var out thing
	answer, err := api.Do(t.Context(), call, &out)
	if err != nil {
		t.Fatal(err)
	}
	if out != (thing{ID: "1", Name: "b"}) {
		t.Errorf("out = %+v", out)
	}
	if answer.Status != http.StatusCreated || answer.Header.Get("X-Page") != "1" {
		t.Errorf("answer = %+v", answer)
	}
	if got.Method != http.MethodPost || got.RequestURI != "/v2/things/a%2Fb%20c?after=x%26y&limit=100" {
		t.Errorf("request = %s %s", got.Method, got.RequestURI)
	}
	if want := `{"name":"<a&b>"}`; body != want {
		t.Errorf("body = %s, want %s", body, want)
	}
	for name, want := range map[string]string{
		"Accept": "application/json", "Content-Type": "application/json",
		"Authorization": testScheme, "X-Contract-Number": "42",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("header %s = %q, want %q", name, value, want)
		}
	}
}

func TestATextThatIsCutWithinARuneIsRead(t *testing.T) {
	s := newServer(t, text("[{\"id\":\"1\",\"name\":\"M\xc3\"}]"))
	var out []thing
	if _, err := s.plain(t).Do(t.Context(), Get("list things", "things"), &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]thing{{ID: "1", Name: "M\ufffd"}}, out); diff != "" {
		t.Errorf("things (-want +got):\n%s", diff)
	}
}

func TestACallWithoutABodySendsNone(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 || r.Header.Get("Content-Type") != "" {
			t.Errorf("length %d, type %q", r.ContentLength, r.Header.Get("Content-Type"))
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if _, err := s.plain(t).Do(t.Context(), Delete("delete thing", "things", "1"), nil); err != nil {
		t.Error(err)
	}
}

func TestABodyThatNobodyWantsIsIgnored(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"deleted":`) })
	if _, err := s.plain(t).Do(t.Context(), Delete("delete thing", "things", "1"), nil); err != nil {
		t.Error(err)
	}
}

func TestAPageInThePlaceOfABodyThatNobodyWantsDoesNotSayThatItWasDone(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>canary: log in") })
	_, err := s.plain(t).Do(t.Context(), Delete("delete thing", "things", "1"), nil)
	wantError(t, err, providers.OutcomeUnknown, providers.InvalidResponse)
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the error holds the body: %v", err)
	}
}

func TestTheMethodTellsWhetherACallMayBeRepeatedUnlessTheAdapterKnowsBetter(t *testing.T) {
	for _, test := range []struct {
		call       Call
		method     string
		idempotent bool
	}{
		{Get("op", "a"), "GET", true},
		{Post("op", 1, "a"), "POST", false},
		{Put("op", 1, "a"), "PUT", true},
		{Patch("op", 1, "a"), "PATCH", false},
		{Delete("op", "a"), "DELETE", true},
	} {
		if test.call.Method != test.method || test.call.Idempotent != test.idempotent {
			t.Errorf("call = %+v, want %s, idempotent %v", test.call, test.method, test.idempotent)
		}
		if test.call.write() != (test.method != "GET") {
			t.Errorf("%s is a write: %v", test.method, test.call.write())
		}
	}
}

func TestEachStatusHasItsKind(t *testing.T) {
	status := 0
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"told"}`)
	})
	api := s.plain(t, func(o *Options) {
		o.Explain = func(_ int, _ http.Header, body []byte) Explanation {
			var told struct{ Message string }
			_ = json.Unmarshal(body, &told)
			return Explanation{Message: told.Message}
		}
	})
	for _, test := range []struct {
		status      int
		read, write providers.Kind
		reason      providers.Reason
	}{
		{400, providers.Invalid, providers.Invalid, ""},
		{401, providers.Unauthorized, providers.Unauthorized, ""},
		{402, providers.Forbidden, providers.Forbidden, ""},
		{403, providers.Forbidden, providers.Forbidden, ""},
		{404, providers.NotFound, providers.NotFound, ""},
		{405, providers.Unavailable, providers.Unavailable, providers.InvalidResponse},
		{409, providers.Conflict, providers.Conflict, ""},
		{410, providers.NotFound, providers.NotFound, ""},
		{412, providers.Conflict, providers.Conflict, ""},
		{415, providers.Unavailable, providers.Unavailable, providers.InvalidResponse},
		{418, providers.Unavailable, providers.Unavailable, providers.InvalidResponse},
		{422, providers.Invalid, providers.Invalid, ""},
		{429, providers.RateLimited, providers.RateLimited, ""},
		{500, providers.Unavailable, providers.OutcomeUnknown, providers.Unreachable},
		{502, providers.Unavailable, providers.OutcomeUnknown, providers.Unreachable},
		{503, providers.Unavailable, providers.OutcomeUnknown, providers.Unreachable},
		{504, providers.Unavailable, providers.OutcomeUnknown, providers.Unreachable},
		{599, providers.Unavailable, providers.OutcomeUnknown, providers.Unreachable},
		{600, providers.Unavailable, providers.Unavailable, providers.InvalidResponse},
	} {
		status = test.status
		for _, call := range []Call{Get("get thing", "1"), Post("create thing", 1, "1"), Put("put thing", 1, "1"), Delete("delete thing", "1")} {
			want := test.read
			if call.write() {
				want = test.write
			}
			answer, err := api.Do(t.Context(), call, nil)
			e := wantError(t, err, want, test.reason)
			if e.Status != status || answer.Status != status || e.Message != "told" || e.Op != call.Op {
				t.Errorf("%s %d: error %+v, answer %d", call.Method, status, e, answer.Status)
			}
		}
	}
}

func TestAnErrorsDetailsComeFromTheAnswer(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		header http.Header
		told   Explanation
		scope  string // the call's
		want   providers.Error
	}{
		{"the wait of the body comes before the header's", 429, http.Header{"Retry-After": {"7"}},
			Explanation{RetryAfter: 42 * time.Second}, "", providers.Error{Kind: providers.RateLimited, RetryAfter: 42 * time.Second}},
		{"the wait of the header", 429, http.Header{"Retry-After": {"7"}},
			Explanation{}, "", providers.Error{Kind: providers.RateLimited, RetryAfter: 7 * time.Second}},
		{"no wait told", 429, nil, Explanation{}, "", providers.Error{Kind: providers.RateLimited}},
		{"a maintenance tells its end", 503, http.Header{"Retry-After": {"60"}},
			Explanation{}, "", providers.Error{Kind: providers.Unavailable, Reason: providers.Unreachable, RetryAfter: time.Minute}},
		{"what is missing will not come by waiting", 404, http.Header{"Retry-After": {"7"}},
			Explanation{RetryAfter: time.Second}, "", providers.Error{Kind: providers.NotFound}},
		{"the body knows the right that is missing", 403, nil,
			Explanation{RequiredScope: "read_things"}, "write_things", providers.Error{Kind: providers.Forbidden, RequiredScope: "read_things"}},
		{"the call knows the right that is missing", 403, nil,
			Explanation{}, "write_things", providers.Error{Kind: providers.Forbidden, RequiredScope: "write_things"}},
		{"a right is not missing elsewhere", 404, nil,
			Explanation{RequiredScope: "x"}, "write_things", providers.Error{Kind: providers.NotFound}},
		{"a field", 422, nil, Explanation{Field: "properties.name"}, "", providers.Error{Kind: providers.Invalid, Field: "properties.name"}},
		{"a field that is no word", 422, nil, Explanation{Field: "so bad"}, "", providers.Error{Kind: providers.Invalid}},
		{"a field that never ends", 422, nil, Explanation{Field: strings.Repeat("x", 101)}, "", providers.Error{Kind: providers.Invalid}},
		{"control characters become one space", 400, nil,
			Explanation{Message: "a\r\n\tb\x00c\u202ed\xff"}, "", providers.Error{Kind: providers.Invalid, Message: "a b cd"}},
		{"a long message is cut between runes", 400, nil,
			Explanation{Message: "x" + strings.Repeat("ü", 400)}, "", providers.Error{Kind: providers.Invalid, Message: "x" + strings.Repeat("ü", 249)}},
		{"a vendor that repeats the credential", 401, nil,
			Explanation{Message: "bad token " + testCredential + "!"}, "", providers.Error{Kind: providers.Unauthorized, Message: "bad token [redacted]!"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := newAPI(t, upstream(func(*http.Request) (*http.Response, error) {
				resp := respond(test.status, "{}")
				resp.Header = test.header
				return resp, nil
			}), func(o *Options) {
				o.Explain = func(int, http.Header, []byte) Explanation { return test.told }
			})
			call := Get("get thing", "1")
			call.RequiredScope = test.scope
			_, err := api.Do(t.Context(), call, nil)
			want := test.want
			want.Provider, want.Op, want.Status = "acme", "get thing", test.status
			if diff := cmp.Diff(&want, err); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExplainSeesNoMoreThan64KiB(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	seen := 0
	api := s.plain(t, func(o *Options) {
		o.Explain = func(_ int, _ http.Header, body []byte) Explanation {
			seen = len(body)
			return Explanation{}
		}
	})
	_, err := api.Do(t.Context(), Get("get thing", "1"), nil)
	wantError(t, err, providers.Invalid, "")
	if seen != 64<<10 {
		t.Errorf("Explain saw %d bytes", seen)
	}
}

func TestInputThatIsNoJSONIsInvalidAndNotSent(t *testing.T) {
	api := newAPI(t, upstream(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return respond(200, "{}"), nil
	}))
	year10000 := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := api.Do(t.Context(), Post("create thing", year10000, "things"), nil)
	wantError(t, err, providers.Invalid, "")
}

func TestAContextThatIsOverSendsNothing(t *testing.T) {
	s := newServer(t, func(http.ResponseWriter, *http.Request) {})
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, api := range []*API{s.plain(t), s.enduring(t, TransportConfig{})} {
		for _, call := range []Call{Get("get thing", "1"), Post("create thing", 1, "1")} {
			_, err := api.Do(canceled, call, nil)
			wantError(t, err, providers.Canceled, "")
			_, err = api.Do(late, call, nil)
			wantError(t, err, providers.Unavailable, providers.Timeout)
		}
	}
	if got := s.requests.Load(); got != 0 {
		t.Errorf("%d requests were sent", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, test := range []struct{ name, base, field, credential string }{
		{"empty", "", "base_url", ""},
		{"relative", "/v2", "base_url", ""},
		{"no host", "https://", "base_url", ""},
		{"no host but a port", "https://:443", "base_url", ""},
		{"opaque", "https:api.acme.test", "base_url", ""},
		{"not a URL", "https://api.acme.test:port", "base_url", ""},
		{"http elsewhere", "http://api.acme.test", "base_url", ""},
		{"http to a name that looks like loopback", "http://localhost.acme.test", "base_url", ""},
		{"another scheme", "ftp://localhost", "base_url", ""},
		{"a user", "https://ada:canary@api.acme.test", "base_url", ""},
		{"a query", "https://api.acme.test?api_key=canary", "base_url", ""},
		{"an empty query", "https://api.acme.test?", "base_url", ""},
		{"a fragment", "https://api.acme.test#canary", "base_url", ""},
		{"dots", "https://api.acme.test/v2/../canary", "base_url", ""},
		{"escaped dots", "https://api.acme.test/%2e%2e/canary", "base_url", ""},
		{"an empty part", "https://api.acme.test/v2//canary", "base_url", ""},
		{"a line break in the credential", "https://api.acme.test", "", "Bearer canary\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(Options{
				Provider: "acme", Setting: "base_url", Base: test.base, Authorization: providers.NewSecret(test.credential),
			})
			if e := wantError(t, err, providers.Invalid, ""); e.Field != test.field {
				t.Errorf("field = %q, want %q", e.Field, test.field)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error repeats what it was given: %v", err)
			}
		})
	}
	for _, base := range []string{
		"https://api.acme.test", "https://api.acme.test/", "https://api.acme.test:8443/a/b/", "HTTPS://API.acme.test/a%20b",
		"http://localhost:9001", "http://127.0.0.1:9001/v2", "http://127.8.9.1", "http://[::1]:9001",
	} {
		if _, err := New(Options{Provider: "acme", Setting: "base_url", Base: base}); err != nil {
			t.Errorf("New(%q) = %v", base, err)
		}
	}
}

func TestAnAPIWithoutCredentialSendsNone(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := r.Header["Authorization"]; ok {
			t.Error("an Authorization header arrived")
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	defer s.Close()
	api, err := New(Options{Provider: "acme", Base: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Do(t.Context(), Get("get root"), &thing{}); err != nil {
		t.Error(err)
	}
}
