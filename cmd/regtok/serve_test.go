package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

const everything = `{
	accounts { name provider { slug } healthy }
	tokens(first: 100) { totalCount nodes { name provider { slug } } unavailable { account { name } reason } }
}`

// story is how many tokens the emulators' stories hold.
func story(t testing.TB) map[string]int {
	t.Helper()
	return providersOf(ask(t, start(t, nil, "demo").url, everything))
}

// providersOf counts an answer's tokens by provider.
func providersOf(a answer) map[string]int {
	counts := map[string]int{}
	for _, token := range list(a, "tokens", "nodes") {
		counts[token.(map[string]any)["provider"].(map[string]any)["slug"].(string)]++
	}
	return counts
}

// list finds a list in an answer; nil: there is none.
func list(a answer, path ...string) []any {
	var value any = a.Data
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	found, _ := value.([]any)
	return found
}

// accountNames are the accounts of an answer, as PROVIDER/NAME, with a ! when it is not healthy.
func accountNames(a answer) []string {
	var names []string
	for _, item := range list(a, "accounts") {
		account := item.(map[string]any)
		name := account["provider"].(map[string]any)["slug"].(string) + "/" + account["name"].(string)
		if account["healthy"] != true {
			name += "!"
		}
		names = append(names, name)
	}
	return names
}

func TestServeJoinsTheAccountsOfAFile(t *testing.T) {
	want := story(t)
	buildkite, ionos := start(t, nil, "emulate", "buildkite"), start(t, nil, "emulate", "ionos", "--token="+canary)
	dir := t.TempDir()
	writeFile(t, dir+"/token", canary+"\n")
	writeFile(t, dir+"/regtok.yaml", fmt.Sprintf(`
accounts:
- provider: buildkite
  name: first
  token: any
  base_url: %[1]s
- provider: buildkite
  name: second
  token: bkua_grace
  base_url: %[1]s
- provider: ionos
  token_file: token
  base_url: %[2]s/containerregistries
  cloud_url: %[2]s/cloudapi/v6
  contract_number: 32740158
max_age: {buildkite: P90D}
introspection: true
`, buildkite.url, ionos.url))
	served := start(t, nil, "serve", "--config="+dir+"/regtok.yaml")
	got := ask(t, served.url, everything)
	if len(got.Errors) > 0 || len(list(got, "tokens", "unavailable")) > 0 {
		t.Errorf("answered %v", got)
	}
	// The second account sees what the first one does, and that once.
	if diff := cmp.Diff(providersOf(got), want); diff != "" {
		t.Errorf("tokens differ, got - want +\n%s", diff)
	}
	if diff := cmp.Diff(accountNames(got), []string{"buildkite/first", "buildkite/second", "ionos/ionos"}); diff != "" {
		t.Errorf("accounts differ, got - want +\n%s", diff)
	}
	if known := ask(t, served.url, `{ __schema { queryType { name } } }`); len(known.Errors) > 0 {
		t.Errorf("introspection, which the file allows, answered %v", known.Errors)
	}
}

func TestServeJoinsTheAccountsOfVariables(t *testing.T) {
	want := story(t)
	ionos := start(t, nil, "emulate", "ionos")
	served := start(t, map[string]string{"IONOS_USERNAME": "someone", "IONOS_PASSWORD": canary, "IONOS_API_URL": ionos.url}, "serve")
	got := ask(t, served.url, everything)
	if diff := cmp.Diff(providersOf(got), map[string]int{"ionos": want["ionos"]}); diff != "" || len(got.Errors) > 0 {
		t.Errorf("tokens differ, got - want +\n%s\n%v", diff, got)
	}
	if hidden := ask(t, served.url, `{ __schema { queryType { name } } }`); len(hidden.Errors) == 0 {
		t.Error("introspection was answered, though nobody allowed it")
	}
	// Buildkite's address has no variable of its own, so this asks nobody: nothing is asked before a query.
	both := start(t, map[string]string{"BUILDKITE_API_TOKEN": canary, "IONOS_TOKEN": canary, "IONOS_API_URL": ionos.url}, "serve")
	accounts := accountNames(ask(t, both.url, `{ accounts { name provider { slug } healthy } }`))
	if diff := cmp.Diff(accounts, []string{"buildkite/buildkite", "ionos/ionos"}); diff != "" {
		t.Errorf("accounts differ, got - want +\n%s", diff)
	}
}

