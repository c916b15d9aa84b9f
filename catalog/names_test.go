package catalog

import (
	"errors"
	"testing"

	"regtok/providers"
)

// newNamed makes a grid whose driver says that its URLs hold names.
func newNamed() *source {
	s := newGrid("p", 2, 2)
	one := providers.Cost{Cold: 1, Warm: 1}
	s.driver.RegistryFromList = true
	s.driver.Costs = providers.Costs{
		Organizations: one, Registries: providers.Cost{Cold: 2, Warm: 1}, Token: providers.Cost{Cold: 3, Warm: 1},
	}
	return s
}

func TestNamesThatURLsNeedComeFromListsThatAreKept(t *testing.T) {
	s := newNamed()
	c := over(t, s.account("a"))
	organization := providers.OrganizationID("p", "o")
	registry := organization.RegistryID("r0")
	for _, entry := range c.TokensByID(t.Context(), []providers.ID{registry.TokenID("t0")}) {
		if entry.Err != nil {
			t.Fatal(entry.Err)
		}
	}
	expectRequests(t, s.requests(), map[string]int{"organizations": 1, "registries": 1, "token": 1})
	c.RegistriesByID(t.Context(), []providers.ID{registry})
	c.OrganizationsByID(t.Context(), c, []providers.ID{organization})
	expectRequests(t, s.requests(), map[string]int{})
}

func TestNamesAreLearntOnce(t *testing.T) {
	s := newNamed()
	c := over(t, s.account("a"))
	organization := providers.OrganizationID("p", "o")
	c.TokenLists(t.Context(), []providers.ID{organization.RegistryID("r0"), organization.RegistryID("r1")})
	expectRequests(t, s.requests(), map[string]int{"organizations": 1, "registries": 1, "tokens": 2})
	c.cache.Bump(t.Context(), scopeOf(c.all()[0], organization), scopeOf(c.all()[0], c.all()[0].ID()))
	c.TokensByID(t.Context(), []providers.ID{organization.RegistryID("r0").TokenID("gone")})
	c.UserLists(t.Context(), []providers.ID{organization})
	if asked := s.requests(); asked["organizations"]+asked["registries"] != 0 {
		t.Errorf("asked %v, want no list once the names are known", asked)
	}
}

func TestWithoutANameNothingIsAsked(t *testing.T) {
	s := newNamed()
	c := over(t, s.account("a"))
	down := errors.New("down")
	s.failing(down)
	registry := providers.OrganizationID("p", "o").RegistryID("r0")
	if err := c.TokensByID(t.Context(), []providers.ID{registry.TokenID("t0")})[0].Err; !errors.Is(err, down) {
		t.Errorf("the error is %v, want why the organizations cannot be listed", err)
	}
	expectRequests(t, s.requests(), map[string]int{"organizations": 1})
	s.failing(nil)
	if err := c.TokensByID(t.Context(), []providers.ID{registry.TokenID("t0")})[0].Err; err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

func TestAFilterThatNothingPassesAsksNobody(t *testing.T) {
	s := newGrid("p", 1, 1)
	c := over(t, s.account("a"))
	for name, filter := range map[string]TokenFilter{
		"providers": {Providers: []string{}}, "organizations": {OrganizationIDs: []providers.ID{}},
		"registries": {RegistryIDs: []providers.ID{}}, "people": {CreatedByIDs: []providers.ID{}}, "states": {States: []TokenState{}},
	} {
		if list := c.Tokens(t.Context(), c, filter); len(list.Items)+len(list.Unavailable) > 0 {
			t.Errorf("no %s: got %v, want nothing", name, list)
		}
	}
	for name, filter := range map[string]RegistryFilter{
		"providers": {Providers: []string{}}, "organizations": {OrganizationIDs: []providers.ID{}}, "ecosystems": {Ecosystems: []string{}},
	} {
		if list := c.Registries(t.Context(), c, filter); len(list.Items)+len(list.Unavailable) > 0 {
			t.Errorf("no %s: got %v, want nothing", name, list)
		}
	}
	expectRequests(t, s.requests(), map[string]int{})
}
