package main

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
)

// madeKey runs `regtok keys new`, and returns the key and what it says of the configuration.
func madeKey(t testing.TB, name string) (key, config string) {
	t.Helper()
	said, code := output(t, nil, "keys", "new", "--name="+name)
	found := regexp.MustCompile(`(?m)^  (regtok_\S+)$`).FindStringSubmatch(said)
	if code != 0 || found == nil {
		t.Fatalf("keys new: exit %d, said %s", code, said)
	}
	return found[1], said[strings.Index(said, "callers:"):]
}

func TestANewKeyIsTakenAsItIsPrinted(t *testing.T) {
	key, config := madeKey(t, "ci")
	if strings.Contains(config, key[16:]) {
		t.Errorf("what belongs into the configuration holds the key: %s", config)
	}
	got, err := parseConfig("regtok.yaml", []byte(config), serveFlags())
	if err != nil {
		t.Fatal(err)
	}
	viewer, err := auth.NewCallers(auth.Config{Keys: got.callers}).Admit(t.Context(), "Bearer "+key)
	want := auth.Viewer{Subject: "ci", Permissions: []auth.Permission{auth.TokensRead, auth.EventsRead}}
	if diff := cmp.Diff(viewer, want); diff != "" || err != nil {
		t.Errorf("%v, viewer (-got +want):\n%s", err, diff)
	}
	for _, name := range []string{"", "a b", "a:b", strings.Repeat("a", 65)} {
		if said, code := refused(t, nil, "keys", "new", "--name="+name); code != 2 || !strings.Contains(said, "--name") {
			t.Errorf("--name=%q: exit %d, said %s", name, code, said)
		}
	}
}

func TestCallersAreReadAsTheyAreWritten(t *testing.T) {
	hash := auth.NewKey().Hash().String()
	for until, want := range map[string]string{
		"":                          "0001-01-01T00:00:00Z",
		"2027-01-31":                "2027-02-01T00:00:00Z", // its last day is a whole one
		"2027-01-31T12:00:00+01:00": "2027-01-31T11:00:00Z",
		"'2028-02-28'":              "2028-02-29T00:00:00Z",
	} {
		text := "callers:\n- name: ci\n  key: " + hash + "\n  permissions: [TOKENS_READ, METRICS_READ]\n"
		if until != "" {
			text += "  until: " + until + "\n"
		}
		got, err := parseConfig("regtok.yaml", []byte(text), serveFlags())
		if err != nil {
			t.Fatalf("until %s: %v", until, err)
		}
		viewer := got.callers[0].Viewer
		if end := viewer.Until.UTC().Format(time.RFC3339); end != want {
			t.Errorf("until %s is %s, want %s", until, end, want)
		}
		if !slices.Equal(viewer.Permissions, []auth.Permission{auth.TokensRead, auth.MetricsRead}) {
			t.Errorf("permissions %v", viewer.Permissions)
		}
	}
	two := fmt.Sprintf("callers:\n- {name: ci, key: %s, permissions: [TOKENS_READ]}\n- {name: ci, key: %s, permissions: [TOKENS_READ]}\n", hash, auth.NewKey().Hash())
	if got, err := parseConfig("regtok.yaml", []byte(two), serveFlags()); err != nil || len(got.callers) != 2 {
		t.Errorf("two keys of one caller: %v", err)
	}
}

func TestWrongCallersAreRefusedWithThePlace(t *testing.T) {
	hash := auth.NewKey().Hash().String()
	key := auth.NewKey().Reveal()
	caller := func(lines ...string) string { return "callers:\n- name: ci\n  " + strings.Join(lines, "\n  ") + "\n" }
	tests := []struct{ name, text, want string }{
		{"none", "callers:\n", "regtok.yaml:1:10: callers is a list: start each caller with `- name:`"},
		{"an empty list", "callers: []\n", "regtok.yaml:1:10: callers is a list: start each"},
		{"a mapping", "callers: {name: ci}\n", "regtok.yaml:1:11: callers is a list: start each"},
		{"a text", "callers: [ci]\n", "regtok.yaml:1:11: a caller has to be a mapping"},
		{"an unknown key", caller("key: "+hash, "permission: TOKENS_READ"), "regtok.yaml:4:3: unknown key permission; there are name, key, permissions, until"},
		{"an API key for a key", caller(key + ": x"), "regtok.yaml:3:3: unknown key; there are"},
		{"no name", "callers:\n- key: " + hash + "\n", "regtok.yaml:2:3: a caller needs `name`"},
		{"no key", caller("permissions: [TOKENS_READ]"), "regtok.yaml:2:3: a caller needs `key`"},
		{"no permissions", caller("key: " + hash), "regtok.yaml:2:3: a caller needs `permissions`"},
		{"an odd name", "callers:\n- name: a b\n  key: " + hash + "\n  permissions: [TOKENS_READ]\n", "regtok.yaml:2:9: the caller's `name` needs 1 to 64"},
		{"the key instead of its hash", caller("key: "+key, "permissions: [TOKENS_READ]"), "regtok.yaml:3:8: key: this is no hash of a key: `regtok keys new` prints one"},
		{"a short hash", caller("key: "+hash[:40], "permissions: [TOKENS_READ]"), "regtok.yaml:3:8: key: this is no hash"},
		{"a key of nothing", caller("key:", "permissions: [TOKENS_READ]"), "regtok.yaml:3:7: key has no value"},
		{"a list of keys", caller("key: ["+hash+"]", "permissions: [TOKENS_READ]"), "regtok.yaml:3:8: key needs a text or a number"},
		{"one permission as a text", caller("key: "+hash, "permissions: TOKENS_READ"), "regtok.yaml:4:16: permissions is a list of TOKENS_READ, TOKENS_WRITE,"},
		{"no permission", caller("key: "+hash, "permissions: []"), "regtok.yaml:4:16: permissions is a list of"},
		{"an unknown permission", caller("key: "+hash, "permissions: [TOKENS_READ, "+key+"]"), "regtok.yaml:4:30: this is no permission; there are TOKENS_READ,"},
		{"a permission twice", caller("key: "+hash, "permissions: [TOKENS_READ, TOKENS_READ]"), "regtok.yaml:4:30: TOKENS_READ stands here twice"},
		{"an end that is none", caller("key: "+hash, "permissions: [TOKENS_READ]", "until: "+key), "regtok.yaml:5:10: until is a day, like 2027-01-31, which"},
		{"an end without a zone", caller("key: "+hash, "permissions: [TOKENS_READ]", "until: 2027-01-31T12:00:00"), "regtok.yaml:5:10: until is a day"},
		{"an end that is no day", caller("key: "+hash, "permissions: [TOKENS_READ]", "until: 2027-02-30"), "regtok.yaml:5:10: until is a day"},
		{"a key twice", caller("key: "+hash, "permissions: [TOKENS_READ]") + strings.TrimPrefix(strings.Replace(caller("key: "+hash, "permissions: [TOKENS_READ]"), "ci", "ops", 1), "callers:\n"),
			"regtok.yaml:5:3: this key is that of another caller, too"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseConfig("regtok.yaml", []byte(test.text), serveFlags())
			if err == nil {
				t.Fatal("it was taken")
			}
			if said := err.Error(); !strings.HasPrefix(said, test.want) || strings.Contains(said, key[16:]) || strings.Contains(said, hash[17:]) {
				t.Errorf("refused with %q, want %q", said, test.want)
			}
		})
	}
}

