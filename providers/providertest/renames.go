package providertest

import (
	"fmt"
	"testing"

	"regtok/providers"
)

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