func TestServeStartsWhileAProviderIsDown(t *testing.T) {
	want := story(t)
	buildkite := start(t, nil, "emulate", "buildkite")
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, fmt.Sprintf(`
accounts:
- {provider: buildkite, token: x, base_url: '%s'}
- {provider: ionos, token: x, base_url: 'http://127.0.0.1:1'}
`, buildkite.url))
	got := ask(t, start(t, nil, "serve", "-c", config).url, everything)
	if counts := providersOf(got); counts["buildkite"] != want["buildkite"] {
		t.Errorf("tokens = %v, want those of Buildkite, %d", counts, want["buildkite"])
	}
	missing := list(got, "tokens", "unavailable")
	if len(missing) != 1 || missing[0].(map[string]any)["reason"] != "UNREACHABLE" {
		t.Errorf("unavailable = %v, want IONOS, UNREACHABLE", missing)
	}
}

func TestWithoutACacheEveryQueryReadsThrough(t *testing.T) {
	for cache, twice := range map[string]float64{"on": 1, "off": 2} {
		ionos := start(t, nil, "emulate", "ionos")
		env := map[string]string{"IONOS_TOKEN": "x", "IONOS_API_URL": ionos.url, "IONOS_CONTRACT_NUMBER": "32740158"}
		served := start(t, env, "serve", "--sweep=off", "--cache="+cache)
		ask(t, served.url, everything)
		once := requests(t, ionos.url).Total
		ask(t, served.url, everything)
		if got := requests(t, ionos.url).Total; once == 0 || got != int(float64(once)*twice) {
			t.Errorf("--cache=%s: %d requests after one query, %d after two", cache, once, got)
		}
	}
}

func TestServeGoesByFurtherNames(t *testing.T) {
	served := start(t, map[string]string{"REGTOK_HOSTS": "one.example,Two.example"}, "demo")
	for host, want := range map[string]int{"one.example": 200, "two.example:443": 200, "three.example": http.StatusMisdirectedRequest} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, served.url+"/livez", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host, request.Close = host, true
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("Host %s: answered %d, want %d", host, response.StatusCode, want)
		}
	}
}

func TestAnAddressThatCannotBeListenedOnIsRefused(t *testing.T) {
	taken := strings.TrimPrefix(start(t, nil, "demo").url, "http://")
	for address, want := range map[string]string{
		taken:             "address already in use: choose another, or port 0 for a free one",
		"0.0.0.0:8080":    `"0.0.0.0:8080" can be reached from other machines, and `,
		":8080":           `":8080" can be reached from other machines`,
		"8080":            `"8080" is no address to listen on: write it like 127.0.0.1:8080`,
		"127.0.0.1:99999": `"127.0.0.1:99999" is no address to listen on: ports end at 65535`,
	} {
		for _, command := range []string{"demo", "serve"} {
			said, code := refused(t, map[string]string{"BUILDKITE_API_TOKEN": "x"}, command, "--listen="+address)
			if !strings.HasPrefix(said, "regtok: --listen (REGTOK_LISTEN): ") || !strings.Contains(said, want) || code != 2 {
				t.Errorf("%s --listen=%s: exit %d, said %q, want exit 2, %q", command, address, code, said, want)
			}
		}
	}
}

func TestTheEndLeavesNothingBehind(t *testing.T) {
	ionos := start(t, nil, "emulate", "ionos")
	requests(t, ionos.url) // so that it surely serves
	before := goleak.IgnoreCurrent()
	served := start(t, map[string]string{"IONOS_TOKEN": "x", "IONOS_API_URL": ionos.url}, "serve")
	demo := start(t, nil, "demo")
	ask(t, served.url, everything)
	ask(t, demo.url, everything)
	for _, r := range []*running{served, demo} {
		begin := time.Now()
		if code := r.end(t); code != 0 {
			t.Errorf("exit %d, said %s", code, r.stderr)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("the end took %s", took)
		}
	}
	goleak.VerifyNone(t, before) // connections to the emulator, too
}

func TestTheSchemaIsTheOneOfTheRepository(t *testing.T) {
	want, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	got, code := output(t, nil, "schema")
	if diff := cmp.Diff(got, string(want)); diff != "" || code != 0 {
		t.Errorf("exit %d; the schema differs, got - want +\n%s", code, diff)
	}
}
