package graph_test

import (
	"encoding/json"
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

// TestANestedListTellsThatItIsOld reads the tokens of one registry before and after its provider went away.
func TestANestedListTellsThatItIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const query = `{ registry(address: { native: { provider: "ionos", registry: "lindenhof-edge" } }) {
		  name observedAt tokens { nodes { name observedAt } unavailable { reason registryId organizationId staleSince } } } }`
		n := newMemory()
		w := newWorld(t, plan{network: n})
		w.ask(t, query, nil)
		w.fail(n, "ionos", faults()[2], everywhere)
		time.Sleep(31 * time.Second)
		w.ask(t, query, nil)
		synctest.Wait()
		a := w.ask(t, query, nil)
		var data struct {
			Registry struct {
				ObservedAt string
				Tokens     struct {
					Nodes       []struct{ Name, ObservedAt string }
					Unavailable []map[string]any
				}
			}
		}
		if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
			t.Fatal(err, a.Errors)
		}
		tokens := data.Registry.Tokens
		if len(tokens.Nodes) != 4 || tokens.Nodes[0].ObservedAt != "2000-01-01T00:00:00Z" {
			t.Errorf("the tokens are %+v, want the four seen at the start", tokens.Nodes)
		}
		want := []map[string]any{{
			"reason": "RATE_LIMITED", "organizationId": nil, "staleSince": "2000-01-01T00:00:30Z",
			"registryId": "AXIFaW9ub3MIMzI3NDAxNTgkZThiNGVmYjUtYTBjMi00MjM3LWFkNTYtOWYwODY1ODczMzRm",
		}}
		if diff := cmp.Diff(tokens.Unavailable, want); diff != "" {
			t.Errorf("unavailable (-got +want):\n%s", diff)
		}
	})
}
