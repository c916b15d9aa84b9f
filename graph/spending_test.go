package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/graph/internal/scalar"
	"regtok/quota"
)

const whoAmI = `{ viewer { subject } }` // 2 points

// spender is a stage whose one caller has so many points, of which none comes back while a test runs.
func spender(t *testing.T, points int) *stage {
	t.Helper()
	viewer := auth.Viewer{Subject: "ci", Permissions: auth.Permissions(), Allowance: &auth.Allowance{PerMinute: 1, Burst: points}}
	return newStage(t, plan{viewer: &viewer, quota: quota.New(quota.Config{})})
}

// bill is what an answer says besides its data.
type bill struct {
	Status     int
	Code       string
	Limit      string
	Retries    bool
	Remaining  int
	HasBalance bool
}

// over sends an operation by HTTP, and takes the answer in that form.
func (s *stage) over(t *testing.T, method, accept string, request object) bill {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	address, content := s.url, io.Reader(strings.NewReader(string(body)))
	if method == http.MethodGet {
		address, content = s.url+"?"+url.Values{"query": {request["query"].(string)}}.Encode(), nil
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, content)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, after := readBill(t, response.StatusCode, text)
	seconds, isNumber := strconv.Atoi(response.Header.Get("Retry-After"))
	wait, isWait := scalar.UnmarshalDuration(after)
	if told := isNumber == nil && isWait == nil && time.Duration(seconds)*time.Second == wait; told != (got.Status == http.StatusTooManyRequests) {
		t.Errorf("answered %d with Retry-After %q and retryAfter %q, want the same there, and only with 429", got.Status, response.Header.Get("Retry-After"), after)
	}
	return got
}

// readBill is what an answer says, and after what time it says to come back.
func readBill(t *testing.T, status int, text []byte) (got bill, after string) {
	t.Helper()
	var said struct {
		Errors []struct {
			Extensions struct{ Code, Limit, RetryAfter string }
		}
		Extensions struct {
			Cost struct{ Caller *struct{ Remaining int } }
		}
	}
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatalf("answered %d %s: %v", status, text, err)
	}
	got = bill{Status: status}
	if len(said.Errors) > 0 {
		e := said.Errors[0].Extensions
		got.Code, got.Limit, got.Retries = e.Code, e.Limit, strings.HasPrefix(e.RetryAfter, "PT")
		after = e.RetryAfter
	}
	if balance := said.Extensions.Cost.Caller; balance != nil {
		got.HasBalance, got.Remaining = true, balance.Remaining
	}
	return got, after
}

const (
	plainForm  = "application/json"
	modernForm = "application/graphql-response+json"
)

func TestAnOperationIsPaidForBeforeItRuns(t *testing.T) {
	s := spender(t, 40)
	const all = `{ tokens(first: 100) { nodes { id name } } }` // 23 points
	steps := []struct {
		name, accept string
		request      object
		want         bill
		asks         bool
	}{
		{"what can be paid for runs, and the answer tells what is left", plainForm, object{"query": all}, bill{200, "", "", false, 17, true}, true},
		{"what is larger than any operation may be costs nothing", modernForm, object{"query": "{" + strings.Repeat(" viewer{subject}", 300) + "}"}, bill{400, "QUERY_TOO_LARGE", "tokens", false, 0, false}, false},
		{"nor does what is no GraphQL", modernForm, object{"query": "{"}, bill{400, "GRAPHQL_PARSE_FAILED", "", false, 0, false}, false},
		{"nor an operation that is not there", modernForm, object{"query": "query A " + whoAmI, "operationName": "B"}, bill{400, "GRAPHQL_VALIDATION_FAILED", "", false, 0, false}, false},
		{"what is not valid was validated, and is paid for", modernForm, object{"query": "{ nothing }"}, bill{400, "GRAPHQL_VALIDATION_FAILED", "", false, 16, true}, false},
		{"what cannot be paid for is refused, and nobody is asked", modernForm, object{"query": `{ a: tokens { totalCount nodes { id } } b: tokens { nodes { name } } }`}, bill{429, "RATE_LIMITED", "callerPoints", true, 16, true}, false},
		{"in the plain form, too", plainForm, object{"query": `{ a: tokens { totalCount nodes { id } } b: tokens { nodes { name } } }`}, bill{200, "RATE_LIMITED", "callerPoints", true, 16, true}, false},
		{"a mutation is", modernForm, object{"query": `mutation { a: deleteToken(input: {token: {id: "x"}}) { clientMutationId } b: deleteToken(input: {token: {id: "x"}}) { clientMutationId } }`}, bill{429, "RATE_LIMITED", "callerPoints", true, 16, true}, false},
		{"a smaller one still runs", plainForm, object{"query": whoAmI}, bill{200, "", "", false, 14, true}, false},
		{"what costs more than there can ever be is too costly", modernForm, object{"query": `{ registries(first: 100) { nodes { tokens { totalCount } } } }`}, bill{400, "QUERY_TOO_COSTLY", "callerPoints", false, 14, true}, false},
	}
	for _, step := range steps {
		s.requests()
		got := s.over(t, http.MethodPost, step.accept, step.request)
		if diff := cmp.Diff(got, step.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", step.name, diff)
		}
		if asked := s.requests(); step.asks != (asked["ionos"]+asked["buildkite"] > 0) {
			t.Errorf("%s: providers were asked %v", step.name, asked)
		}
	}
}

