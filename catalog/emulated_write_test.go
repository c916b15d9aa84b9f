package catalog

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
	"regtok/providers/all"
)

// What holds for writes at the real providers, over their emulators.

// TestAWritesVersionIsThatOfALaterRead under every choice of every emulator: orders, time stamps and empty lists differ,
// the token does not.
func TestAWritesVersionIsThatOfALaterRead(t *testing.T) {
	for _, d := range all.Drivers() {
		emulator, err := d.Emulator(providers.EmulatorOptions{})
		if err != nil {
			t.Fatal(err)
		}
		versions(t, d, nil)
		for _, choice := range emulator.Choices {
			for _, value := range choice.Values[1:] {
				if choice.Restricts[value] == nil {
					versions(t, d, map[string]string{choice.Name: value})
				}
			}
		}
	}
}

// versions compares the token that each write tells with the one that reads tell, alone and in the list.
func versions(t *testing.T, d providers.Driver, choices map[string]string) {
	t.Helper()
	u := emulate(t, d, providers.EmulatorOptions{Registries: 1, Tokens: 2, Choices: choices})
	c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
	seen := map[string]string{}
	for _, write := range lifeOf(t, c, tokensOf(t, c, TokenFilter{}).Items[0].ID.OfRegistry()) {
		op, token := write()
		alone := c.TokensByID(t.Context(), []providers.ID{token.ID})[0]
		list := c.TokenLists(t.Context(), []providers.ID{token.ID.OfRegistry()})[0]
		if alone.Err != nil || list.Err != nil {
			t.Fatal(choices, op, alone.Err, list.Err)
		}
		i := slices.IndexFunc(list.Value, func(t *Token) bool { return t.ID == token.ID })
		if told := token.Version(); told != alone.Value.Version() || told != list.Value[i].Version() {
			t.Errorf("%s under %v: after the %s the versions differ:\ntold  %+v\nalone %+v\nlist  %+v", d.Name, choices, op, token.Token, alone.Value.Token, list.Value[i].Token)
		}
		if before, twice := seen[token.Version()]; twice {
			t.Errorf("%s under %v: the %s left the version of the %s", d.Name, choices, op, before)
		}
		seen[token.Version()] = op
	}
}

// lifeOf are writes to one token, one after the other, as far as the provider has them. Scopes are out of order.
func lifeOf(t *testing.T, c *Catalog, registry providers.ID) []func() (string, *Token) {
	t.Helper()
	driver, _ := c.Driver(registry.Provider)
	can := driver.Capabilities
	list := []providers.Scope{scope("repository", "b", "push", "delete", "pull"), scope("registry", "*", "list"), scope("repository", "a", "push", "pull")}
	var id providers.ID
	create := CreateToken{Registry: registry, Name: "first"}
	if can.Scopes {
		create.Scopes, create.Expiry = list, lasting(48*time.Hour)
	}
	life := []func() (string, *Token){func() (string, *Token) {
		created := done(t)(c.CreateToken(t.Context(), create)).Token
		id = created.ID
		return "create", created
	}}
	patches := map[providers.TokenField]PatchToken{
		providers.FieldName: {Name: new("second")}, providers.FieldExpiry: {Expiry: never()}, providers.FieldEnabled: {Enabled: new(false)},
		providers.FieldScopes: {Scopes: &ScopesPatch{Change: &ScopesChange{Add: []providers.Scope{scope("another", "x", "z", "y")}}}},
	}
	for _, field := range can.PatchFields {
		life = append(life, func() (string, *Token) {
			patch := patches[field]
			patch.Token = id
			return "patch of " + string(field), done(t)(c.PatchToken(t.Context(), patch)).Token
		})
	}
	if len(can.ReplaceFields) > 0 {
		life = append(life, func() (string, *Token) {
			in := ReplaceToken{Token: id, Name: "first", Expiry: *lasting(72 * time.Hour), Scopes: list, Enabled: true}
			return "replace", done(t)(c.ReplaceToken(t.Context(), in)).Token
		})
	}
	return life
}

// TestAVersionOfAWriteCanBeExpectedOfTheNext without a read in between.
func TestAVersionOfAWriteCanBeExpectedOfTheNext(t *testing.T) {
	for name, choices := range map[string]map[string]string{"buildkite": nil, "ionos": {"scope_order": "reversed"}} {
		u := emulate(t, driver(t, name), providers.EmulatorOptions{Registries: 1, Tokens: 1, Choices: choices})
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
		registry := tokensOf(t, c, TokenFilter{}).Items[0].ID.OfRegistry()
		in := CreateToken{Registry: registry, Name: "first"}
		if name == "ionos" {
			in.Scopes = []providers.Scope{scope("b", "b", "push", "pull"), scope("a", "a", "y", "x")}
		}
		created := done(t)(c.CreateToken(t.Context(), in)).Token
		done(t)(c.DeleteToken(t.Context(), DeleteToken{Token: created.ID, IfVersion: new(created.Version())}))
	}
}

