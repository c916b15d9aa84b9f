package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asked is what an emulator tells of its requests.
type asked struct {
	Total    int
	Requests map[string]int
	Statuses map[string]int
}

func requests(t testing.TB, url string) asked {
	t.Helper()
	var got asked
	if err := json.Unmarshal([]byte(do(t, http.MethodGet, url+"/_emulator/requests", nil)), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// call sends one request with a credential and returns the status, and the body as JSON.
func call(t testing.TB, url, credential string) (status int, body any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Authorization", "Bearer "+credential)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatalf("%s answered %s: %v", url, text, err)
	}
	return response.StatusCode, body
}

func TestAnEmulatorTellsWhatItWasAsked(t *testing.T) {
	r := start(t, nil, "emulate", "buildkite")
	call(t, r.url+"/v2/organizations?page=1", "x")
	call(t, r.url+"/v2/organizations?page=2", "x")
	call(t, r.url+"/v2/user", "x")
	call(t, r.url+"/v2/organizations/none", "x")
	want := asked{
		Total: 4, Requests: map[string]int{"GET /v2/organizations": 2, "GET /v2/user": 1, "GET /v2/organizations/none": 1},
		Statuses: map[string]int{"200": 3, "404": 1},
	}
	if diff := cmp.Diff(requests(t, r.url), want); diff != "" {
		t.Errorf("requests differ, got - want +\n%s", diff)
	}
	do(t, http.MethodDelete, r.url+"/_emulator/requests", nil)
	if diff := cmp.Diff(requests(t, r.url), asked{Requests: map[string]int{}, Statuses: map[string]int{}}); diff != "" {
		t.Errorf("after DELETE requests differ, got - want +\n%s", diff)
	}
	if code := r.end(t); code != 0 {
		t.Errorf("exit %d, said %s", code, r.stderr)
	}
}

func TestAnEmulatorSaysHowToReachIt(t *testing.T) {
	r := start(t, nil, "emulate", "ionos", "--token="+canary)
	want := "IONOS Cloud Container Registry is emulated at URL\n" +
		"  base_url: URL/containerregistries\n  cloud_url: URL/cloudapi/v6\n  requests_per_minute: 1000000\n" +
		"  URL/_emulator/requests tells how many requests each path got, and how many answers had which status\n"
	r.end(t)
	if diff := cmp.Diff(strings.ReplaceAll(r.stdout.String(), r.url, "URL"), want); diff != "" {
		t.Errorf("said something else, got - want +\n%s", diff)
	}
}

func TestAnEmulatorHoldsAsMuchAsItIsTold(t *testing.T) {
	const registries, tokens = 7, 3
	r := start(t, nil, "emulate", "ionos", "--registries=7", "--tokens=3")
	_, body := call(t, r.url+"/containerregistries/registries", "x")
	items := body.(map[string]any)["items"].([]any)
	if len(items) != registries {
		t.Fatalf("registries = %d, want %d", len(items), registries)
	}
	for _, item := range items {
		_, body := call(t, r.url+"/containerregistries/registries/"+item.(map[string]any)["id"].(string)+"/tokens", "x")
		if got := len(body.(map[string]any)["items"].([]any)); got != tokens {
			t.Errorf("tokens = %d, want %d", got, tokens)
		}
	}
}

func TestAnEmulatorTakesTheCredentialItIsTold(t *testing.T) {
	for _, provider := range []string{"buildkite", "ionos"} {
		path := map[string]string{"buildkite": "/v2/organizations", "ionos": "/containerregistries/registries"}[provider]
		open, picky := start(t, nil, "emulate", provider), start(t, nil, "emulate", provider, "--token="+canary)
		for name, test := range map[string]struct {
			url, credential string
			want            int
		}{
			"any":       {open.url, "x", 200},
			"the right": {picky.url, canary, 200},
			"a wrong":   {picky.url, "x", 401},
		} {
			if got, _ := call(t, test.url+path, test.credential); got != test.want {
				t.Errorf("%s with %s credential answered %d, want %d", provider, name, got, test.want)
			}
		}
	}
}

func TestAnEmulatorCanBeSlowAndStrict(t *testing.T) {
	r := start(t, nil, "emulate", "ionos", "--latency=30ms", "--rate-limit",
		"--choice=requests_per_minute=5,empty_lists=null", "--choice=scope_order=reversed")
	begin := time.Now()
	var got []int
	for range 6 {
		status, _ := call(t, r.url+"/containerregistries/registries", "x")
		got = append(got, status)
	}
	if diff := cmp.Diff(got, []int{200, 200, 200, 200, 200, 429}); diff != "" {
		t.Errorf("statuses differ, got - want +\n%s", diff)
	}
	if took := time.Since(begin); took < 6*30*time.Millisecond {
		t.Errorf("six requests took %s, want 180ms and more", took)
	}
}

func TestWrongOptionsOfAnEmulatorAreRefused(t *testing.T) {
	tests := []struct{ args, want string }{
		{"emulate gitlab", `regtok: there is no provider "gitlab": choose one of buildkite, ionos`},
		{"emulate", `regtok: expected "<provider>"`},
		{"emulate ionos --registries=-1", "regtok: --registries: there cannot be fewer than none"},
		{"demo --tokens=-1", "regtok: --tokens: there cannot be fewer than none"},
		{"emulate ionos --registries=many", "regtok: --registries: "},
		{"emulate ionos --latency=slow", "regtok: --latency: "},
		{"emulate ionos --listen=9001", "regtok: --listen: "},
		{"emulate ionos --choice=speed=fast", "regtok: --choice: there is no speed=fast; there are, the default first,\n  replace_status=200|201\n      Status of a PUT"},
		{"emulate buildkite --choice=user_name=sometimes", "regtok: --choice: there is no user_name=sometimes; there are, the default first,\n  "},
		{"emulate ionos --choice=speed", "regtok: --choice: "},
		{"emulate ionos extra", "regtok: unexpected argument extra"},
	}
	for _, test := range tests {
		said, code := refused(t, nil, strings.Fields(test.args)...)
		if !strings.HasPrefix(said, test.want) || code != 2 {
			t.Errorf("%s: exit %d, said %q, want exit 2, %q", test.args, code, said, test.want)
		}
	}
}

func TestTheAddressOfAnEmulatorCanBeTaken(t *testing.T) {
	taken := strings.TrimPrefix(start(t, nil, "emulate", "ionos").url, "http://")
	said, code := refused(t, nil, "emulate", "buildkite", "--listen="+taken)
	if !strings.HasPrefix(said, "regtok: --listen: ") || !strings.Contains(said, "choose another, or port 0 for a free one") || code != 2 {
		t.Errorf("exit %d, said %q", code, said)
	}
}