// TestEveryTransportSpendsTheSameAllowance lets a caller spend what they have over all of them, and then tries each once more.
func TestEveryTransportSpendsTheSameAllowance(t *testing.T) {
	s := spender(t, 2+2+14+14)
	const follow = `subscription { tokenExpiry { ... on TokenExpiryEvent { id cursor } } }` // 10, and 3 fields, and the event
	conn := s.socket(t, `{"id":"1","type":"subscribe","payload":{"query":"`+whoAmI+`"}}`)
	for _, want := range []string{`"caller":{"remaining":30,"perMinute":1,"burst":32}`, `"complete"`} {
		hears(t, conn, want)
	}
	if got := s.over(t, http.MethodPost, plainForm, object{"query": whoAmI}); got.Remaining != 28 {
		t.Errorf("over HTTP it tells %+v, want 28 left", got)
	}
	say(t, conn, `{"id":"2","type":"subscribe","payload":{"query":"`+follow+`"}}`)
	s.waitFor(t, 1)
	s.follow(t, follow, object{}, "")
	s.waitFor(t, 1)
	left := s.over(t, http.MethodPost, plainForm, object{"query": `{ a: viewer { subject } b: viewer { subject } c: viewer { subject } d: viewer { subject } }`})
	if left.Code != "RATE_LIMITED" || left.Remaining > 7 {
		t.Fatalf("after two subscriptions it tells %+v, want that they were paid for", left)
	}

	refused := bill{http.StatusTooManyRequests, "RATE_LIMITED", "callerPoints", true, left.Remaining, true}
	for name, got := range map[string]bill{
		"server-sent events by GET":  s.over(t, http.MethodGet, "text/event-stream", object{"query": follow}),
		"server-sent events by POST": s.over(t, http.MethodPost, "text/event-stream, "+modernForm, object{"query": follow}),
	} {
		if diff := cmp.Diff(got, refused); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
	say(t, conn, `{"id":"3","type":"subscribe","payload":{"query":"`+follow+`"}}`)
	for _, want := range []string{`{"id":"3","type":"error"`} {
		got := read(t, conn)
		if !strings.HasPrefix(got, want) || !strings.Contains(got, `"code":"RATE_LIMITED"`) || !strings.Contains(got, `"retryAfter":"PT`) {
			t.Errorf("over a socket it says %s, want an error that tells when to come back", got)
		}
	}
	s.tell(t, event(ionosToken, 1)) // which costs nothing more
	hears(t, conn, `{"id":"2","type":"next"`)
	if got := s.over(t, http.MethodPost, plainForm, object{"query": whoAmI}); got.Remaining > left.Remaining {
		t.Errorf("an event made points: %+v", got)
	}
}

// TestWithoutAnAllowanceNothingIsTold is how it is where no callers are configured.
func TestWithoutAnAllowanceNothingIsTold(t *testing.T) {
	s := newStage(t, plan{quota: quota.New(quota.Config{})})
	for range 50 {
		if diff := cmp.Diff(s.over(t, http.MethodPost, modernForm, object{"query": whoAmI}), bill{Status: http.StatusOK}); diff != "" {
			t.Fatalf("(-got +want):\n%s", diff)
		}
	}
}