func TestAWriteCostsAsManyRequestsAsTheDriverDeclares(t *testing.T) {
	for _, d := range all.Drivers() {
		story := emulate(t, d, providers.EmulatorOptions{Registries: 2, Tokens: 2})
		token := tokensOf(t, newCatalog(t, Options{Accounts: []*Account{story.account(t, "main")}}), TokenFilter{}).Items[0]
		writes := map[string]struct {
			cost  providers.Cost
			write func(c *Catalog, id providers.ID) (Written, error)
		}{
			"create": {d.Costs.CreateToken, func(c *Catalog, id providers.ID) (Written, error) {
				return c.CreateToken(t.Context(), CreateToken{Registry: id.OfRegistry(), Name: "another"})
			}},
			"replace": {d.Costs.ReplaceToken, func(c *Catalog, id providers.ID) (Written, error) {
				return c.ReplaceToken(t.Context(), ReplaceToken{Token: id, Name: token.Name, Expiry: *never()})
			}},
			"patch": {d.Costs.PatchToken, func(c *Catalog, id providers.ID) (Written, error) {
				in := PatchToken{Token: id, Enabled: new(false)}
				if d.Name == "buildkite" {
					in = PatchToken{Token: id, Name: new("another")}
				}
				return c.PatchToken(t.Context(), in)
			}},
			"delete": {d.Costs.DeleteToken, func(c *Catalog, id providers.ID) (Written, error) {
				return c.DeleteToken(t.Context(), DeleteToken{Token: id})
			}},
		}
		for op, test := range writes {
			if op == "replace" && len(d.Capabilities.ReplaceFields) == 0 {
				continue
			}
			u := emulate(t, d, providers.EmulatorOptions{Registries: 2, Tokens: 2})
			cold := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
			done(t)(test.write(cold, token.ID))
			if got := u.requests(); got != test.cost.Cold {
				t.Errorf("%s: a cold %s costs %d requests, want %d", d.Name, op, got, test.cost.Cold)
			}
			u = emulate(t, d, providers.EmulatorOptions{Registries: 2, Tokens: 2})
			warm := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
			tokensOf(t, warm, TokenFilter{})
			u.Reset()
			done(t)(test.write(warm, token.ID))
			if got := u.requests(); got != test.cost.Warm {
				t.Errorf("%s: a warm %s costs %d requests, want %d", d.Name, op, got, test.cost.Warm)
			}
		}
	}
}

// TestWhatAColdWriteLearnsIsKeptForReaders so that the payload's registry and organization cost nothing more.
func TestWhatAColdWriteLearnsIsKeptForReaders(t *testing.T) {
	for name, want := range map[string]int{"buildkite": 3, "ionos": 2} {
		u := emulate(t, driver(t, name), providers.EmulatorOptions{Registries: 2, Tokens: 2})
		token := tokensOf(t, newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}}), TokenFilter{}).Items[0].ID
		u.Reset()
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
		done(t)(c.CreateToken(t.Context(), CreateToken{Registry: token.OfRegistry(), Name: "another"}))
		registry := c.RegistriesByID(t.Context(), []providers.ID{token.OfRegistry()})[0]
		organization := c.OrganizationsByID(t.Context(), c, []providers.ID{token.OfOrganization()})[0]
		if registry.Err != nil || organization.Err != nil {
			t.Fatal(registry.Err, organization.Err)
		}
		if got := u.requests(); got != want {
			t.Errorf("%s: a cold create and its registry and organization cost %d requests, want %d", name, got, want)
		}
	}
}

// TestAWriteAfterTheNamesAreOldCostsOneLookUp: a write goes to no slug that was last seen more than a minute ago.
func TestAWriteAfterTheNamesAreOldCostsOneLookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := emulate(t, driver(t, "buildkite"), providers.EmulatorOptions{Registries: 1, Tokens: 1})
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
		token := tokensOf(t, c, TokenFilter{}).Items[0].ID
		time.Sleep(2 * time.Minute)
		for i, want := range []int{2, 1} {
			u.Reset()
			done(t)(c.PatchToken(t.Context(), PatchToken{Token: token, Name: new(fmt.Sprint("n", i))}))
			if got := u.requests(); got != want {
				t.Errorf("patch %d costs %d requests, want %d", i, got, want)
			}
		}
	})
}
