package graph_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"regtok/providers"
)

const canaryCredential = "canary-credential-5f0c"

// secretsSought are the operations that say most of what goes wrong.
var secretsSought = []string{
	everything,
	nestedLists,
	`{ buildkite: node(id: "AWEJYnVpbGRraXRlBGRlbW8") { ...account } ionos: node(id: "AWEFaW9ub3MEZGVtbw") { ...account } }
	 fragment account on Account { name healthy lastError credentialExpiresAt budgets { scope limit remaining } }`,
	`{ organizations(first: 5) { edges { node { members(first: 5) { nodes { name } } } } } }`,
	`query ($token: ID!) { token(address: { id: $token }) { name createdBy { name } registry { name } organization { name } } }`,
	`query ($token: ID!) { node(id: $token) { id } nope }`,
}

// TestNoAnswerAndNoLogHoldsACredentialOrAnUpstreamsText asks while a provider fails in every way, and reads everything that
// this server says of it.
func TestNoAnswerAndNoLogHoldsACredentialOrAnUpstreamsText(t *testing.T) {
	for _, f := range append(faults(), fault{name: "is well", spoil: func(http.ResponseWriter, *http.Request) {}}) {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newMemory()
				w := newWorld(t, plan{network: n, settings: map[string]providers.Settings{
					"buildkite": {"token": providers.NewSecret(canaryCredential)},
					"ionos":     {"token": providers.NewSecret(canaryCredential)},
				}})
				sent := w.credentialsSent()
				for provider := range otherOf {
					if f.name != "is well" {
						w.fail(n, provider, f, everywhere)
					}
				}
				for _, query := range secretsSought {
					for _, id := range []string{buildkiteToken, ionosToken} {
						expectNoCanary(t, "an answer", string(pretty(t, w.ask(t, query, map[string]any{"token": id}))))
					}
				}
				expectNoCanary(t, "the log", w.log.String())
				if f.name == "is well" && sent.Load() == 0 {
					t.Error("the credential was never sent: this test looks for another one")
				}
			})
		})
	}
}

const (
	buildkiteToken = "AXQJYnVpbGRraXRlJDAxODY5YzJmLTczNmEtN2VhZi1hZDE2LTc0ZmYxYTlhOTM3ZiQwMThmNTdjMC1iZDM0LTdkMDEtYWJkYi0yOWFjNTdhYjk1ZGMk" +
		"MDE5MWI2YTItYjlmMS03Mjc1LWI2ZTUtMGRlNDM4YzQyYjBj"
	ionosToken = "AXQFaW9ub3MIMzI3NDAxNTgkMTM2MjFiZjYtODY4OS00YzljLWJlMTktNjU3OWI2NDQzZTkxJDk5ZGM5ZjFlLTg3OTQtNDYxOS05N2U4LTNhODg2YWZhN2M2Yw"
)

// credentialsSent counts the requests that carry the canary to a provider.
func (w *world) credentialsSent() *atomic.Int64 {
	var sent atomic.Int64
	w.taps["buildkite"].Spoil(func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if strings.Contains(r.Header.Get("Authorization"), canaryCredential) {
			sent.Add(1)
		}
		return false
	})
	return &sent
}

func expectNoCanary(t *testing.T, where, text string) {
	t.Helper()
	for _, canary := range []string{canaryCredential, canaryBody} {
		if at := strings.Index(text, canary); at >= 0 {
			t.Errorf("%s holds %s: …%s…", where, canary, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}
