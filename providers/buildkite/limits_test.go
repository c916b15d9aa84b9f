package buildkite

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// told makes both families of headers; an empty text leaves one out.
func told(remaining, limit, reset, userRemaining, userLimit, userReset string) http.Header {
	header := http.Header{"Ratelimit-Scope": {"rest"}, "Ratelimit-User-Scope": {"rest_user"}}
	for name, value := range map[string]string{
		"RateLimit-Remaining": remaining, "RateLimit-Limit": limit, "RateLimit-Reset": reset,
		"RateLimit-User-Remaining": userRemaining, "RateLimit-User-Limit": userLimit, "RateLimit-User-Reset": userReset,
	} {
		if value != "" {
			header.Set(name, value)
		}
	}
	return header
}

func TestBothAllowancesAreRead(t *testing.T) {
	organization := providers.Limit{Scope: "organization", Of: "acme", Limit: 200, Remaining: 195, Reset: 35 * time.Second}
	user := providers.Limit{Scope: "user", Limit: 50, Remaining: 49, Reset: 12 * time.Second}
	spent := providers.Limit{Scope: "user", Limit: 50, Reset: 42 * time.Second}
	spentByAll := providers.Limit{Scope: "organization", Of: "acme", Limit: 200, Reset: 3 * time.Second}
	both := told("195", "200", "35", "49", "50", "12")
	for what, test := range map[string]struct {
		status int
		header http.Header
		body   string
		want   []providers.Limit
	}{
		"an answer": {200, both, "", []providers.Limit{organization, user}},
		"an error": {
			404, both, `{"scope":"rest_user","limit":50,"reset":42}`,
			[]providers.Limit{organization, user},
		},
		"the organization's alone": {200, told("195", "200", "35", "", "", ""), "", []providers.Limit{organization}},
		"the user's alone":         {200, told("", "", "", "49", "50", "12"), "", []providers.Limit{user}},
		"nothing":                  {200, http.Header{}, "", nil},
		"half a family":            {200, told("195", "200", "", "49", "50", "12"), "", []providers.Limit{user}},
		"a number that is none":    {200, told("many", "200", "35", "49", "50", "12"), "", []providers.Limit{user}},
		"a negative number":        {200, told("-1", "200", "35", "49", "50", "12"), "", []providers.Limit{user}},
		"a number beyond all reason": {
			200, told("195", "200", "99999999999", "49", "50", "12"), "",
			[]providers.Limit{user},
		},
		"the largest number": {
			200, told("195", "200", "2147483647", "", "", ""), "",
			[]providers.Limit{{Scope: "organization", Of: "acme", Limit: 200, Remaining: 195, Reset: 2147483647 * time.Second}},
		},
		"a refusal of the user": {
			429, both, `{"message":"…","scope":"rest_user","limit":50,"current":55,"reset":42}`,
			[]providers.Limit{organization, spent},
		},
		"a refusal of all": {
			429, both, `{"scope":"rest","limit":200,"current":201,"reset":3}`,
			[]providers.Limit{spentByAll, user},
		},
		"a refusal without headers": {
			429, http.Header{}, `{"scope":"rest_user","limit":50,"current":55,"reset":42}`,
			[]providers.Limit{spent},
		},
		"a refusal without a body": {429, both, "", []providers.Limit{organization, user}},
		"a refusal cut in the middle": {
			429, both, `{"scope":"rest_user","limit":50,"cur`,
			[]providers.Limit{organization, user},
		},
		"a refusal of something else": {
			429, both, `{"scope":"graphql","limit":50,"current":55,"reset":42}`,
			[]providers.Limit{organization, user},
		},
		"a refusal without its reset": {
			429, both, `{"scope":"rest_user","limit":50,"current":55}`,
			[]providers.Limit{organization, user},
		},
		"a refusal with an odd reset": {
			429, both, `{"scope":"rest_user","limit":50,"reset":-42}`,
			[]providers.Limit{organization, user},
		},
		"a refusal of another address": {429, both, `<html>`, []providers.Limit{organization, user}},
	} {
		t.Run(what, func(t *testing.T) {
			got := limits(asked("/v2/packages/organizations/acme/registries"), test.status, test.header, []byte(test.body))
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("limits differ (-got +want):\n%s", diff)
			}
		})
	}
}

func asked(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

func TestAnOrganizationsAllowanceIsTheOneInThePath(t *testing.T) {
	for path, want := range map[string]string{
		"/v2/organizations":                                      "",
		"/v2/organizations?page=1&per_page=100":                  "",
		"/v2/organizations/":                                     "",
		"/v2/access-token":                                       "",
		"/v2/user":                                               "",
		"/v2/organizations/acme/members":                         "acme",
		"/v2/organizations/acme":                                 "acme",
		"/v2/packages/organizations/acme/registries":             "acme",
		"/v2/packages/organizations/acme/registries/v2/tokens/1": "acme",
		"/v2/packages/organizations/v2/registries":               "v2",
		"/v2/packages/organizations/organizations/registries":    "organizations",
		"/v2/packages/organizations/a%2Fb/registries":            "a/b",
		"/gate/v2/packages/organizations/acme/registries?page=2": "acme",
		"/v2/organisations/acme":                                 "",
		"/v3/organizations/acme":                                 "",
		"/v2/registries/organizations/acme":                      "",
	} {
		if got := limitedBy(asked(path)); got != want {
			t.Errorf("limitedBy(%s) = %q, want %q", path, got, want)
		}
	}
}

// Nobody knows whose allowance an answer tells of when its request named no organization.
func TestTheAllowanceOfAnUnnamedOrganizationCountsOnlyWhenItIsUsedUp(t *testing.T) {
	user := providers.Limit{Scope: "user", Limit: 50, Remaining: 49, Reset: 12 * time.Second}
	spent := providers.Limit{Scope: "organization", Limit: 200, Reset: 3 * time.Second}
	for what, test := range map[string]struct {
		status    int
		remaining string
		body      string
		want      []providers.Limit
	}{
		"something is left": {200, "195", "", []providers.Limit{user}},
		"nothing is left":   {200, "0", "", []providers.Limit{spent, user}},
		"a refusal":         {429, "0", `{"scope":"rest","limit":200,"current":201,"reset":3}`, []providers.Limit{spent, user}},
		"an odd refusal":    {429, "195", `{"scope":"rest","limit":200,"current":201,"reset":3}`, []providers.Limit{spent, user}},
	} {
		got := limits(asked("/v2/organizations"), test.status, told(test.remaining, "200", "3", "49", "50", "12"), []byte(test.body))
		if diff := cmp.Diff(got, test.want); diff != "" {
			t.Errorf("%s: limits differ (-got +want):\n%s", what, diff)
		}
	}
}
