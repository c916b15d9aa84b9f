package providertest

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"regtok/providers"
)

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
		if capitals := strings.ToUpper(native); capitals != native { // one thing has one id, however its provider reads it
			odd = append(odd, capitals)
		}
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
		want := []providers.Kind{providers.NotFound}
		if m.name == "ReplaceToken" && at == providers.TokenKind {
			want = append(want, providers.Invalid) // of an id that the caller chose
		}
		r.wantKind(t, what, err, want...)
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
