package graph_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/auth"
	"regtok/catalog"
	"regtok/providers"
)

// created is what a mutation under the alias "made" answers.
type created struct {
	Made *struct {
		Token      *struct{ ID string }
		Credential *struct{ Username, Secret string }
		Errors     []struct{ Code string }
	}
}

// expectSecret expects that the secret came, and which codes the errors beside it have, each one once.
func expectSecret(t *testing.T, a answer, codes ...string) {
	t.Helper()
	var data created
	if err := json.Unmarshal(a.Data, &data); err != nil {
		t.Fatalf("%v: %s, %v", err, a.Data, a.Errors)
	}
	if data.Made == nil || data.Made.Credential == nil || data.Made.Credential.Secret == "" || data.Made.Token == nil {
		t.Fatalf("the secret is lost: %s, %v", a.Data, a.Errors)
	}
	told := map[string]bool{}
	for _, e := range a.Errors {
		extensions, _ := e["extensions"].(object)
		code, _ := extensions["code"].(string)
		told[code] = true
	}
	for _, code := range codes {
		if !told[code] {
			t.Errorf("errors are %v, want one of %s", a.Errors, code)
		}
	}
	if len(told) != len(codes) {
		t.Errorf("errors are of %v, want %v", told, codes)
	}
}

const made = ` made: createToken(input: $made) { token { id } credential { username secret } errors { code } } `

func atBuildkite() object { return object{"registryId": buildkiteRegistry, "name": "deploys"} }

// TestASecretSurvivesItsNeighbours makes a token beside other mutations that fail as GraphQL errors.
func TestASecretSurvivesItsNeighbours(t *testing.T) {
	t.Run("one after it that the caller may not do", func(t *testing.T) {
		w := newWorld(t, plan{viewer: &auth.Viewer{Subject: "writer", Permissions: []auth.Permission{auth.TokensWrite}}})
		a := w.ask(t, `mutation ($made: CreateTokenInput!, $gone: DeleteTokenInput!) {`+made+`deleteToken(input: $gone) { deletedTokenId errors { code } } }`,
			object{"made": atBuildkite(), "gone": object{"token": object{"id": ionosToken}}})
		expectSecret(t, a, "FORBIDDEN")
	})
	t.Run("one before it that the caller may not do", func(t *testing.T) {
		w := newWorld(t, plan{viewer: &auth.Viewer{Subject: "writer", Permissions: []auth.Permission{auth.TokensWrite}}})
		a := w.ask(t, `mutation ($made: CreateTokenInput!, $gone: DeleteTokenInput!) { deleteToken(input: $gone) { deletedTokenId errors { code } }`+made+`}`,
			object{"made": atBuildkite(), "gone": object{"token": object{"id": ionosToken}}})
		expectSecret(t, a, "FORBIDDEN")
	})
	t.Run("one after it that meets a bug", func(t *testing.T) {
		w := newWorld(t, plan{change: withWriteBug})
		a := w.ask(t, `mutation ($made: CreateTokenInput!, $bug: CreateTokenInput!) {`+made+`bug: createToken(input: $bug) { token { name } errors { code } } }`,
			object{"made": atBuildkite(), "bug": object{"registryId": ionosRegistry, "name": "bug"}})
		expectSecret(t, a, "INTERNAL")
		if !strings.Contains(string(a.Data), `"bug":null`) || strings.Contains(string(pretty(t, a)), panicked) {
			t.Errorf("answered %s, %v, want null in the bug's place, and nothing of the panic", a.Data, a.Errors)
		}
		if log := w.log.String(); !strings.Contains(log, panicked) {
			t.Errorf("the log does not tell of the panic:\n%s", log)
		}
	})
	t.Run("a field of its own that meets a bug", func(t *testing.T) {
		w := newWorld(t, plan{change: withBug})
		a := w.ask(t, `mutation ($made: CreateTokenInput!) {
		  made: createToken(input: $made) {
		    token { id organization { name } registry { tokens { totalCount } } } credential { username secret } errors { code }
		  } }`, object{"made": object{"registryId": ionosRegistry, "name": "deploy"}})
		expectSecret(t, a, "INTERNAL")
	})
}

// writeBug is a provider with a bug where tokens are created.
type writeBug struct{ providers.Provider }

