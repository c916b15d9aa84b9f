package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestAnOrganizationOfTwoAccountsIsReadOnce(t *testing.T) {
	s := newGrid("p", 2, 3)
	c := over(t, s.account("a"), s.account("b"))
	organizations := c.Organizations(t.Context(), c, OrganizationFilter{})
	registries := c.Registries(t.Context(), c, RegistryFilter{})
	tokens := tokensOf(t, c, TokenFilter{})
	if len(organizations.Items) != 1 || len(registries.Items) != 2 || len(tokens.Items) != 6 {
		t.Errorf("there are %d organizations, %d registries and %d tokens, want 1, 2 and 6",
			len(organizations.Items), len(registries.Items), len(tokens.Items))
	}
	if got := tokens.Items[0].Account.Name; got != "a" {
		t.Errorf("the token was read with %s, want a, which comes first", got)
	}
	expectRequests(t, s.requests(), map[string]int{"organizations": 2, "registries": 1, "tokens": 2})
}

func TestAnOrganizationIsReadWithTheAccountThatStillSeesIt(t *testing.T) {
	s := newGrid("p", 2, 3)
	blind := newSource("p")
	blind.failing(errDown)
	c := over(t, blind.account("a"), s.account("b"))
	list := tokensOf(t, c, TokenFilter{})
	if len(list.Items) != 6 {
		t.Errorf("%d tokens, want 6", len(list.Items))
	}
	expectNotes(t, list.Unavailable, "a UNREACHABLE")
	registry := s.registries[s.organizations[0].ID][0].ID
	for _, filter := range []TokenFilter{{RegistryIDs: []providers.ID{registry}}, {OrganizationIDs: []providers.ID{s.organizations[0].ID}}} {
		list := tokensOf(t, c, filter)
		if len(list.Items) == 0 || len(list.Unavailable) != 0 {
			t.Errorf("what b sees lacks %v and has %d tokens", notes(list.Unavailable), len(list.Items))
		}
	}
	// Nobody can tell whether a would have seen this one.
	elsewhere := tokensOf(t, c, TokenFilter{OrganizationIDs: []providers.ID{providers.OrganizationID("p", "elsewhere")}})
	expectNotes(t, elsewhere.Unavailable, "a elsewhere UNREACHABLE")
}

func TestAccountsOfOneProviderEachShowTheirOwn(t *testing.T) {
	u := emulate(t, driver(t, "buildkite"), providers.EmulatorOptions{})
	accounts := []*Account{u.account(t, "acme", "organizations", "acme-inc"), u.account(t, "globex", "organizations", "globex")}
	c := newCatalog(t, Options{Accounts: accounts})
	list := c.Registries(t.Context(), c, RegistryFilter{})
	of := map[string]int{}
	for _, r := range list.Items {
		of[r.Account.Name]++
	}
	if diff := cmp.Diff(of, map[string]int{"acme": 5, "globex": 3}); diff != "" {
		t.Errorf("registries by account differ (-got +want):\n%s", diff)
	}
	if got, want := u.requests(), 2+2; got != want {
		t.Errorf("%d requests, want %d: organizations and registries for each account", got, want)
	}
	ids := ids(list.Items, func(r *Registry) providers.ID { return r.ID })
	for i, entry := range c.RegistriesByID(t.Context(), ids) {
		if entry.Err != nil || entry.Value.Account != list.Items[i].Account {
			t.Errorf("%v by its id: %v, want it from %s", ids[i], entry, list.Items[i].Account.Name)
		}
	}
	if got := u.requests(); got != 0 {
		t.Errorf("%d requests for what is fresh, want 0", got)
	}
}

func TestTheFilterPrunesWhatIsAsked(t *testing.T) {
	organization := providers.OrganizationID("p", "o")
	all := map[string]int{"organizations": 1, "registries": 1, "tokens": 3}
	for name, test := range map[string]struct {
		filter TokenFilter
		p, q   map[string]int
		tokens int
	}{
		"nothing is filtered": {TokenFilter{}, all, all, 12},
		"one provider":        {TokenFilter{Providers: []string{"p"}}, all, nil, 6},
		"an unknown provider": {TokenFilter{Providers: []string{"x"}}, nil, nil, 0},
		"no provider":         {TokenFilter{Providers: []string{}}, nil, nil, 0},
		"one organization": {
			TokenFilter{OrganizationIDs: []providers.ID{organization, organization}}, map[string]int{"registries": 1, "tokens": 3}, nil, 6,
		},
		"no organization":                   {TokenFilter{OrganizationIDs: []providers.ID{}}, nil, nil, 0},
		"an organization's id that is none": {TokenFilter{OrganizationIDs: []providers.ID{organization.RegistryID("r0")}}, nil, nil, 0},
		"an organization elsewhere":         {TokenFilter{Providers: []string{"q"}, OrganizationIDs: []providers.ID{organization}}, nil, nil, 0},
		"one registry": {
			TokenFilter{RegistryIDs: []providers.ID{organization.RegistryID("r1"), organization.RegistryID("r1")}}, map[string]int{"tokens": 1}, nil, 2,
		},
		"a registry of another organization": {
			TokenFilter{RegistryIDs: []providers.ID{organization.RegistryID("r1")}, OrganizationIDs: []providers.ID{providers.OrganizationID("p", "x")}}, nil, nil, 0,
		},
		"a registry's id that is none": {TokenFilter{RegistryIDs: []providers.ID{organization}}, nil, nil, 0},
		"a creator": {
			TokenFilter{CreatedByIDs: []providers.ID{providers.UserID("q", "u0")}}, nil, all, 0,
		},
		"a creator elsewhere": {TokenFilter{CreatedByIDs: []providers.ID{providers.UserID("q", "u0")}, Providers: []string{"p"}}, nil, nil, 0},
		"no creator":          {TokenFilter{CreatedByIDs: []providers.ID{}}, nil, nil, 0},
		"no state":            {TokenFilter{States: []TokenState{}}, nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, q := newGrid("p", 3, 2), newGrid("q", 3, 2)
			list := tokensOf(t, over(t, p.account("a"), q.account("a")), test.filter)
			if len(list.Items) != test.tokens || len(list.Unavailable) != 0 {
				t.Errorf("%d tokens, missing %v, want %d and nothing", len(list.Items), notes(list.Unavailable), test.tokens)
			}
			for s, want := range map[*source]map[string]int{p: test.p, q: test.q} {
				if want == nil {
					want = map[string]int{}
				}
				expectRequests(t, s.requests(), want)
			}
		})
	}
}

func TestWhatTheFilterNamesAndNobodyHasIsNotMissing(t *testing.T) {
	c, _ := both(t, Options{})
	const uuid = "0192d9c3-96d2-7ebb-8d06-6d1f2e0a0a0a"
	for _, provider := range []string{"buildkite", "ionos", "nobody"} {
		organization := providers.OrganizationID(provider, uuid)
		list := tokensOf(t, c, TokenFilter{OrganizationIDs: []providers.ID{organization}})
		expectNotes(t, list.Unavailable)
		list = tokensOf(t, c, TokenFilter{RegistryIDs: []providers.ID{organization.RegistryID(uuid)}})
		expectNotes(t, list.Unavailable)
		registries := c.Registries(t.Context(), c, RegistryFilter{OrganizationIDs: []providers.ID{organization}})
		expectNotes(t, registries.Unavailable)
	}
}
