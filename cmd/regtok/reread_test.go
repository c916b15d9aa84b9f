package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"regtok/auth"
)

// TestCallersAreReadAgain takes a key out of the configuration, brings another, and changes what a third may do, while all of them
// follow events. Accounts stand in variables.
func TestCallersAreReadAgain(t *testing.T) {
	ionos := start(t, nil, "emulate", "ionos")
	leaked, kept, comes := auth.NewKey(), auth.NewKey(), auth.NewKey()
	caller := func(name string, key auth.Key, permissions string) string {
		return fmt.Sprintf("- {name: %s, key: '%s', permissions: [%s]}\n", name, key.Hash(), permissions)
	}
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	stays := caller("ops", kept, "EVENTS_READ")
	writeFile(t, path, "callers:\n"+caller("ci", leaked, "EVENTS_READ")+stays)
	r := start(t, map[string]string{"IONOS_TOKEN": canary, "IONOS_API_URL": ionos.url}, "serve", "-c", path)
	wants := func(when string, key auth.Key, want int) {
		t.Helper()
		status, said := with(t, http.MethodPost, r.url+"/graphql", "Bearer "+key.Reveal(), `{"query":"{ viewer { subject } }"}`)
		if status != want {
			t.Errorf("%s: answered %d %s, want %d", when, status, said, want)
		}
	}
	told := func(line string) {
		t.Helper()
		r.stderr.await(t, regexp.MustCompile(regexp.QuoteMeta(line)))
	}
	wants("a caller at the start", leaked, 200)
	wants("a key that is not known yet", comes, 401)
	followed, ops := r.followedWith(t, leaked), r.followedWith(t, kept)

	writeFile(t, path, "callers:\n"+caller("batch", comes, "TOKENS_READ")+stays)
	told(`"callers with keys are others","added":["batch"],"changed":[],"gone":["ci"]`)
	if text, err := io.ReadAll(followed); err != nil || !strings.Contains(string(text), `"UNAUTHENTICATED"`) || !strings.HasSuffix(string(text), "event: complete\ndata:\n\n") {
		t.Errorf("what the leaked key followed ends with %q, %v", text, err)
	}
	wants("a key that is gone", leaked, 401)
	wants("a key that came", comes, 200)

	for rest, complaint := range map[string]string{
		"- {name: ops}\n": `a caller needs `,
		fmt.Sprintf("- {name: far, key: '%s', permissions: [TOKENS_READ], reach: {accounts: [nowhere]}}\n", auth.NewKey().Hash()): `there is none of that name`,
	} {
		writeFile(t, path, "callers:\n"+caller("ci", leaked, "TOKENS_READ")+rest)
		told(complaint)
		wants("of a file that cannot be used nothing is taken", leaked, 401)
		wants("and what was read before stays", comes, 200)
	}

	writeFile(t, path, "callers:\n"+caller("ops", kept, "EVENTS_READ, TOKENS_READ"))
	told(`"added":[],"changed":["ops"],"gone":["batch"]`)
	if text, err := io.ReadAll(ops); err != nil || !strings.Contains(string(text), `"UNAUTHENTICATED"`) {
		t.Errorf("who may do something else now is told %q, %v, so that they come back", text, err)
	}
	wants("and may come back", kept, 200)

	writeFile(t, path, "log_level: info\n")
	told(`no callers are known any more`)
	wants("without any callers", kept, 401)
	r.end(t)
	for _, key := range []auth.Key{leaked, kept, comes} {
		if said := r.stdout.String() + r.stderr.String(); strings.Contains(said, key.Reveal()) {
			t.Errorf("the log holds a key:\n%s", said)
		}
	}
}

// followedWith is what a caller hears who follows events by server-sent events, after the beginning.
func (r *running) followedWith(t *testing.T, key auth.Key) io.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/graphql", strings.NewReader(query(t, follows, nil)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key.Reveal())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	begins := make([]byte, 3)
	if _, err := io.ReadFull(response.Body, begins); err != nil || string(begins) != ":\n\n" {
		t.Fatalf("answered %d %q, %v", response.StatusCode, begins, err)
	}
	return response.Body
}

func TestTheFirstCallersTakeARestart(t *testing.T) {
	ionos := start(t, nil, "emulate", "ionos")
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	accounts := fmt.Sprintf("accounts:\n- {provider: ionos, token: %s, base_url: '%s'}\n", canary, ionos.url)
	writeFile(t, path, accounts)
	r := start(t, nil, "serve", "-c", path)
	_, callers := madeKey(t, "ci")
	writeFile(t, path, accounts+callers)
	r.stderr.await(t, regexp.MustCompile("the first `callers` take a restart"))
	if got := ask(t, r.url, `{ viewer { subject } }`); len(got.Errors) > 0 {
		t.Errorf("answered %v", got)
	}
}
