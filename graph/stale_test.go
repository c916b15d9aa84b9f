package graph_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/catalog"
)

// TestOldDataIsServedWhileAProviderIsDown reads everything, lets it grow old, and takes a provider away.
func TestOldDataIsServedWhileAProviderIsDown(t *testing.T) {
	for failing, other := range otherOf {
		t.Run(failing, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newMemory()
				w := newWorld(t, plan{network: n, policy: catalog.Policy{MaxAge: demoPolicy()}})
				began := time.Now()
				first := w.everything(t)

				w.fail(n, failing, faults()[0], everywhere)
				time.Sleep(2 * time.Minute) // older than registries and tokens stay fresh
				w.everything(t)             // starts the renewals, which fail
				synctest.Wait()
				time.Sleep(5 * time.Second)
				old := w.everything(t)
				expectOld(t, "registries", old.Registries, first.Registries, failing, began)
				expectOld(t, "tokens", old.Tokens, first.Tokens, failing, began)
				if got := old.Tokens.of(other); len(got) == 0 {
					t.Errorf("nothing of %s, which is up", other)
				}

				time.Sleep(3 * time.Hour) // too old to be served
				gone := w.everything(t)
				if got := gone.Tokens.of(failing); len(got) > 0 {
					t.Errorf("tokens of hours ago: %v", got)
				}
				for _, u := range gone.Tokens.Unavailable {
					if u.StaleSince != nil {
						t.Errorf("nothing is there of %+v", u)
					}
				}

				w.heal(n, failing)
				time.Sleep(time.Minute) // the breaker tries again
				back := w.everything(t)
				if len(back.Tokens.of(failing)) == 0 || len(back.Tokens.Unavailable) > 0 {
					t.Errorf("after the outage: %d tokens, unavailable %+v", len(back.Tokens.of(failing)), back.Tokens.Unavailable)
				}
			})
		})
	}
}

// expectOld expects the list as it was, and since when each of the provider's sources is old.
func expectOld(t *testing.T, list string, got, first part, failing string, began time.Time) {
	t.Helper()
	for provider := range otherOf {
		if list == "tokens" && provider != failing {
			continue // one of them has come to its end meanwhile
		}
		if diff := cmp.Diff(got.of(provider), first.of(provider)); diff != "" {
			t.Errorf("the %s of %s (-got +want):\n%s", list, provider, diff)
		}
	}
	if len(got.Unavailable) == 0 {
		t.Errorf("%s: nothing tells that they are old", list)
	}
	for _, u := range got.Unavailable {
		if u.Account.Provider.Slug != failing || u.StaleSince == nil || u.Reason != "UNREACHABLE" && u.Reason != "CIRCUIT_OPEN" {
			t.Fatalf("%s: unavailable is %+v, want %s, a reason, and since when", list, u, failing)
		}
		since, err := time.Parse(time.RFC3339, *u.StaleSince)
		if err != nil || since.Before(began) || since.After(began.Add(time.Minute)) {
			t.Errorf("%s: stale since %s, want within the minute after %s", list, *u.StaleSince, began)
		}
	}
}

// TestANestedListTellsThatItIsOld reads the lists of an organization and of a registry before and after their provider
// went away.
func TestANestedListTellsThatItIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const query = `{
		  organizations(first: 1, filter: { providers: ["ionos"] }) { edges { node {
		    registries { totalCount unavailable { ...why } }
		    members { totalCount unavailable { ...why } }
		    tokens(filter: { search: "edge" }) { totalCount unavailable { ...why } }
		  } } }
		  registry(address: { native: { provider: "ionos", registry: "lindenhof-edge" } }) {
		    tokens { totalCount unavailable { ...why } }
		  }
		}
		fragment why on Unavailable { reason staleSince registryId organizationId }`
		n := newMemory()
		w := newWorld(t, plan{network: n})
		fresh := w.ask(t, query, nil)
		if text := string(fresh.Data); len(fresh.Errors) > 0 || strings.Contains(text, "staleSince") {
			t.Errorf("the first answer is %s, %v, want nothing old", text, fresh.Errors)
		}
		w.fail(n, "ionos", faultNamed(t, "limits requests for an hour"), everywhere)
		time.Sleep(11 * time.Minute) // so long are people fresh
		w.ask(t, query, nil)
		synctest.Wait()
		a := w.ask(t, query, nil)
		const (
			organization = `"AW8FaW9ub3MIMzI3NDAxNTg"`
			registry     = `"AXIFaW9ub3MIMzI3NDAxNTgkZThiNGVmYjUtYTBjMi00MjM3LWFkNTYtOWYwODY1ODczMzRm"`
		)
		why := func(registry, organization string) string {
			return `{"reason":"RATE_LIMITED","staleSince":"2000-01-01T00:00:00Z","registryId":` + registry + `,"organizationId":` + organization + `}`
		}
		for _, want := range []string{
			`"registries":{"totalCount":6,"unavailable":[` + why("null", organization) + `]}`,
			`"members":{"totalCount":6,"unavailable":[` + why("null", organization) + `]}`,
			why(registry, "null") + `,` + why("null", organization) + `]}}}]}`, // of the organization's tokens
			`"registry":{"tokens":{"totalCount":4,"unavailable":[` + why(registry, "null") + `]}}`,
		} {
			if !strings.Contains(string(a.Data), want) {
				t.Errorf("the answer lacks %s:\n%s", want, pretty(t, a))
			}
		}
	})
}

