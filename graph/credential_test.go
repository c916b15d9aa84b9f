package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/server"
)

// credentialSeen is a credential as a caller gets it.
type credentialSeen struct{ Username, Secret, DockerConfigJSON string }

// newCredential creates a token and returns its credential.
func (w *world) newCredential(t *testing.T, input object) (credentialSeen, answer) {
	t.Helper()
	a := w.ask(t, `mutation ($input: CreateTokenInput!) { createToken(input: $input) {
	  credential { username secret dockerConfigJson } errors { code message } } }`, object{"input": input})
	var data struct {
		CreateToken struct {
			Credential credentialSeen
			Errors     []any
		}
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(data.CreateToken.Errors) > 0 {
		t.Fatalf("answered %s, %v, %v", a.Data, a.Errors, err)
	}
	return data.CreateToken.Credential, a
}

// TestADockerConfigIsWhatDockerAndKubernetesRead reads it as they do.
func TestADockerConfigIsWhatDockerAndKubernetesRead(t *testing.T) {
	w := newWorld(t, plan{})
	for host, input := range map[string]object{
		"packages.buildkite.com/acme-inc/images": atBuildkite(),
		"lindenhof-images.cr.de-fra.ionos.com":   {"registryId": ionosRegistry, "name": "deploy"},
	} {
		c, _ := w.newCredential(t, input)
		var config struct {
			Auths map[string]struct{ Username, Password, Auth string }
		}
		decoder := json.NewDecoder(strings.NewReader(c.DockerConfigJSON))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&config); err != nil {
			t.Fatalf("%v: %s", err, c.DockerConfigJSON)
		}
		login, ok := config.Auths[host]
		if !ok || len(config.Auths) != 1 {
			t.Fatalf("the config has logins for %d hosts, want one, for %s", len(config.Auths), host)
		}
		auth, err := base64.StdEncoding.DecodeString(login.Auth)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{c.Username, c.Secret, c.Username + ":" + c.Secret}
		if diff := cmp.Diff([]string{login.Username, login.Password, string(auth)}, want); diff != "" {
			t.Errorf("the login at %s (-got +want):\n%s", host, diff)
		}
	}
}

// TestWithoutItsRegistryADockerConfigIsAnErrorAndTheSecretStays has the read of the registry fail.
func TestWithoutItsRegistryADockerConfigIsAnErrorAndTheSecretStays(t *testing.T) {
	w := newWorld(t, plan{})
	w.taps["ionos"].Spoil(func(rw http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method == http.MethodGet {
			rw.WriteHeader(http.StatusForbidden)
		}
		return r.Method == http.MethodGet
	})
	c, a := w.newCredential(t, object{"registryId": ionosRegistry, "name": "deploy"})
	if c.Secret == "" || c.DockerConfigJSON != "" || len(a.Errors) != 1 {
		t.Fatalf("answered %s, %v, want the secret without a config, and an error", a.Data, a.Errors)
	}
	want := `["createToken","credential","dockerConfigJson"]`
	if path, err := json.Marshal(a.Errors[0]["path"]); err != nil || string(path) != want {
		t.Errorf("the error is at %s, %v, want %s", path, err, want)
	}
	if extensions, _ := a.Errors[0]["extensions"].(object); extensions["code"] != "FORBIDDEN" {
		t.Errorf("the error is %v, want FORBIDDEN", a.Errors[0])
	}
}

// TestAnAnswerWithASecretIsNeverStored asks the whole server, as a browser and its proxies would.
func TestAnAnswerWithASecretIsNeverStored(t *testing.T) {
	w := newWorld(t, plan{})
	whole := httptest.NewServer(server.New(server.Config{GraphQL: w.api}))
	t.Cleanup(whole.Close)
	w.url = whole.URL + "/graphql"
	body := fmt.Sprintf(`{"query":%q,"variables":{"input":{"registryId":%q,"name":"deploy"}}}`,
		`mutation ($input: CreateTokenInput!) { createToken(input: $input) { credential { secret } errors { code } } }`, ionosRegistry)
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", accept)
		response, err := w.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if got := response.Header.Get("Cache-Control"); response.StatusCode != http.StatusOK || got != "no-store" {
			t.Errorf("%s: answered %d with Cache-Control: %q, want 200 with no-store", accept, response.StatusCode, got)
		}
		body = strings.Replace(body, `"deploy"`, `"deploy-2"`, 1)
	}
}

// TestTheEdgeOfANewTokenIsThatOfTheList: a client may put it where it belongs in the list that it has.
func TestTheEdgeOfANewTokenIsThatOfTheList(t *testing.T) {
	w := newWorld(t, plan{})
	a := w.ask(t, `mutation ($input: CreateTokenInput!) { createToken(input: $input) { tokenEdge { cursor node { id } } } }`,
		createOf(object{"expiry": object{"in": "P2D"}}))
	type edge struct {
		Cursor string
		Node   struct{ ID string }
	}
	var data struct{ CreateToken struct{ TokenEdge edge } }
	if err := json.Unmarshal(a.Data, &data); err != nil {
		t.Fatal(err)
	}
	a = w.ask(t, `{ tokens(first: 100) { edges { cursor node { id } } } }`, nil)
	var list struct{ Tokens struct{ Edges []edge } }
	if err := json.Unmarshal(a.Data, &list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list.Tokens.Edges {
		if e == data.CreateToken.TokenEdge {
			return
		}
	}
	t.Errorf("the list has no edge %+v", data.CreateToken.TokenEdge)
}
