package providertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"regtok/providers"
)

func identityCases() []testCase {
	return []testCase{
		{"ids round-trip and name their provider", idsRoundTrip, true},
		{"what is listed reads the same alone", listedReadsAlone, true},
		{"odd names come back unchanged or are INVALID, and reach no other path", oddNames, false},
		{"odd ids are NOT_FOUND and reach no other path", oddIDs, false},
		{"ids of another kind or provider are NOT_FOUND and send no request", foreignIDs, false},
		{"a renamed registry is found again", renamedRegistry, true},
		{"a registry is not mistaken for the one that has its old name", swappedNames, true},
	}
}

// wantID checks that an id is whole, of a kind, and survives being written and read.
func (r *rig) wantID(t *testing.T, id providers.ID, kind providers.IDKind) {
	t.Helper()
	if id.Kind != kind || id.Provider != r.driver.Name {
		t.Errorf("%+v is of kind %q and provider %q, want %q and %q", id, id.Kind, id.Provider, kind, r.driver.Name)
	}
	if got, err := providers.ParseID(id.String()); err != nil || got != id {
		t.Errorf("%+v reads back as %+v, %v", id, got, err)
	}
}

func idsRoundTrip(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	user := func(u *providers.User) {
		if u != nil && u.ID.Native != "" {
			r.wantID(t, u.ID, providers.UserKind)
		}
	}
	for _, o := range must(r.organizations(t.Context(), r.provider))(t) {
		r.wantID(t, o.ID, providers.OrganizationKind)
		for _, g := range must(r.registries(t.Context(), r.provider, o.ID))(t) {
			r.wantID(t, g.ID, providers.RegistryKind)
			user(g.CreatedBy)
			if g.ID.OfOrganization() != o.ID {
				t.Errorf("the registry %+v is listed in %+v", g.ID, o.ID)
			}
			for _, k := range must(r.tokens(t.Context(), r.provider, g.ID))(t) {
				r.wantID(t, k.ID, providers.TokenKind)
				user(k.CreatedBy)
				user(k.UpdatedBy)
				if k.ID.OfRegistry() != g.ID {
					t.Errorf("the token %+v is listed in %+v", k.ID, g.ID)
				}
			}
		}
		for _, u := range must(r.users(t.Context(), r.provider, o.ID))(t) {
			r.wantID(t, u.ID, providers.UserKind)
		}
	}
}

// listedReadsAlone: a planner may read a list instead of its items, so both must say the same.
func listedReadsAlone(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	for _, o := range must(r.organizations(t.Context(), r.provider))(t) {
		if o.Name == "" {
			t.Errorf("the organization %+v has no name", o.ID)
		}
		if r.driver.Organization != nil {
			same(t, "an organization as listed and as its id tells it", r.driver.Organization(o.ID), o)
		}
		for _, g := range must(r.registries(t.Context(), r.provider, o.ID))(t) {
			if g.Name == "" || g.State == "" {
				t.Errorf("the registry %+v has no name or state", g)
			}
			same(t, "a registry alone and in the list", must(r.provider.Registry(t.Context(), g.ID))(t), g)
			for _, k := range must(r.tokens(t.Context(), r.provider, g.ID))(t) {
				same(t, "a token alone and in the list", must(r.provider.Token(t.Context(), k.ID))(t), k)
				same(t, "the order of scopes differs", slices.Concat(k.Scopes), sorted(k.Scopes))
			}
		}
		for _, u := range must(r.users(t.Context(), r.provider, o.ID))(t) {
			if u.Name == "" || !u.Complete {
				t.Errorf("the user %+v has no name, or is not complete", u)
			}
			same(t, "a user alone and in the list", must(r.provider.User(t.Context(), o.ID, u.ID))(t), u)
		}
	}
}

// oddTexts are names that tempt a program to make paths, queries and messages of them.
func oddTexts() []string {
	return []string{
		"größe", "注册表", "🗝 key", "e\u0301", "a/b", "/", "%2f", "%2e%2e%2f", "..", ".", "../..", `..\..`, "a?b=c", "a#b", "a&b",
		"a+b", "a%20b", `a"b`, `a\b`, "a'b", "<b>&amp;", "{}", "null", "0", "a;b", "a:b@c", " a ", "a\tb", "a\nb", "a\u202eb",
		strings.Repeat("n", 255), strings.Repeat("ü", 255),
	}
}

