package catalog

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// shelves is a provider with two organizations: acme with the registries images and charts, globex with another images
// and with one that has no slug.
func shelves() *source {
	s := newSource("p")
	acme, globex := s.organization("acme"), s.organization("globex")
	for organization, registries := range map[providers.ID][]providers.Registry{
		acme: {
			{ID: acme.RegistryID("1"), Slug: "images", Name: "Images"},
			{ID: acme.RegistryID("2"), Slug: "charts", Name: "Helm Charts"},
		},
		globex: {
			{ID: globex.RegistryID("3"), Slug: "images", Name: "Images"},
			{ID: globex.RegistryID("4"), Name: "nameless"},
		},
	} {
		s.registries[organization] = registries
	}
	return s
}

func TestARegistryIsFoundByWhatItsProviderCallsIt(t *testing.T) {
	for name, test := range map[string]struct {
		native NativeRegistry
		want   string // its native id
	}{
		"its slug":                             {NativeRegistry{"p", "", "charts"}, "2"},
		"its native id":                        {NativeRegistry{"p", "", "3"}, "3"},
		"its name, where it has no slug":       {NativeRegistry{"p", "", "nameless"}, "4"},
		"its slug in an organization":          {NativeRegistry{"p", "globex", "images"}, "3"},
		"a slug that another organization has": {NativeRegistry{"p", "globex", "charts"}, ""},
		"its name, where it has a slug":        {NativeRegistry{"p", "", "Helm Charts"}, ""},
		"another case":                         {NativeRegistry{"p", "", "CHARTS"}, ""},
		"an organization that is nowhere":      {NativeRegistry{"p", "initech", "images"}, ""},
		"a name that is nowhere":               {NativeRegistry{"p", "acme", "x"}, ""},
		"nothing":                              {NativeRegistry{"p", "", ""}, ""},
		"a provider without an account":        {NativeRegistry{"q", "", "charts"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := shelves()
			c := newCatalog(t, Options{Accounts: []*Account{s.account("a"), s.account("b")}, Drivers: []providers.Driver{{Name: "q"}}})
			found, err := c.FindRegistry(t.Context(), c, test.native)
			switch {
			case test.want == "" && providers.KindOf(err) != providers.NotFound:
				t.Errorf("FindRegistry(%v) = %v, %v, want NOT_FOUND", test.native, found, err)
			case test.want != "" && (err != nil || found.ID.Native != test.want):
				t.Errorf("FindRegistry(%v) = %v, %v, want %s", test.native, found, err, test.want)
			}
			asked := s.requests()
			if asked["registry"] > 0 || asked["registries"] > 2 {
				t.Errorf("the requests are %v, want one list for each organization at most", asked)
			}
		})
	}
}

func TestANameThatSaysTooLittleIsInvalid(t *testing.T) {
	s := shelves()
	c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Drivers: []providers.Driver{{Name: "q"}}})
	for name, test := range map[string]struct {
		native NativeRegistry
		field  string
		says   []string
	}{
		"a provider that does not exist":  {NativeRegistry{"x", "", "images"}, "address.native.provider", []string{`"x"`, "q, p"}},
		"a registry in two organizations": {NativeRegistry{"p", "", "images"}, "address.native.organization", []string{`"images"`, "organization"}},
		"a name of a book's length": {
			NativeRegistry{strings.Repeat("ü", 5000), "", "images"}, "address.native.provider", []string{`ü…"`, "q, p"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.FindRegistry(t.Context(), c, test.native)
			expectInvalid(t, err, test.field)
			e, _ := errors.AsType[*providers.Error](err)
			for _, word := range test.says {
				if !strings.Contains(e.Message, word) || len(e.Message) > 300 || strings.ToValidUTF8(e.Message, "") != e.Message {
					t.Errorf("the message is %q, want it short and with %s", e.Message, word)
				}
			}
		})
	}
}

func TestWhatCannotBeReadMayHoldTheRegistry(t *testing.T) {
	globex := func(op string, id providers.ID) error {
		if op == "registries" && id.Native == "globex" {
			return errDown
		}
		return nil
	}
	for name, test := range map[string]struct {
		fail   func(op string, id providers.ID) error
		native NativeRegistry
		want   providers.Kind
	}{
		"the organizations":                       {only("organizations", errDown), NativeRegistry{"p", "", "charts"}, providers.Unavailable},
		"one organization, and it is not in one":  {globex, NativeRegistry{"p", "", "nameless"}, providers.Unavailable},
		"one organization, and it is in another":  {globex, NativeRegistry{"p", "", "charts"}, ""},
		"one organization, and another is named":  {globex, NativeRegistry{"p", "acme", "nameless"}, providers.NotFound},
		"an organization that is gone since then": {only("registries", errGone), NativeRegistry{"p", "", "charts"}, providers.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			s := shelves()
			s.behave(test.fail)
			c := over(t, s.account("a"))
			if _, err := c.FindRegistry(t.Context(), c, test.native); providers.KindOf(err) != test.want {
				t.Errorf("the error is %v, want the kind %q", err, test.want)
			}
		})
	}
}

func TestAnOldListIsNotBelievedThatARegistryIsNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shelves()
		c := over(t, s.account("a"))
		find := func() error {
			_, err := c.FindRegistry(t.Context(), c, NativeRegistry{"p", "acme", "new"})
			return err
		}
		if err := find(); providers.KindOf(err) != providers.NotFound {
			t.Errorf("before it is made: %v, want NOT_FOUND", err)
		}
		s.registry(providers.OrganizationID("p", "acme"), "new")
		time.Sleep(2 * registriesFresh)
		s.failing(errDown)
		if err := find(); providers.KindOf(err) != providers.Unavailable {
			t.Errorf("while the provider is down: %v, want UNAVAILABLE", err)
		}
		s.behave(nil)
		if err := find(); err != nil {
			t.Errorf("after it was made: %v", err)
		}
	})
}