// TestWhatIsOldSaysSoWhereverItIsShown looks at things by their ids, in lists and in each other before and after their
// provider went away: what is looked up by its id has no list that could tell.
func TestWhatIsOldSaysSoWhereverItIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const query = `query($token: ID!, $nodes: [ID!]!) {
		  token(address: { id: $token }) { ...of registry { ...of organization { ...of } } }
		  node(id: $token) { ...of }
		  nodes(ids: $nodes) { ...of }
		  registry(address: { native: { provider: "buildkite", registry: "gems" } }) { ...of tokens { nodes { ...of } } }
		  organizations(filter: { providers: ["buildkite"] }) { nodes { ...of } }
		}
		fragment of on Node {
		  id
		  ... on Token { observedAt staleSince }
		  ... on Registry { observedAt staleSince }
		  ... on Organization { observedAt staleSince }
		}`
		const organizations = 2 // that the account sees
		n := newMemory()
		w := newWorld(t, plan{network: n})
		const gems = `{ registry(address: { native: { provider: "buildkite", registry: "gems" } }) { tokens { nodes { id } } } }`
		var found struct {
			Registry struct {
				Tokens struct{ Nodes []struct{ ID string } }
			}
		}
		if err := json.Unmarshal(w.ask(t, gems, nil).Data, &found); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, token := range found.Registry.Tokens.Nodes {
			ids = append(ids, token.ID)
		}
		variables := map[string]any{"token": ids[0], "nodes": ids}
		ask := func() []sighting {
			t.Helper()
			a := w.ask(t, query, variables)
			if len(a.Errors) > 0 {
				t.Errorf("errors: %v", a.Errors)
			}
			return sightings(t, a.Data)
		}
		fresh := ask()
		if want := 3 + 1 + len(ids) + 1 + len(ids) + organizations; len(fresh) != want {
			t.Fatalf("%d things are shown, want %d", len(fresh), want)
		}
		for _, s := range fresh {
			if s.StaleSince != nil {
				t.Errorf("%s is fresh, and said to be old since %s", s.ID, *s.StaleSince)
			}
		}

		w.fail(n, "buildkite", faultNamed(t, "limits requests for an hour"), everywhere)
		time.Sleep(11 * time.Minute)
		ask() // starts the renewals, which fail
		synctest.Wait()
		for _, s := range ask() {
			if s.StaleSince == nil || *s.StaleSince != s.ObservedAt {
				t.Errorf("%s was observed at %s, is old and says so: %v", s.ID, s.ObservedAt, s.StaleSince)
			}
		}

		w.heal(n, "buildkite")
		time.Sleep(2 * time.Hour)
		for _, s := range ask() {
			if s.StaleSince != nil {
				t.Errorf("%s is fresh again, and said to be old since %s", s.ID, *s.StaleSince)
			}
		}
	})
}

// sighting is what an answer says of a thing's age.
type sighting struct {
	ID, ObservedAt string
	StaleSince     *string
}

// sightings are all in an answer, wherever they stand.
func sightings(t *testing.T, data []byte) (found []sighting) {
	t.Helper()
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if observed, ok := v["observedAt"].(string); ok {
				s := sighting{ID: v["id"].(string), ObservedAt: observed}
				if since, ok := v["staleSince"].(string); ok {
					s.StaleSince = &since
				}
				found = append(found, s)
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	var all any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	walk(all)
	return found
}
