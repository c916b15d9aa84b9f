package providertest

import (
	"slices"
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
