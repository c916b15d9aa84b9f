package catalog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/expiry"
	"regtok/providers"
)

func TestAReadingTellsWhatATokensEndDependsOn(t *testing.T) {
	id := providers.OrganizationID("p", "o").RegistryID("r").TokenID("t")
	seen, due := time.Unix(1e9, 0), time.Unix(2e9, 0)
	for _, test := range []struct {
		name  string
		token Token
		want  expiry.Reading
	}{
		{
			"all is told",
			Token{
				Token:      providers.Token{ID: id, Name: "push", Enabled: true, CreatedBy: &providers.User{Name: "Ida", Email: "ida@x"}},
				ObservedAt: seen, DueAt: due, DueSource: DueByPolicy,
			},
			expiry.Reading{At: seen, Due: due, Source: expiry.ByPolicy, Subject: expiry.Subject{Token: id, Name: "push", RegistryName: "images", CreatedBy: "Ida"}},
		},
		{
			"disabled, by nobody, without an end",
			Token{Token: providers.Token{ID: id}, ObservedAt: seen},
			expiry.Reading{At: seen, Disabled: true, Subject: expiry.Subject{Token: id, RegistryName: "images"}},
		},
		{
			"its provider ends it",
			Token{Token: providers.Token{ID: id, Enabled: true}, ObservedAt: seen, DueAt: due, DueSource: DueByProvider},
			expiry.Reading{At: seen, Due: due, Source: expiry.ByProvider, Subject: expiry.Subject{Token: id, RegistryName: "images"}},
		},
	} {
		if diff := cmp.Diff(test.want, test.token.Reading("images")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
