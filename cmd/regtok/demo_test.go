package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"regtok/providers/all"
	"regtok/web/webtest"
)

// tried matches the command that the demo prints to try.
var tried = regexp.MustCompile(`(?s)Try:\n(  curl .+?}"}'\n)`)

func TestTheDemoSaysWhereEverythingIs(t *testing.T) {
	r := start(t, nil, "demo", "--registries=3", "--tokens=2")
	command := r.stdout.await(t, tried)[1]
	said := r.stdout.await(t, regexp.MustCompile(`(?s).*Ctrl-C ends the demo`))[0]
	for _, page := range []string{"/playground", "/graphql", "/schema.graphqls"} {
		if !strings.Contains(said, "  "+r.url+page+"\n") {
			t.Errorf("it does not name %s:\n%s", page, said)
		}
	}
	got := ask(t, r.url, `{ registries { totalCount unavailable { message } } tokens { totalCount } }`)
	for list, want := range map[string]float64{"registries": 3, "tokens": 3 * 2} {
		want *= float64(len(all.Drivers()))
		if found := got.Data[list].(map[string]any)["totalCount"]; found != want {
			t.Errorf("%s = %v, want %v", list, found, want)
		}
	}
	for _, driver := range all.Drivers() {
		found := regexp.MustCompile(`  (http://\S+)  ` + driver.Title).FindStringSubmatch(said)
		if found == nil {
			t.Errorf("it does not name the emulator of %s:\n%s", driver.Name, said)
		} else if requests(t, found[1]).Total == 0 {
			t.Errorf("the emulator of %s was not asked", driver.Name)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.ReplaceAll(strings.ReplaceAll(command, r.url, "http://"+defaultListen), "\n  ", "\n")
	if !strings.Contains(string(readme), strings.TrimPrefix(wanted, "  ")) {
		t.Errorf("the README shows another command than %s", wanted)
	}
}

// TestTheDemoMayLetInOnlyWhoHasAKey: it makes three, to try callers with.
func TestTheDemoMayLetInOnlyWhoHasAKey(t *testing.T) {
	demo := start(t, nil, "demo", "--callers")
	said := demo.stdout.await(t, regexp.MustCompile(`(?s).*Ctrl-C ends the demo`))[0]
	if !strings.Contains(said, `-H "authorization: Bearer $KEY"`) {
		t.Errorf("what it gives to try has no key:\n%s", said)
	}
	keys := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^  ([A-Z]+)=(regtok_\S+)  `).FindAllStringSubmatch(said, -1) {
		keys[found[1]] = found[2]
	}
	for _, test := range []struct {
		key, query string
		status     int
		want       string
	}{
		{"", `{ accounts { name } }`, http.StatusUnauthorized, "UNAUTHENTICATED"},
		{"KEY", `{ accounts { name } }`, http.StatusOK, `{"accounts":[{"name":"demo"},{"name":"demo"}]}`},
		{"BRIEF", `{ accounts { name } }`, http.StatusOK, `{"accounts":[{"name":"demo"},{"name":"demo"}]}`},
		{"NARROW", `{ accounts { name } }`, http.StatusOK, `{"accounts":[{"name":"demo"}]}`},
		{"NARROW", `{ tokenExpiryEvents { pageInfo { endCursor } } }`, http.StatusOK, "FORBIDDEN"},
	} {
		status, said := with(t, http.MethodPost, demo.url+"/graphql", "Bearer "+keys[test.key], `{"query": "`+test.query+`"}`)
		if status != test.status || !strings.Contains(said, test.want) {
			t.Errorf("%s with %q: %d, %s, want %d, %s", test.query, test.key, status, said, test.status, test.want)
		}
	}
	if text := demo.stderr.String(); strings.Contains(text, keys["KEY"]) || !strings.Contains(text, `"callers":3`) {
		t.Errorf("the log says %s", text)
	}
}

// TestTheFirstAnswerCostsWhatTheReadmeSays: cold, and with nothing else reading.
func TestTheFirstAnswerCostsWhatTheReadmeSays(t *testing.T) {
	const query = `{ tokens(filter: {dueWithin: "P7D"}) { nodes { name dueIn provider { slug } registry { name } } } }`
	demo := start(t, nil, "demo", "--events=off")
	bases := regexp.MustCompile(`(?m)^  (http://\S+)  `)
	demo.stdout.await(t, regexp.MustCompile(`Ctrl-C ends the demo`))
	if got := ask(t, demo.url, query); len(got.Errors) > 0 || len(list(got, "tokens", "nodes")) == 0 {
		t.Errorf("answered %v", got)
	}
	var sent []int
	for _, found := range bases.FindAllStringSubmatch(demo.stdout.String(), -1) {
		sent = append(sent, requests(t, found[1]).Total)
	}
	if want := []int{11, 7}; !slices.Equal(sent, want) { // eleven and seven, in the README
		t.Errorf("%v requests, want %v", sent, want)
	}
}

// TestTheDemosLogTellsForWhatItReads: it has no sweep for callers, and sweeps for events all the same.
func TestTheDemosLogTellsForWhatItReads(t *testing.T) {
	for _, test := range []struct{ flag, want string }{
		{"--sweep=off", "for events"}, {"--sweep=on", "on"}, {"--cache=off", "for events"}, {"--events=off", "off"},
	} {
		demo := start(t, nil, "demo", test.flag)
		if got := regexp.MustCompile(`"sweep":(".*?"|true|false)`).FindStringSubmatch(demo.stderr.String()); got == nil || got[1] != `"`+test.want+`"` {
			t.Errorf("with %s the log says %s, want that it sweeps %q", test.flag, demo.stderr, test.want)
		}
		demo.end(t)
	}
}

func TestTheDemosTokensAreDueAtBothKindsOfProviders(t *testing.T) {
	got := ask(t, start(t, nil, "demo").url, `{ tokens(first: 100) { nodes { provider { slug } dueSource } } }`)
	sources := map[any]bool{}
	for _, token := range list(got, "tokens", "nodes") {
		sources[token.(map[string]any)["dueSource"]] = true
	}
	if !sources["POLICY"] || !sources["PROVIDER"] {
		t.Errorf("sources of due dates = %v, want both", sources)
	}
}

// TestTheDemoTellsOfATokenThatEnds: within a minute after it started, and nobody has to ask for anything.
func TestTheDemoTellsOfATokenThatEnds(t *testing.T) {
	demo := start(t, nil, "demo", "--thresholds=PT50S")
	told := regexp.MustCompile(`(?m)^regtok_expiry_events_total\{kind="(THRESHOLD|EXPIRED)"\} [1-9]`)
	for begin := time.Now(); !told.MatchString(figures(t, demo.url)); <-time.After(100 * time.Millisecond) {
		if time.Since(begin) > 2*time.Minute {
			t.Fatalf("it tells nothing:\n%s", figures(t, demo.url))
		}
	}
}

func TestThePlaygroundReadsAndChangesTheTokensOfBothProviders(t *testing.T) {
	demo := start(t, nil, "demo")
	checkBuilt(t, demo.url+"/playground")
	page := webtest.Open(t, demo.url+"/playground")
	examples := page.Examples()
	var secrets []string
	for _, example := range examples {
		page.OpenExample(example)
		shown := page.Execute()
		secrets = append(secrets, checkShown(t, example, shown)...)
		if example != examples[0] {
			continue
		}
		for _, driver := range all.Drivers() {
			if !strings.Contains(shown, driver.Title) {
				t.Errorf("the first example shows nothing of %s: %s", driver.Title, shown)
			}
		}
	}
	if len(secrets) < len(all.Drivers()) {
		t.Errorf("the examples showed %d secrets, want one of each provider", len(secrets))
	}
	for kept, i := page.Stored(), 0; i < len(secrets); i++ {
		if strings.Contains(kept, secrets[i]) {
			t.Error("the page keeps a secret when it is left")
		}
	}
	for _, url := range page.Requests() {
		if !strings.HasPrefix(url, demo.url+"/") {
			t.Errorf("the page asked for %s", url)
		}
	}
	for _, problem := range page.Problems() {
		t.Error(problem)
	}
}

// checkShown checks that an answer is one without any failure, and returns the secrets in it.
func checkShown(t *testing.T, example, shown string) (secrets []string) {
	t.Helper()
	var answer struct {
		Data   map[string]any
		Errors []any
	}
	if err := json.Unmarshal([]byte(shown), &answer); err != nil || len(answer.Data) == 0 || len(answer.Errors) > 0 {
		t.Errorf("the example %s shows %s", example, shown)
	}
	for _, field := range answer.Data {
		payload, _ := field.(map[string]any)
		if failures, _ := payload["errors"].([]any); len(failures) > 0 {
			t.Errorf("the example %s fails: %v", example, failures)
		}
		if credential, ok := payload["credential"].(map[string]any); ok {
			secrets = append(secrets, credential["secret"].(string))
		}
	}
	return secrets
}

func checkBuilt(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	if response.StatusCode == http.StatusServiceUnavailable {
		t.Fatal("the playground is not part of this build: run `make pages`, which has npm build it")
	}
}
