package graph_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"regtok/catalog"
	"regtok/providers"
)

const panicked = "canary-panic-93d1"

// panicking is a provider with a bug.
type panicking struct{ providers.Provider }

func (panicking) Token(context.Context, providers.ID) (providers.Token, error) { panic(panicked) }

func (panicking) Tokens(context.Context, providers.ID, providers.PageRequest) (providers.Page[providers.Token], error) {
	panic(panicked)
}

func (panicking) CredentialExpiry(context.Context) (time.Time, error) { panic(panicked) }

// withBug puts the bug into IONOS's provider.
func withBug(a *catalog.Account) {
	if a.Driver.Name == "ionos" {
		a.Provider = panicking{a.Provider}
		a.Driver.Organization = func(providers.ID) providers.Organization { panic(panicked) }
	}
}

// TestAPanicIsMaskedAndLoggedWhole meets bugs in a provider, and in what resolvers call themselves.
func TestAPanicIsMaskedAndLoggedWhole(t *testing.T) {
	organization := providers.OrganizationID("ionos", "32740158")
	registry := organization.RegistryID("e8b4efb5-a0c2-4237-ad56-9f086587334f")
	variables := map[string]any{
		"registry": registry.String(), "token": registry.TokenID("735f6a2b-36f3-4dd1-8e37-623a5b88a5e7").String(),
	}
	tests := []struct{ name, query, data, place string }{
		{"in a provider's read of one thing", `query ($token: ID!) { token(address: { id: $token }) { name } server { version } }`,
			`{"token":null,"server":{"version":"test"}}`, "graph_test.panicking.Token"},
		{"in a provider's list below a registry", `query ($registry: ID!) { registry(address: { id: $registry }) { name tokens { totalCount } } }`,
			`{"registry":{"name":"lindenhof-edge","tokens":null}}`, "graph_test.panicking.Tokens"},
		{"in a resolver of one thing", `query ($registry: ID!) { registry(address: { id: $registry }) { name organization { name } } }`,
			`{"registry":{"name":"lindenhof-edge","organization":null}}`, "graph_test.withBug"},
		{"in a resolver of siblings", `{ registries(first: 2, filter: { providers: ["ionos"] }) { nodes { name organization { name } } } }`,
			`{"registries":{"nodes":[{"name":"lindenhof-archive","organization":null},{"name":"lindenhof-broken","organization":null}]}}`, "graph_test.withBug"},
		{"in what a provider knows of its credential", `{ accounts { name credentialExpiresAt } }`,
			`{"accounts":[{"name":"demo","credentialExpiresAt":null},{"name":"demo","credentialExpiresAt":null}]}`, "graph_test.panicking.CredentialExpiry"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, plan{change: withBug})
			a, id := w.exchange(t, test.query, variables)
			if string(a.Data) != test.data {
				t.Errorf("the data is %s, want %s", a.Data, test.data)
			}
			if len(a.Errors) == 0 {
				t.Fatal("no error")
			}
			for _, e := range a.Errors {
				extensions, _ := e["extensions"].(map[string]any)
				if extensions["code"] != "INTERNAL" || extensions["requestId"] != id || id == "" {
					t.Errorf("extensions are %v, want INTERNAL and the request id %s", extensions, id)
				}
			}
			if text := string(pretty(t, a)); strings.Contains(text, panicked) || strings.Contains(text, "goroutine") {
				t.Errorf("the answer tells of the panic: %s", text)
			}
			expectLogged(t, w.log.String(), id, panicked, test.place)
		})
	}
}

// expectLogged expects an error in the log, under the request's id, with all parts in one line.
func expectLogged(t *testing.T, log, id string, parts ...string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("a line of the log is no JSON: %v\n%s", err, line)
		}
		whole := entry["level"] == "ERROR" && entry["request_id"] == id
		for _, part := range parts {
			whole = whole && strings.Contains(line, part)
		}
		if whole {
			return
		}
	}
	t.Errorf("no error with %q under %s in the log:\n%s", parts, id, log)
}

// TestAPanicOfOneProviderIsNotTheOthers meets the bug in a list of both.
func TestAPanicOfOneProviderIsNotTheOthers(t *testing.T) {
	w := newWorld(t, plan{change: withBug})
	a := w.ask(t, `{ tokens(first: 100) { totalCount unavailable { account { provider { slug } } reason message } } }`, nil)
	var data struct {
		Tokens struct {
			TotalCount  int
			Unavailable []map[string]any
		}
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || data.Tokens.TotalCount != 20 || len(a.Errors) > 0 {
		t.Errorf("got %s, %v, want the 20 tokens of Buildkite and no error", a.Data, a.Errors)
	}
	if len(data.Tokens.Unavailable) == 0 || strings.Contains(string(a.Data), panicked) {
		t.Errorf("unavailable is %v, want the other, and nothing of the panic", data.Tokens.Unavailable)
	}
	if log := w.log.String(); !strings.Contains(log, panicked) {
		t.Errorf("the log does not tell of the panic:\n%s", log)
	}
}
