package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// writes is a world in which tokens are written: the API, what stands behind it, and all that the API said.
type writes struct {
	*world
	behind map[string]*watched
	said   *locked // every answer, without what a credential holds
}

func newWrites(t testing.TB, p plan) *writes {
	t.Helper()
	n, _ := p.network.(*memory)
	w := newWorld(t, p)
	return &writes{world: w, behind: w.watch(n), said: &locked{}}
}

// payload is what any mutation answers.
type payload struct {
	Token          *tokenSeen
	TokenEdge      *struct{ Node struct{ ID string } }
	Credential     *struct{ Username, Secret, DockerConfigJSON string }
	DeletedTokenID string
	Previous       *tokenSeen
	PreviousEndsAt *string
	Errors         []problemSeen
}

// code is of the first error; "": there is none.
func (p payload) code() string {
	if len(p.Errors) == 0 {
		return ""
	}
	return p.Errors[0].Code
}

type problemSeen struct {
	Code, Message  string
	Path           []string
	CurrentVersion string
	RequiredScope  string
	RetryAfter     string
	TryAgainIn     string
}

// tokenSeen is a token as this server tells it.
type tokenSeen struct {
	ID, NativeID, Name, Version string
	Enabled                     bool
	ExpiresAt                   *string
	Scopes                      []scopeSeen
}

func (s tokenSeen) kept() kept {
	return kept{s.Name, s.Enabled, inUTC(s.ExpiresAt), inWords(s.Scopes)}
}

const (
	seenFields   = ` { id nativeId name version enabled expiresAt scopes { type name actions implicit } } `
	secretFields = ` credential { username secret dockerConfigJson } `
	whyFields    = ` errors { code message path
		... on ConflictError { currentVersion }
		... on ForbiddenError { requiredScope }
		... on RateLimitedError { retryAfter }
		... on UnavailableError { tryAgainIn: retryAfter } } `
)

// payloads are the whole payloads of the mutations.
var payloads = map[string]string{
	"createToken":  "token" + seenFields + "tokenEdge { node { id } }" + secretFields + whyFields,
	"replaceToken": "token" + seenFields + secretFields + whyFields,
	"patchToken":   "token" + seenFields + whyFields,
	"deleteToken":  "deletedTokenId registry { id }" + whyFields,
	"rotateToken":  "token" + seenFields + "tokenEdge { node { id } }" + secretFields + "previous" + seenFields + "previousEndsAt" + whyFields,
}

// document is a mutation that asks for everything.
func document(mutation string) string {
	input := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input!"
	return fmt.Sprintf("mutation ($input: %s) { it: %s(input: $input) { %s } }", input, mutation, payloads[mutation])
}

// mutate runs one mutation, and fails the test on anything but a payload.
func (w *writes) mutate(t testing.TB, mutation string, input map[string]any) payload {
	t.Helper()
	p, a := w.attempt(t, mutation, input)
	if len(a.Errors) > 0 {
		t.Fatalf("%s(%v) has errors beside its data: %v", mutation, input, a.Errors)
	}
	return p
}

// attempt runs one mutation.
func (w *writes) attempt(t testing.TB, mutation string, input map[string]any) (payload, answer) {
	t.Helper()
	a := w.ask(t, document(mutation), map[string]any{"input": input})
	var data struct{ It *payload }
	if err := json.Unmarshal(a.Data, &data); err != nil && len(a.Errors) == 0 {
		t.Fatalf("%s: %v in %s", mutation, err, a.Data)
	}
	if data.It == nil {
		data.It = &payload{}
		if len(a.Errors) == 0 {
			t.Fatalf("%s: neither a payload nor an error", mutation)
		}
	}
	w.keepSaid(t, a, data.It)
	return *data.It, a
}

// keepSaid keeps an answer but for what its credential may show.
func (w *writes) keepSaid(t testing.TB, a answer, p *payload) {
	t.Helper()
	whole, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	text := string(whole)
	if c := p.Credential; c != nil {
		for _, shown := range []string{c.Secret, c.DockerConfigJSON} {
			encoded, _ := json.Marshal(shown)
			text = strings.Replace(text, string(encoded), `"shown"`, 1)
		}
	}
	_, _ = w.said.Write([]byte(text))
}

// place is a registry in which tokens are written.
type place struct {
	provider, id string
	path         string // of its tokens, at the provider
}