func oddNames(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	fields := r.driver.Capabilities.CreateFields
	r.tap.Reset()
	r.create(t)
	toCreate := r.tap.Requests()
	for _, name := range oddTexts() {
		r.tap.Reset()
		chosen := state(fields, name)
		created, err := r.provider.CreateToken(t.Context(), r.world.registry, chosen)
		r.wantOnly(t, fmt.Sprintf("creating %q", name), toCreate)
		if err != nil {
			r.wantKind(t, fmt.Sprintf("creating %q", name), err, providers.Invalid)
			continue
		}
		r.wantState(t, fmt.Sprintf("created %q", name), created.Token, chosen)
		r.wantStored(t, fmt.Sprintf("creating %q", name), created.Token)
		if err := r.provider.DeleteToken(t.Context(), created.Token.ID); err != nil {
			t.Error(err)
		}
	}
	if len(state(r.driver.Capabilities.PatchFields, "n").Name) == 0 {
		return // names are fixed at this provider
	}
	patchName := []providers.TokenField{providers.FieldName}
	r.tap.Reset()
	must(r.provider.PatchToken(t.Context(), r.world.token.ID, patch(patchName, r.newName())))(t)
	toPatch := r.tap.Requests()
	for _, name := range oddTexts() {
		r.tap.Reset()
		patched, err := r.provider.PatchToken(t.Context(), r.world.token.ID, patch(patchName, name))
		r.wantOnly(t, fmt.Sprintf("patching to %q", name), toPatch)
		if err != nil {
			r.wantKind(t, fmt.Sprintf("patching to %q", name), err, providers.Invalid)
			continue
		}
		if patched.Name != name {
			t.Errorf("patched to %q, the name is %q", name, patched.Name)
		}
		r.wantStored(t, fmt.Sprintf("patching to %q", name), patched)
	}
}

// wantOnly checks that all requests since the last Reset went to paths of those.
func (r *rig) wantOnly(t *testing.T, what string, paths map[string]int) {
	t.Helper()
	for path := range r.tap.Requests() {
		if paths[path] == 0 {
			t.Errorf("%s: a request went to %s", what, path)
		}
	}
}

func oddIDs(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	reads := map[string]int{}
	for _, m := range r.methods() {
		if !m.writes {
			r.tap.Reset()
			must(m.call(t.Context(), r.open(t), r.world))(t)
			maps.Copy(reads, r.tap.Requests())
		}
	}
	for at, native := range r.world.natives() {
		odd := append(oddTexts(), "", "../"+native, native+"/..", native+"/", native+"?x=1", native+"#x", native+" ", native+"%00",
			native+"\x00", "x/../"+native, native+"\u200b", "%"+native, native+native, strings.Repeat("0", 64))
		for _, text := range odd {
			r.tryOddID(t, at, text, reads)
		}
	}
}

// natives are the world's native ids by the kind of what they name.
func (w world) natives() map[providers.IDKind]string {
	return map[providers.IDKind]string{
		providers.OrganizationKind: w.organization.Native, providers.RegistryKind: w.registry.Native,
		providers.TokenKind: w.token.ID.Native, providers.UserKind: w.user.Native,
	}
}

// with is the world with another native id for things of a kind, also inside the ids of what is in them.
func (w world) with(at providers.IDKind, native string) world {
	natives := w.natives()
	natives[at] = native
	provider := w.organization.Provider
	w.organization = providers.OrganizationID(provider, natives[providers.OrganizationKind])
	w.registry = w.organization.RegistryID(natives[providers.RegistryKind])
	w.token.ID = w.registry.TokenID(natives[providers.TokenKind])
	w.user = providers.UserID(provider, natives[providers.UserKind])
	return w
}

// within tells whether an id of kind holds the native id of a thing of kind at.
func within(kind, at providers.IDKind) bool {
	switch at {
	case providers.OrganizationKind:
		return kind != 0
	case providers.RegistryKind:
		return kind == providers.RegistryKind || kind == providers.TokenKind
	}
	return kind == at
}

