package catalog

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestOrdersOfRegistries(t *testing.T) {
	organization := providers.OrganizationID("p", "o")
	var registries []*Registry
	for _, r := range []providers.Registry{
		{ID: organization.RegistryID("1"), Name: "b", CreatedAt: noon},
		{ID: organization.RegistryID("2"), Name: "A", CreatedAt: noon.Add(day)},
		{ID: organization.RegistryID("3"), Name: "", CreatedAt: time.Time{}},
		{ID: organization.RegistryID("4"), Name: "B", CreatedAt: noon},
	} {
		registries = append(registries, &Registry{Registry: r})
	}
	for name, test := range map[string]struct {
		order Order[*Registry]
		want  string
	}{
		"by name":                         {RegistriesByName(false), "2143"},
		"by name, descending":             {RegistriesByName(true), "1423"},
		"by date of creation":             {RegistriesByCreation(false), "1423"},
		"by date of creation, descending": {RegistriesByCreation(true), "2143"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, r := range cut(t, registries, test.order, 10, "").Items {
				got += r.ID.Native
			}
			if got != test.want {
				t.Errorf("the order is %s, want %s", got, test.want)
			}
		})
	}
}

func TestOrganizationsAndPeopleRunByNameInAnyCase(t *testing.T) {
	names := []string{"b", "", "C", "a", "B"}
	var organizations []*Organization
	var users []*User
	for i, name := range names {
		native := numbered("", i)
		organizations = append(organizations, &Organization{Organization: providers.Organization{ID: providers.OrganizationID("p", native), Name: name}})
		users = append(users, &User{User: providers.User{ID: providers.UserID("p", native), Name: name}})
	}
	want := []string{"a", "b", "B", "C", ""}
	var got [2][]string
	for _, o := range cut(t, organizations, OrganizationsByName(), 10, "").Items {
		got[0] = append(got[0], o.Name)
	}
	for _, u := range cut(t, users, UsersByName(), 10, "").Items {
		got[1] = append(got[1], u.Name)
	}
	if diff := cmp.Diff(got, [2][]string{want, want}); diff != "" {
		t.Errorf("the orders differ (-got +want):\n%s", diff)
	}
}

func TestEqualItemsFollowByIDInEitherDirection(t *testing.T) {
	ids := []providers.ID{
		tokenID("p", "1"), tokenID("p", "2"), providers.OrganizationID("p", "o").RegistryID("r1").TokenID("0"),
		providers.OrganizationID("p", "p").RegistryID("r0").TokenID("0"), tokenID("q", "0"),
	}
	var tokens []*Token
	for _, id := range slices.Backward(ids) {
		tokens = append(tokens, &Token{Token: providers.Token{ID: id, Name: "same"}})
	}
	for name, order := range tokenOrders() {
		var got []providers.ID
		for _, token := range cut(t, tokens, order, 10, "").Items {
			got = append(got, token.ID)
		}
		if diff := cmp.Diff(got, ids); diff != "" {
			t.Errorf("%s: equal tokens do not follow by id (-got +want):\n%s", name, diff)
		}
	}
}

// A provider's date may be any that RFC 3339 can write.
func TestATokenThatIsDueInTheYear9999IsNotDueSoonest(t *testing.T) {
	tokens := []*Token{
		{Token: providers.Token{ID: tokenID("p", "far")}, DueAt: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
		{Token: providers.Token{ID: tokenID("p", "near")}, DueAt: noon},
	}
	if got := cut(t, tokens, TokensByDue(false), 1, "").Items[0].ID.Native; got != "near" {
		t.Errorf("the soonest due is %s, want near", got)
	}
}