// guardedServer serves emulated IONOS to one caller, and returns the caller's key.
func guardedServer(t testing.TB, permissions string) (r *running, key string) {
	t.Helper()
	ionos := start(t, nil, "emulate", "ionos")
	key, config := madeKey(t, "ci")
	config = regexp.MustCompile(`permissions: .*`).ReplaceAllString(config, "permissions: "+permissions)
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	writeFile(t, path, fmt.Sprintf("log_level: debug\naccounts:\n- {provider: ionos, token: %s, base_url: '%s'}\n%s", canary, ionos.url, config))
	return start(t, nil, "serve", "-c", path), key
}

// with sends a request with a credential, and returns the status and what is said.
func with(t testing.TB, method, url, authorization, body string) (status int, said string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text.String()
}

// tells is the answer to an operation of who has a credential. An error fails the test.
func (r *running) tells(t *testing.T, credential, text string) string {
	t.Helper()
	status, said := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+credential, query(t, text, nil))
	if status != http.StatusOK || strings.Contains(said, `"errors":[{`) {
		t.Fatalf("%s is answered %d %s", text, status, said)
	}
	return said
}

func TestAServerWithCallersAnswersThem(t *testing.T) {
	r, key := guardedServer(t, "[TOKENS_READ, METRICS_READ]")
	asked := `{"query":"{ viewer { subject permissions } tokens { totalCount } }"}`
	status, said := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+key, asked)
	if want := `{"data":{"viewer":{"subject":"ci","permissions":["TOKENS_READ","METRICS_READ"]},"tokens":{`; status != 200 || !strings.HasPrefix(said, want) {
		t.Errorf("answered %d %s, want %s", status, said, want)
	}
	if _, said = with(t, http.MethodPost, r.url+"/graphql", "Bearer "+key, `{"query":"{ tokenExpiryEvents { nodes { cursor } } }"}`); !strings.Contains(said, `"permission":"EVENTS_READ"`) {
		t.Errorf("without EVENTS_READ it answered %s", said)
	}
	stranger := auth.NewKey().Reveal()
	for range 5 {
		for _, authorization := range []string{"", "Bearer " + stranger, "Bearer " + key[:40]} {
			if status, said := with(t, http.MethodPost, r.url+"/graphql", authorization, asked); status != 401 || !strings.Contains(said, `"UNAUTHENTICATED"`) {
				t.Errorf("%d letters: answered %d %s", len(authorization), status, said)
			}
		}
	}
	_, told := with(t, http.MethodGet, r.url+"/metrics", "Bearer "+key, "")
	for _, want := range []string{`{reason="missing"} 5`, `{reason="unknown"} 5`, `{reason="malformed"} 5`} {
		if !strings.Contains(told, "regtok_authentication_failures_total"+want) {
			t.Errorf("the figures lack %s", want)
		}
	}
	if status, _ := with(t, http.MethodGet, r.url+"/metrics", "", ""); status != 401 {
		t.Errorf("/metrics for nobody answered %d", status)
	}
	r.end(t)
	log := r.stdout.String() + r.stderr.String()
	if n := strings.Count(log, "a caller was not admitted"); n != 1 {
		t.Errorf("the log tells of %d refused callers, want 1:\n%s", n, log)
	}
	for where, text := range map[string]string{"the log": log, "the figures": told} {
		for _, secret := range []string{key, stranger} {
			if strings.Contains(text, secret[16:48]) {
				t.Errorf("%s hold a key:\n%s", where, text)
			}
		}
	}
}