func (writeBug) CreateToken(context.Context, providers.ID, providers.TokenState) (providers.Created, error) {
	panic(panicked)
}

func withWriteBug(a *catalog.Account) {
	if a.Driver.Name == "ionos" {
		a.Provider = writeBug{a.Provider}
	}
}

// around asks for all that needs further requests.
const around = `mutation ($made: CreateTokenInput!) { made: createToken(input: $made) {
  token { id createdBy { name } registry { name tokens(first: 1) { totalCount } } organization { name } }
  tokenEdge { node { registry { createdBy { name } } } }
  credential { username secret dockerConfigJson } errors { code }
} }`

// TestASecretSurvivesWhatIsReadAroundIt has every read fail in each way, once the token was made.
func TestASecretSurvivesWhatIsReadAroundIt(t *testing.T) {
	for provider, input := range map[string]object{
		"buildkite": atBuildkite(), "ionos": {"registryId": ionosRegistry, "name": "deploy"},
	} {
		for _, f := range faults() {
			t.Run(provider+" "+f.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newMemory()
					w := newWorld(t, plan{network: n, cacheOff: true})
					// Buildkite's addresses are made of names, which have to be known.
					w.ask(t, `{ registries(first: 1) { totalCount } }`, nil)
					w.taps[provider].Spoil(func(rw http.ResponseWriter, r *http.Request, _ int) bool {
						switch {
						case r.Method == http.MethodPost:
							return false
						case f.spoil == nil:
							panic(http.ErrAbortHandler)
						}
						f.spoil(rw, r)
						return true
					})
					a := w.ask(t, around, object{"made": input})
					var data created
					if err := json.Unmarshal(a.Data, &data); err != nil {
						t.Fatal(err)
					}
					if data.Made == nil || data.Made.Credential == nil || data.Made.Credential.Secret == "" || len(data.Made.Errors) > 0 {
						t.Errorf("the secret is lost: %s, %v", a.Data, a.Errors)
					}
					if len(a.Errors) == 0 {
						t.Errorf("nothing failed: %s", a.Data)
					}
					expectNoCanary(t, "the answer", string(pretty(t, a)))
					w.taps[provider].Spoil(nil)
					time.Sleep(time.Minute) // what was begun comes to its end
				})
			})
		}
	}
}

// TestASecretSurvivesTheEndOfItsOperation: the create takes as long as it may, and what is read around it longer than the
// operation has.
func TestASecretSurvivesTheEndOfItsOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, plan{network: newMemory(), timeout: 16 * time.Second})
		w.taps["ionos"].SetLatency(9 * time.Second)
		began := time.Now()
		a := w.ask(t, strings.Replace(around, "errors { code }\n}", "errors { code }\n} late: createToken(input: $made) { token { id } errors { code } }", 1),
			object{"made": object{"registryId": ionosRegistry, "name": "deploy"}})
		expectSecret(t, a, "TIMEOUT")
		if took := time.Since(began); took < 16*time.Second || took > 17*time.Second {
			t.Errorf("it took %s, want the operation's 16 seconds", took)
		}
		if !strings.Contains(string(a.Data), `"late":null`) {
			t.Errorf("answered %s, want nothing begun after the end", a.Data)
		}
	})
}

// TestACreateThatNobodyWaitsForIsCarriedThrough: the caller leaves, and the token is there all the same, and known.
func TestACreateThatNobodyWaitsForIsCarriedThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, plan{network: newMemory()})
		const count = `{ registry(address: { id: "` + ionosRegistry + `" }) { tokens(first: 1) { totalCount } } }`
		before := w.ask(t, count, nil)
		w.taps["ionos"].SetLatency(5 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		body, err := json.Marshal(object{"query": createQuery, "variables": createOf(nil)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if response, err := w.client.Do(r); err == nil {
			_ = response.Body.Close()
			t.Fatalf("answered %d before the provider did", response.StatusCode)
		}
		time.Sleep(10 * time.Second)
		w.taps["ionos"].SetLatency(0)
		after := w.ask(t, count, nil)
		if !strings.Contains(string(before.Data), `"totalCount":7`) || !strings.Contains(string(after.Data), `"totalCount":8`) {
			t.Errorf("there were %s and are %s, want one more", before.Data, after.Data)
		}
	})
}
