package catalog

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// TestAnOldListOfOrganizationsDoesNotSayThatOneIsNotThere: it is read once more, and when that fails, that is the answer.
func TestAnOldListOfOrganizationsDoesNotSayThatOneIsNotThere(t *testing.T) {
	for _, test := range []struct {
		name string
		down bool
		want providers.Kind
	}{
		{"the provider answers", false, ""},
		{"the provider is down", true, providers.Unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newGrid("p", 1, 1)
				c := over(t, s.account("a"), s.account("b")) // so that owners are looked up, too
				known := s.organization("o")
				if entry := c.OrganizationsByID(t.Context(), c, []providers.ID{known})[0]; entry.Err != nil {
					t.Fatal(entry.Err)
				}
				time.Sleep(organizationsFresh + soon)
				added := s.organization("new")
				registry := s.registry(added, "r")
				token := s.token(registry, "t")
				if test.down {
					s.failing(errDown, "organizations")
				}
				if got := c.OrganizationsByID(t.Context(), c, []providers.ID{added})[0].Err; providers.KindOf(got) != test.want {
					t.Errorf("the new organization: %v, want %q", got, test.want)
				}
				if got := c.TokensByID(t.Context(), []providers.ID{token})[0].Err; providers.KindOf(got) != test.want {
					t.Errorf("a token of it: %v, want %q", got, test.want)
				}
				if got := c.Users(t.Context(), []Person{{ID: providers.UserID("p", "nobody")}})[0].Err; test.down && providers.KindOf(got) != test.want {
					t.Errorf("a person who may be in it: %v, want %q", got, test.want)
				}
				if got := c.OrganizationsByID(t.Context(), c, []providers.ID{known})[0].Err; got != nil {
					t.Errorf("the one that was known: %v", got)
				}
			})
		})
	}
}
