package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"regtok/catalog"
	"regtok/providers"
)

// TestTheLogHearsOfAFailureOnceForEachResponse: one request may meet the same failure hundreds of times.
func TestTheLogHearsOfAFailureOnceForEachResponse(t *testing.T) {
	organization := providers.OrganizationID("ionos", "32740158")
	ids := make([]string, 50)
	for i := range ids {
		ids[i] = organization.RegistryID(fmt.Sprintf("registry-%d", i)).TokenID("token").String()
	}
	var query strings.Builder
	query.WriteString("query ($ids: [ID!]!) {")
	for i := range 10 {
		fmt.Fprintf(&query, " a%d: nodes(ids: $ids) { id }", i)
	}
	query.WriteString(" }")
	for name, test := range map[string]struct {
		fail func() error
		line string
	}{
		"a provider's": {func() error {
			return &providers.Error{Kind: providers.Unavailable, Provider: "ionos", Op: "get token", Status: 503}
		}, "a provider failed"},
		"a bug's": {func() error { panic("canary") }, "a resolver failed"},
		"an operator's": {func() error {
			return &providers.Error{Kind: providers.Invalid, Provider: "ionos", Op: "get token", Field: "base_url"}
		}, "an account's settings do not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, plan{cacheOff: true, change: func(a *catalog.Account) {
				if a.Driver.Name == "ionos" {
					a.Provider = saboteur{a.Provider, test.fail}
				}
			}})
			for nth := 1; nth <= 2; nth++ {
				if a := w.ask(t, query.String(), object{"ids": ids}); len(a.Errors) != 10 {
					t.Errorf("%d errors are told, want 10", len(a.Errors))
				}
				if got := strings.Count(w.log.String(), test.line); got != nth {
					t.Errorf("after %d requests the log tells of %d failures", nth, got)
				}
			}
		})
	}
}
