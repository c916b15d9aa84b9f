package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"regtok/providers"
)

// client talks to an emulator over HTTP with one credential.
type client struct {
	t          testing.TB
	base       string
	credential string
	emulator   *providers.Emulator
}

func serve(t *testing.T, options providers.EmulatorOptions) *client {
	t.Helper()
	e, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler)
	t.Cleanup(server.Close)
	return &client{t, server.URL, e.Settings(server.URL)["token"].Reveal(), e}
}

func chosen(t *testing.T, name, value string) *client {
	t.Helper()
	return serve(t, providers.EmulatorOptions{Choices: map[string]string{name: value}})
}

// as is the same client with another credential; an empty one sends none.
func (c *client) as(credential string) *client {
	other := *c
	other.credential = credential
	return &other
}

type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

func (c *client) send(method, path, body string, header ...string) reply {
	c.t.Helper()
	request, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.credential != "" {
		request.Header.Set("Authorization", "Bearer "+c.credential)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		c.t.Fatal(err)
	}
	return reply{c.t, response.StatusCode, response.Header, got}
}

func (c *client) get(path string) reply {
	c.t.Helper()
	return c.send("GET", path, "")
}

// is checks the status.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status = %d, want %d; body %s", r.status, status, r.body)
	}
	return r
}

// says checks a refusal: its status and the message in its body.
func (r reply) says(status int, message string) {
	r.t.Helper()
	if got := r.is(status).object()["message"]; got != message {
		r.t.Errorf("message = %q, want %q", got, message)
	}
}

func (r reply) object() map[string]any {
	r.t.Helper()
	return decode[map[string]any](r)
}

func (r reply) array() []map[string]any {
	r.t.Helper()
	return decode[[]map[string]any](r)
}

func decode[T any](r reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatalf("%v in %q", err, r.body)
	}
	return v
}

// fields collects one field of all elements.
func fields(elements []map[string]any, name string) []string {
	values := make([]string, len(elements))
	for i, element := range elements {
		values[i], _ = element[name].(string)
	}
	return values
}

const (
	acme      = "/v2/packages/organizations/acme-inc/registries"
	globex    = "/v2/packages/organizations/globex/registries"
	images    = acme + "/images"
	public    = acme + "/open-source"
	empty     = acme + "/helm-charts"
	unknownID = "0191b6a2-aa51-70d0-8a5f-aabce115b0fd"
	noAccess  = "Authentication required. Please supply a valid API Access Token: " +
		"https://buildkite.com/docs/apis/rest-api#authentication"
	noDescribe = "Validation failed: Description can't be blank"
)

func (c *client) firstToken(registry string) string {
	c.t.Helper()
	return registry + "/tokens/" + fields(c.get(registry+"/tokens").is(200).array(), "id")[0]
}

func TestTheRootGreetsWithoutACredential(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	r := c.as("").get("/").is(200)
	if got := r.object(); got["message"] != "🛠" || got["timestamp"].(float64) < 1 {
		t.Errorf("greeting = %v, want the tools and the time", got)
	}
	if got, want := r.header.Get("Content-Type"), "application/json; charset=utf-8"; got != want {
		t.Errorf("Content-Type = %q, want %q", got, want)
	}
	c.as("").send("POST", "/", "{}").is(405)
}

func TestEveryOtherPathNeedsABearer(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, path := range []string{"/v2/organizations", "/v2/user", acme, images + "/tokens", "/nowhere"} {
		c.as("").get(path).says(401, noAccess)
	}
	for _, header := range []string{"Basic YWRhOnB3", "Bearer", "Bearer ", "bkua_emulator"} {
		c.as("").send("GET", "/v2/user", "", "Authorization", header).says(401, noAccess)
	}
	c.as("").send("GET", "/v2/user", "", "Authorization", "bearer anything").is(200)
}

func TestAChosenTokenIsTheOnlyOne(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{Token: "bkua_only"})
	if c.credential != "bkua_only" {
		t.Fatalf("settings' token = %q, want the chosen one", c.credential)
	}
	c.get("/v2/user").is(200)
	c.as("bkua_other").get("/v2/user").says(401, noAccess)
}

func TestSettingsPointAtTheEmulator(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	settings := c.emulator.Settings(c.base)
	if got := settings["base_url"].Reveal(); got != c.base {
		t.Errorf("base_url = %q, want %q", got, c.base)
	}
	c.as(settings["token"].Reveal()).get("/v2/user").is(200)
}

