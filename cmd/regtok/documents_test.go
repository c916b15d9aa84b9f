package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const (
	known   = `query Providers { providers { slug } }`
	unknown = `query Viewer { viewer { subject } }`
)

// named asks for a document by its id, and returns the code of the error, if there is one.
func named(t *testing.T, url, body string) string {
	t.Helper()
	var got struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	text := do(t, http.MethodPost, url+"/graphql", []byte(body))
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%s answered %s", body, text)
	}
	if len(got.Errors) == 0 {
		return ""
	}
	return got.Errors[0].Extensions.Code
}

func TestServeKnowsTheDocumentsOfAManifest(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/documents.json", `{"0bee89b07a248e27c83fc3d5951213c1": "`+known+`"}`)
	env := map[string]string{"IONOS_TOKEN": canary}
	ask := map[string]string{
		"by id": `{"documentId": "0bee89b07a248e27c83fc3d5951213c1"}`, "by text": `{"query": "` + known + `"}`, "another": `{"query": "` + unknown + `"}`,
	}
	for mode, test := range map[string]struct {
		config     string
		want       map[string]string
		playground int
	}{
		"beside others": {"documents: documents.json", map[string]string{"by id": "", "by text": "", "another": ""}, http.StatusOK},
		"alone": {"documents: documents.json\nknown_documents_only: true",
			map[string]string{"by id": "", "by text": "", "another": "DOCUMENT_NOT_KNOWN"}, http.StatusNotFound},
	} {
		config := dir + "/" + strings.ReplaceAll(mode, " ", "-") + ".yaml"
		writeFile(t, config, test.config+"\naccounts: [{provider: ionos, token: "+canary+"}]\n")
		served := start(t, env, "serve", "--config="+config, "--sweep=off", "--events=off")
		for name, want := range test.want {
			if got := named(t, served.url, ask[name]); got != want {
				t.Errorf("%s, %s: %q, want %q", mode, name, got, want)
			}
		}
		resp, err := http.Get(served.url + "/playground")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // its status is enough
		if resp.StatusCode != test.playground {
			t.Errorf("%s: the playground answers %d, want %d", mode, resp.StatusCode, test.playground)
		}
		if said := served.stderr.String(); !strings.Contains(said, `"documents":1`) {
			t.Errorf("%s: the log does not tell how many documents are known: %s", mode, said)
		}
	}
}

func TestAutomaticPersistedQueriesCanBeSwitchedOff(t *testing.T) {
	env := map[string]string{"IONOS_TOKEN": canary}
	const hash = `{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a"}}}`
	for choice, want := range map[string]string{"on": "PERSISTED_QUERY_NOT_FOUND", "off": "PERSISTED_QUERY_NOT_SUPPORTED"} {
		served := start(t, env, "serve", "--apq="+choice, "--sweep=off", "--events=off")
		if got := named(t, served.url, hash); got != want {
			t.Errorf("--apq=%s: %s, want %s", choice, got, want)
		}
	}
}

func TestAManifestThatDoesNotFitStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/wrong.json", `{"a1": "query Tokens { tokens { nodes { nam } } }"}`)
	writeFile(t, dir+"/late.json", `{"a1": "{ tokens(filter: {dueWithin: \"soon\"}) { totalCount } }"}`)
	writeFile(t, dir+"/large.json", `{"a1": "`+strings.Repeat(" ", 16<<20)+`"}`)
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"no manifest":      {[]string{"--known-documents-only"}, []string{"--known-documents-only (REGTOK_KNOWN_DOCUMENTS_ONLY) needs --documents"}},
		"no file":          {[]string{"--documents=" + dir + "/gone.json"}, []string{"--documents (REGTOK_DOCUMENTS)", "no such file"}},
		"an unknown field": {[]string{"--documents=" + dir + "/wrong.json"}, []string{"wrong.json", `document "a1" (Tokens)`, `"nam"`}},
		"a wrong duration": {[]string{"--documents=" + dir + "/late.json"}, []string{"late.json", `document "a1": a Duration is ISO 8601`}},
		"too large":        {[]string{"--documents=" + dir + "/large.json"}, []string{"large.json is longer than 16384 KiB"}},
	} {
		said, code := refused(t, map[string]string{"IONOS_TOKEN": canary}, append([]string{"serve"}, test.args...)...)
		for _, want := range test.want {
			if code != 2 || !strings.Contains(said, want) {
				t.Errorf("%s: exit %d, said %s, want %q in it", name, code, said, want)
			}
		}
	}
}
