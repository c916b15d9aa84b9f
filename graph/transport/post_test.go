package transport_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/graph/transport"
)

const (
	plain  = "application/json; charset=utf-8"
	modern = "application/graphql-response+json; charset=utf-8"
)

type answer struct {
	*http.Response
	text string
}

// code is that of the first error; "" when there is none.
func (a answer) code(t *testing.T) string {
	t.Helper()
	var body struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(a.text), &body); err != nil {
		t.Fatalf("the answer does not decode: %v\n%.500s", err, a.text)
	}
	if len(body.Errors) == 0 {
		return ""
	}
	if body.Errors[0].Message == "" {
		t.Errorf("an error without a message: %s", a.text)
	}
	return body.Errors[0].Extensions.Code
}

func send(t *testing.T, method, url string, body io.Reader, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, string(text)}
}

func TestTheCallerChoosesTheForm(t *testing.T) {
	server := newAPI(t, transport.POST{}, false)
	tests := []struct {
		name   string
		accept []string
		want   string // "": none will do
	}{
		{"nothing means the plain form", nil, plain},
		{"anything means the plain form", []string{"*/*"}, plain},
		{"any application means the plain form", []string{"application/*"}, plain},
		{"the plain form by name", []string{"application/json"}, plain},
		{"the modern form by name", []string{"application/graphql-response+json"}, modern},
		{"names are the same in capitals", []string{"Application/GraphQL-Response+JSON"}, modern},
		{"the modern form goes first when both are as good", []string{"application/json, application/graphql-response+json"}, modern},
		{"the weights decide", []string{"application/graphql-response+json;q=0.5, application/json;q=0.9"}, plain},
		{"a wildcard weighs as it says", []string{"application/graphql-response+json, */*;q=0.1"}, modern},
		{"several headers are one list", []string{"text/html", "application/graphql-response+json"}, modern},
		{"parameters do not matter", []string{"application/json; charset=utf-8; v=1"}, plain},
		{"what a browser sends", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, plain},
		{"what old Java sends", []string{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}, plain},
		{"nonsense is skipped", []string{";;, application/json;q=x, application/graphql-response+json"}, modern},
		{"the plain form refused leaves the modern one", []string{"application/json;q=0, */*"}, modern},
		{"both refused leaves none", []string{"application/*;q=0, */*"}, ""},
		{"another form alone is none", []string{"text/event-stream"}, ""},
		{"an empty header is none", []string{""}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			headers := []string{"Content-Type", "application/json"}
			for _, accept := range test.accept {
				headers = append(headers, "Accept", accept)
			}
			got := send(t, http.MethodPost, server.URL, strings.NewReader(`{"query":"{hello}"}`), headers...)
			if test.want == "" {
				if got.StatusCode != http.StatusNotAcceptable || got.code(t) != "NOT_ACCEPTABLE" {
					t.Errorf("answered %d %s, want 406", got.StatusCode, got.text)
				}
				return
			}
			if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != test.want {
				t.Errorf("answered %d as %q, want 200 as %q", got.StatusCode, got.Header.Get("Content-Type"), test.want)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	const secret = "hunter2"
	tests := []struct {
		name, body    string
		plain, modern int
		code          string
	}{
		{"a query", `{"query":"{hello}"}`, 200, 200, ""},
		{"a mutation", `{"query":"mutation {hello}"}`, 200, 200, ""},
		{"a field that fails has an answer all the same", `{"query":"{hello fail}"}`, 200, 200, ""},
		{"white space around", " \r\n\t{\"query\":\"{hello}\"}\n ", 200, 200, ""},
		{"unknown members are left alone", `{"query":"{hello}","id":"hunter2","Query":1}`, 200, 200, ""},
		{"everything that may be null", `{"query":"{hello}","variables":null,"operationName":null,"extensions":null}`, 200, 200, ""},
		{"no document", `{"query":""}`, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		{"a document that is no GraphQL", `{"query":"{"}`, 200, 400, "GRAPHQL_PARSE_FAILED"},
		{"a field that does not exist", `{"query":"{nothing}"}`, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		{"a variable of the wrong type", `{"query":"query($n: String){hello(name: $n)}","variables":{"n":1}}`, 200, 400, "INVALID"},
		{"an operation that is not there", `{"query":"query A {hello}","operationName":"B"}`, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		{"a subscription", `{"query":"subscription {hello}"}`, 200, 400, "UNSUPPORTED"},
		{"a bug of ours", `{"query":"{panic}"}`, 500, 500, "INTERNAL"},
		{"nothing", ``, 400, 400, "BAD_REQUEST"},
		{"an array", `[{"query":"{hello}"}]`, 400, 400, "BAD_REQUEST"},
		{"an array after white space", "\n [{\"query\":\"{hello}\"}]", 400, 400, "BAD_REQUEST"},
		{"null", `null`, 400, 400, "BAD_REQUEST"},
		{"a string", `"hunter2"`, 400, 400, "BAD_REQUEST"},
		{"half a body", `{"query":"{hello}","variables":{"password":"hunter2`, 400, 400, "BAD_REQUEST"},
		{"something after the body", `{"query":"{hello}"} hunter2`, 400, 400, "BAD_REQUEST"},
		{"two bodies", `{"query":"{hello}"}{"query":"{hello}"}`, 400, 400, "BAD_REQUEST"},
		{"a body that is not UTF-8", "{\"query\":\"{hello}\",\"variables\":{\"password\":\"hunter2\xff\"}}", 400, 400, "BAD_REQUEST"},
		{"no query", `{"variables":{"password":"hunter2"}}`, 400, 400, "BAD_REQUEST"},
		{"a null query", `{"query":null}`, 400, 400, "BAD_REQUEST"},
		{"a query that is no string", `{"query":{"hunter2":1}}`, 400, 400, "BAD_REQUEST"},
		{"variables that are no object", `{"query":"{hello}","variables":["hunter2"]}`, 400, 400, "BAD_REQUEST"},
		{"variables inside a string", `{"query":"{hello}","variables":"{\"a\":\"hunter2\"}"}`, 400, 400, "BAD_REQUEST"},
		{"an operation name that is no string", `{"query":"{hello}","operationName":["hunter2"]}`, 400, 400, "BAD_REQUEST"},
		{"extensions that are no object", `{"query":"{hello}","extensions":"hunter2"}`, 400, 400, "BAD_REQUEST"},
		{"10,000 values", `{"query":"{hello}","extensions":{"a":[` + strings.Repeat("{},", 4990) + `0]}}`, 200, 200, ""},
		{"more than 10,000 values", `{"query":"{hello}","variables":{"a":[` + strings.Repeat("{},", 5000) + `0]}}`, 413, 413, "REQUEST_TOO_LARGE"},
		{"more than 10,000 parameters", `{"query":"{hello}"` + strings.Repeat(`,"a":0`, 10_000) + `}`, 413, 413, "REQUEST_TOO_LARGE"},
		{"more than 10,000 values behind a quotation mark", `{"query":"{hello}","a":"\"","b":[` + strings.Repeat("0,", 10_000) + `0]}`, 413, 413, "REQUEST_TOO_LARGE"},
		{"many commas in a string", `{"query":"{hello}","variables":{"a":"\\\"` + strings.Repeat("[,{", 10_000) + `"}}`, 200, 200, ""},
		{"more than a megabyte", `{"query":"{hello}","variables":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`, 413, 413, "REQUEST_TOO_LARGE"},
	}
	server := newAPI(t, transport.POST{}, false)
	for _, test := range tests {
		for accept, want := range map[string]int{plain: test.plain, modern: test.modern} {
			t.Run(test.name+" as "+accept, func(t *testing.T) {
				got := send(t, http.MethodPost, server.URL, strings.NewReader(test.body), "Content-Type", "application/json", "Accept", accept)
				code := got.code(t)
				if got.StatusCode == http.StatusOK && strings.Contains(got.text, `"data"`) {
					code = ""
				}
				if got.StatusCode != want || code != test.code {
					t.Errorf("answered %d %q, want %d %q", got.StatusCode, code, want, test.code)
				}
				if got.Header.Get("Content-Type") != accept {
					t.Errorf("answered as %q, want %q", got.Header.Get("Content-Type"), accept)
				}
				if strings.Contains(got.text, `"data"`) != (test.code == "") {
					t.Errorf("data where there is none, or none where it should be: %s", got.text)
				}
				if strings.Contains(got.text, secret) {
					t.Errorf("the answer repeats the request: %s", got.text)
				}
			})
		}
	}
}

func TestWhatIsNotJSONByPOSTIsRefused(t *testing.T) {
	server := newAPI(t, transport.POST{}, false)
	tests := []struct {
		name, method string
		headers      []string
		status       int
		code         string
	}{
		{"GET", http.MethodGet, nil, 405, "METHOD_NOT_ALLOWED"},
		{"PUT", http.MethodPut, []string{"Content-Type", "application/json"}, 405, "METHOD_NOT_ALLOWED"},
		{"OPTIONS", http.MethodOptions, nil, 405, "METHOD_NOT_ALLOWED"},
		{"no content type", http.MethodPost, nil, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"what a page elsewhere may send", http.MethodPost, []string{"Content-Type", "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"a form", http.MethodPost, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"a document alone", http.MethodPost, []string{"Content-Type", "application/graphql"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"another alphabet", http.MethodPost, []string{"Content-Type", "application/json; charset=latin1"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"compressed", http.MethodPost, []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"UTF-8 in capitals", http.MethodPost, []string{"Content-Type", "application/json; charset=UTF-8"}, 200, ""},
		{"an upgrade that no other transport took", http.MethodPost,
			[]string{"Content-Type", "application/json", "Connection", "Upgrade", "Upgrade", "websocket"}, 200, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := send(t, test.method, server.URL, strings.NewReader(`{"query":"{hello}"}`), test.headers...)
			if got.StatusCode != test.status || got.code(t) != test.code {
				t.Errorf("answered %d %s, want %d %s", got.StatusCode, got.text, test.status, test.code)
			}
			if allow := got.Header.Get("Allow"); (test.status == 405) != (allow == "POST") {
				t.Errorf("Allow = %q", allow)
			}
		})
	}
}

func TestAnAnswerIsFramedAsItIs(t *testing.T) {
	server := newAPI(t, transport.POST{}, false)
	got := send(t, http.MethodPost, server.URL, strings.NewReader(`{"query":"{large fail}"}`), "Content-Type", "application/json")
	if want := strconv.Itoa(len(got.text)); got.Header.Get("Content-Length") != want {
		t.Errorf("Content-Length = %q, want %s", got.Header.Get("Content-Length"), want)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(got.text), &body); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"data": map[string]any{"large": string(large), "fail": nil},
		"errors": []any{map[string]any{
			"message": "no luck", "path": []any{"fail"},
		}},
		"extensions": map[string]any{"cost": map[string]any{"points": 2., "maxPoints": 5000., "objects": 0., "maxObjects": 10000.}},
	}
	if diff := cmp.Diff(body, want); diff != "" {
		t.Errorf("answer (-got +want):\n%.2000s", diff)
	}
	if !strings.Contains(got.text, string(large)) {
		t.Error("the data went through another encoder")
	}
}

func TestAnOperationEndsInTime(t *testing.T) {
	server := newAPI(t, transport.POST{Timeout: 10 * time.Millisecond}, false)
	got := send(t, http.MethodPost, server.URL, strings.NewReader(`{"query":"{wait}"}`), "Content-Type", "application/json")
	if got.StatusCode != http.StatusServiceUnavailable || got.code(t) != "TIMEOUT" {
		t.Errorf("answered %d %s, want 503 TIMEOUT", got.StatusCode, got.text)
	}
}

// TestWhatWasDoneIsAnsweredHoweverLate: an answer may hold what nobody can ask for again.
func TestWhatWasDoneIsAnsweredHoweverLate(t *testing.T) {
	server := newAPI(t, transport.POST{Timeout: time.Second}, false)
	got := send(t, http.MethodPost, server.URL, strings.NewReader(`{"query":"{late}"}`), "Content-Type", "application/json")
	if got.StatusCode != http.StatusOK || !strings.Contains(got.text, `"data":{"late":"at last"}`) {
		t.Errorf("answered %d %s, want 200 and the data", got.StatusCode, got.text)
	}
}

func TestABodyThatBreaksOffIsABadRequest(t *testing.T) {
	server := newAPI(t, transport.POST{}, false)
	broken, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(`{"query":`))
	if err != nil {
		t.Fatal(err)
	}
	broken.Header.Set("Content-Type", "application/json")
	broken.ContentLength = 1000
	if answer, err := http.DefaultClient.Do(broken); err == nil {
		_ = answer.Body.Close()
		t.Fatal("half a body was sent as a whole")
	}
	got := send(t, http.MethodPost, server.URL, strings.NewReader(`{"query":"{hello}"}`), "Content-Type", "application/json")
	if got.StatusCode != http.StatusOK {
		t.Errorf("afterwards the server answers %d", got.StatusCode)
	}
}