func TestUnknownPathsAreNotFound(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, path := range []string{
		"/v2", "/v1/organizations", "/v2/organizations/", "/v2/organizations/acme-inc/pipelines", acme + "//tokens",
		images + "/tokens/" + unknownID + "/more", "/v2/organizations/..", acme + "/..%2fimages", acme + "/a%2Fb/tokens",
	} {
		if r := c.get(path).is(404); r.object()["message"] == "" {
			t.Errorf("GET %s: no message", path)
		}
	}
}

func TestMethodsWithoutMeaningAreNotAllowed(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, test := range []struct{ method, path, allow string }{
		{"POST", "/v2/organizations", "GET"},
		{"DELETE", "/v2/organizations/acme-inc", "GET"},
		{"PATCH", "/v2/organizations/acme-inc/members/" + unknownID, "GET"},
		{"PUT", "/v2/user", "GET"},
		{"POST", "/v2/access-token", "DELETE, GET"},
		{"PUT", acme, "GET, POST"},
		{"DELETE", images + "/tokens", "GET, POST"},
	} {
		r := c.send(test.method, test.path, "{}")
		r.says(405, "Method Not Allowed")
		if got := r.header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow = %q, want %q", test.method, test.path, got, test.allow)
		}
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	if r := c.send("HEAD", images+"/tokens", "").is(200); len(r.body) != 0 || r.header.Get("Content-Length") == "0" {
		t.Errorf("body of %d bytes, Content-Length %s; want none and the list's", len(r.body), r.header.Get("Content-Length"))
	}
}

func TestBrowsersOfAnyOriginAreAllowed(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	stranger := c.as("")
	for _, r := range []reply{c.get("/v2/user").is(200), stranger.get("/v2/user").is(401), stranger.send("OPTIONS", acme, "").is(204)} {
		if got := r.header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("allowed origin = %q, want *", got)
		}
		if got := r.header.Get("Access-Control-Expose-Headers"); got != "Link" {
			t.Errorf("exposed headers = %q, want Link", got)
		}
	}
}

func TestBodiesThatAreNoJSONObjectsAreRefused(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, body := range []string{
		`{`, `[]`, `null`, `"description"`, `{"description":"a"} {}`, `{"description":"a",}`, strings.Repeat(`{"a":`, 20_000),
	} {
		for _, path := range []string{acme, images, images + "/tokens", c.firstToken(images)} {
			c.send("POST", path, body).says(400, "The request body is not a JSON object")
		}
	}
	large := `{"description":"` + strings.Repeat("x", maxBody) + `"}`
	c.send("POST", images+"/tokens", large).says(413, "Request Entity Too Large")
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	e, err := New(providers.EmulatorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest("POST", images+"/tokens", iotest.ErrReader(io.ErrUnexpectedEOF))
	request.Header.Set("Authorization", "Bearer x")
	recorder := httptest.NewRecorder()
	e.Handler.ServeHTTP(recorder, request)
	reply{t: t, status: recorder.Code, body: recorder.Body.Bytes()}.says(400, "The request body is not a JSON object")
}

func TestFormsHaveNoProperties(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, media := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/", ";"} {
		c.send("POST", images+"/tokens", `{"description":"a"}`, "Content-Type", media).says(422, noDescribe)
	}
	c.send("POST", images+"/tokens", `{"description":"a"}`, "Content-Type", "application/json; charset=utf-8").is(200)
	c.send("POST", images+"/tokens", `{"description":"a"}`, "Content-Type", "").is(200)
}

func TestSenselessOptionsAreRefused(t *testing.T) {
	for _, options := range []providers.EmulatorOptions{{Registries: -1}, {Registries: 1, Tokens: -1}} {
		if _, err := New(options); providers.KindOf(err) != providers.Invalid {
			t.Errorf("New(%+v) = %v, want INVALID", options, err)
		}
	}
}

func TestAnAnswerOverTLSLinksToTLS(t *testing.T) {
	e, err := New(providers.EmulatorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest("GET", "https://bk.test/v2/organizations/globex", nil)
	request.Header.Set("Authorization", "Bearer x")
	e.Handler.ServeHTTP(recorder, request)
	got := reply{t: t, status: recorder.Code, body: recorder.Body.Bytes()}.is(200).object()["url"]
	if want := "https://bk.test/v2/organizations/globex"; got != want {
		t.Errorf("url = %v, want %s", got, want)
	}
}
