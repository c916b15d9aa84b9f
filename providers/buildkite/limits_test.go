package buildkite

import (
	"net/http"
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
	organization := providers.Limit{Scope: "organization", Limit: 200, Remaining: 195, Reset: 35 * time.Second}
	user := providers.Limit{Scope: "user", Limit: 50, Remaining: 49, Reset: 12 * time.Second}
	spent := providers.Limit{Scope: "user", Limit: 50, Reset: 42 * time.Second}
	spentByAll := providers.Limit{Scope: "organization", Limit: 200, Reset: 3 * time.Second}
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
			[]providers.Limit{{Scope: "organization", Limit: 200, Remaining: 195, Reset: 2147483647 * time.Second}},
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
			if diff := cmp.Diff(limits(test.status, test.header, []byte(test.body)), test.want); diff != "" {
				t.Errorf("limits differ (-got +want):\n%s", diff)
			}
		})
	}
}
