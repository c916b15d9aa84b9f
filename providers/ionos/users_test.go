package ionos

import (
	"net/http"
	"strings"
	"testing"

	"regtok/providers"
)

// TestACredentialThatOnlyTheCloudAPIRefusesMayNotSeePeople: registries and tokens go on, so it is no bad credential.
func TestACredentialThatOnlyTheCloudAPIRefusesMayNotSeePeople(t *testing.T) {
	for _, test := range []struct {
		name       string
		registries int
		want       providers.Kind
	}{
		{"by the Cloud API alone", http.StatusOK, providers.Forbidden},
		{"by both", http.StatusUnauthorized, providers.Unauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/um/") {
					write(w, http.StatusUnauthorized, `{"httpStatus":401,"messages":[]}`)
					return
				}
				write(w, test.registries, `{"items":[]}`)
			}}
			a := u.contracted(t)
			organization := providers.OrganizationID(name, number)
			if _, err := a.Users(t.Context(), organization, providers.PageRequest{}); providers.KindOf(err) != test.want {
				t.Errorf("Users: %v, want %s", err, test.want)
			}
			id := providers.UserID(name, "11111111-2222-4333-8444-555555555555")
			if _, err := a.User(t.Context(), organization, id); providers.KindOf(err) != test.want {
				t.Errorf("User: %v, want %s", err, test.want)
			}
		})
	}
}