// tryOddID calls every method that such an id reaches. Names may be looked up on the way, by reads that good ids
// make too; anything else has gone astray.
func (r *rig) tryOddID(t *testing.T, at providers.IDKind, native string, reads map[string]int) {
	t.Helper()
	for _, m := range r.methods() {
		if !within(m.about, at) {
			continue
		}
		r.tap.Reset()
		_, err := m.call(t.Context(), r.provider, r.world.with(at, native))
		what := fmt.Sprintf("%s with the %q id %q", m.name, at, native)
		r.wantKind(t, what, err, providers.NotFound)
		r.wantOnly(t, what, reads)
	}
}

func foreignIDs(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	foreign := r.world
	foreign.organization.Provider, foreign.registry.Provider = "elsewhere", "elsewhere"
	foreign.token.ID.Provider, foreign.user.Provider = "elsewhere", "elsewhere"
	mixed := r.world
	mixed.organization, mixed.registry, mixed.token.ID = r.world.registry, r.world.token.ID, r.world.registry
	mixed.user = r.world.organization
	nothing := world{token: providers.Token{Name: r.world.token.Name}}
	for what, w := range map[string]world{"another provider": foreign, "another kind": mixed, "nothing": nothing} {
		for _, m := range r.methods() {
			if m.about == 0 {
				continue
			}
			r.tap.Reset()
			_, err := m.call(t.Context(), r.provider, w)
			r.wantKind(t, m.name+" with ids of "+what, err, providers.NotFound)
			r.wantRequests(t, m.name+" with ids of "+what, 0)
		}
	}
}

// rename renames a registry behind the adapter's back. False: names are fixed, and then the declaration must say that
// it is never needed to look one up, which is that a warm account saves nothing.
func (r *rig) rename(t *testing.T, registry providers.ID, name string) bool {
	t.Helper()
	if r.emulator.RenameRegistry == nil {
		if costs := r.driver.Costs; costs.Token.Cold != costs.Token.Warm {
			t.Error("names are fixed, yet a cold account has to look them up")
		}
		return false
	}
	if err := r.emulator.RenameRegistry(registry.Native, name); err != nil {
		t.Fatal(err)
	}
	return true
}

func renamedRegistry(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	before := must(r.provider.Registry(t.Context(), r.world.registry))(t)
	tokens := must(r.tokens(t.Context(), r.provider, r.world.registry))(t)
	// Every method is the first to meet a new name.
	for i, m := range r.methods() {
		if m.about != providers.RegistryKind && m.about != providers.TokenKind {
			continue
		}
		if !r.rename(t, r.world.registry, fmt.Sprintf("renamed%d", i)) {
			same(t, "the registry", must(r.provider.Registry(t.Context(), r.world.registry))(t), before)
			return
		}
		_, err := m.call(t.Context(), r.provider, r.world)
		if err != nil && m.writes {
			// A write is not repeated at an address that nobody chose; but it says so, and works the next time.
			r.wantKind(t, m.name+" after a rename", err, providers.Conflict)
			_, err = m.call(t.Context(), r.provider, r.world)
		}
		if err != nil {
			t.Errorf("%s after a rename: %v", m.name, err)
		}
	}
	after := must(r.provider.Registry(t.Context(), r.world.registry))(t)
	if after.ID != before.ID || after.Name == before.Name {
		t.Errorf("the registry is now %+v, want a new name for %+v", after, before)
	}
	if got := len(must(r.tokens(t.Context(), r.provider, r.world.registry))(t)); got != len(tokens) {
		t.Errorf("the registry has %d tokens, want %d: one more created, one deleted", got, len(tokens))
	}
}

func swappedNames(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	w := r.world
	if !r.rename(t, w.registry, "one") {
		return
	}
	r.rename(t, w.other, "two")
	swap := func(one, two string) {
		r.rename(t, w.registry, "between")
		r.rename(t, w.other, one)
		r.rename(t, w.registry, two)
	}
	tokens := must(r.tokens(t.Context(), r.provider, w.registry))(t)

	swap("one", "two")
	same(t, "a token after the swap", must(r.provider.Token(t.Context(), w.token.ID))(t).ID, w.token.ID)
	swap("two", "one")
	same(t, "the tokens after the swap", must(r.tokens(t.Context(), r.provider, w.registry))(t), tokens)
	swap("one", "two")
	same(t, "the registry after the swap", must(r.provider.Registry(t.Context(), w.registry))(t).ID, w.registry)
}