// places are all registries of a provider.
func (w *writes) places(t testing.TB, provider string) []place {
	t.Helper()
	a := w.ask(t, `query ($in: [String!]) { registries(filter: { providers: $in }) { edges { node { id nativeId slug organization { slug } } } } }`,
		map[string]any{"in": []string{provider}})
	var data struct {
		Registries struct {
			Edges []struct {
				Node struct {
					ID, NativeID, Slug string
					Organization       struct{ Slug string }
				}
			}
		}
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(data.Registries.Edges) == 0 {
		t.Fatalf("no registries of %s: %s %v", provider, a.Data, a.Errors)
	}
	var all []place
	for _, edge := range data.Registries.Edges {
		at := place{provider: provider, id: edge.Node.ID}
		switch provider {
		case "buildkite":
			at.path = fmt.Sprintf("/v2/packages/organizations/%s/registries/%s/tokens", edge.Node.Organization.Slug, edge.Node.Slug)
		case "ionos":
			at.path = fmt.Sprintf("/containerregistries/registries/%s/tokens", edge.Node.NativeID)
		}
		all = append(all, at)
	}
	return all
}

// tokens are a registry's tokens as this server lists them, all of them or the test fails.
func (w *writes) tokens(t testing.TB, at place) map[string]tokenSeen {
	t.Helper()
	a := w.ask(t, `query ($registry: ID!) { registry(address: { id: $registry }) { tokens(first: 100) {
		edges { node `+seenFields+` } unavailable { reason message } } } }`, map[string]any{"registry": at.id})
	var data struct {
		Registry *struct{ Tokens *tokensSeen }
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 || data.Registry == nil || data.Registry.Tokens == nil {
		t.Fatalf("the list of tokens is %s, %v", a.Data, a.Errors)
	}
	w.keepSaid(t, a, &payload{})
	return data.Registry.Tokens.whole(t)
}

type tokensSeen struct {
	Edges       []struct{ Node tokenSeen }
	Unavailable []map[string]any
}

// whole is the list, by native id.
func (l tokensSeen) whole(t testing.TB) map[string]tokenSeen {
	t.Helper()
	if len(l.Unavailable) > 0 {
		t.Fatalf("the list of tokens lacks something, or is old: %v", l.Unavailable)
	}
	all := map[string]tokenSeen{}
	for _, edge := range l.Edges {
		if _, twice := all[edge.Node.NativeID]; twice {
			t.Errorf("the token %s is twice in the list", edge.Node.Name)
		}
		all[edge.Node.NativeID] = edge.Node
	}
	return all
}

// token is one token by its id; nil: there is none.
func (w *writes) token(t testing.TB, id string) *tokenSeen {
	t.Helper()
	a := w.ask(t, `query ($id: ID!) { token(address: { id: $id }) `+seenFields+` }`, map[string]any{"id": id})
	var data struct{ Token *tokenSeen }
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
		t.Fatalf("the token is %s, %v", a.Data, a.Errors)
	}
	w.keepSaid(t, a, &payload{})
	return data.Token
}

// expectAgreement compares all that this server tells of a registry's tokens with what its provider has.
func (w *writes) expectAgreement(t testing.TB, at place, ids ...string) {
	t.Helper()
	want := w.behind[at.provider].keeps(t, at.path)
	for _, id := range ids { // first, so that lists do not answer for them
		one := w.token(t, id)
		has, there := want[nativeOf(t, id)]
		switch {
		case (one != nil) != there:
			t.Errorf("the token by its id is %+v; that the provider has it is %t", one, there)
		case one != nil:
			if diff := cmp.Diff(one.kept(), has); diff != "" {
				t.Errorf("the token by its id (-this server +its provider):\n%s", diff)
			}
		}
	}
	listed := w.tokens(t, at)
	got := map[string]kept{}
	for native, one := range listed {
		got[native] = one.kept()
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the list of tokens (-this server +its provider):\n%s", diff)
	}
	for _, id := range ids {
		if one, in := w.token(t, id), listed[nativeOf(t, id)]; one != nil && one.Version != in.Version {
			t.Errorf("%s has the version %s by its id and %s in the list", one.Name, one.Version, in.Version)
		}
	}
}

// nativeOf is the provider's own id in one of ours.
func nativeOf(t testing.TB, id string) string {
	t.Helper()
	parsed, err := providers.ParseID(id)
	if err != nil {
		t.Fatalf("%q: %v", id, err)
	}
	return parsed.Native
}
