package graph_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type account struct {
	Provider      struct{ Slug string }
	Healthy       bool
	LastSuccessAt *string
	LastError     *string
	Budgets       []struct {
		Scope            string
		Limit, Remaining int
		ResetsAt         time.Time
	}
}

func (w *world) accounts(t *testing.T) map[string]account {
	t.Helper()
	a := w.ask(t, `{ accounts { provider { slug } healthy lastSuccessAt lastError budgets { scope limit remaining resetsAt } } }`, nil)
	var data struct{ Accounts []account }
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
		t.Fatal(err, a.Errors)
	}
	accounts := map[string]account{}
	for _, account := range data.Accounts {
		accounts[account.Provider.Slug] = account
	}
	return accounts
}

// TestAccountsTellHowTheirLastRequestsWent uses both accounts, lets one fail, and lets it recover.
func TestAccountsTellHowTheirLastRequestsWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newMemory()
		w := newWorld(t, plan{network: n})
		w.everything(t)
		used := w.accounts(t)
		for provider, got := range used {
			if !got.Healthy || got.LastError != nil || got.LastSuccessAt == nil || *got.LastSuccessAt != "2000-01-01T00:00:00Z" {
				t.Errorf("%s is %+v, want it healthy, with a success now", provider, got)
			}
		}
		if len(used["ionos"].Budgets) != 0 {
			t.Errorf("the budgets of ionos are %+v, want none: it does not tell", used["ionos"].Budgets)
		}
		spent := map[string]int{}
		for _, b := range used["buildkite"].Budgets {
			spent[b.Scope] = b.Limit - b.Remaining
			if b.ResetsAt.Before(time.Now()) {
				t.Errorf("the window of %+v is over", b)
			}
		}
		acme, globex := spent["organization acme-inc"], spent["organization globex"]
		requests := w.requests()["buildkite"]
		want := map[string]int{"user": requests, "organization acme-inc": requests - globex, "organization globex": requests - acme}
		if diff := cmp.Diff(spent, want); diff != "" || acme == 0 || globex == 0 {
			t.Errorf("what was spent of buildkite's budgets (-got +want):\n%s", diff)
		}

		time.Sleep(2 * time.Hour)
		w.fail(n, "ionos", faultNamed(t, "refuses the credential"), everywhere)
		w.everything(t)
		failing := w.accounts(t)
		if got := failing["ionos"]; got.Healthy || got.LastError == nil || *got.LastSuccessAt != "2000-01-01T00:00:00Z" {
			t.Errorf("ionos is %+v, want it ill, with a reason, and its success of two hours ago", got)
		}
		if got := failing["buildkite"]; !got.Healthy {
			t.Errorf("buildkite is %+v, want it healthy", got)
		}

		w.heal(n, "ionos")
		w.everything(t)
		if got := w.accounts(t)["ionos"]; !got.Healthy || got.LastError != nil || *got.LastSuccessAt != "2000-01-01T02:00:00Z" {
			t.Errorf("ionos is %+v, want it healthy again, two hours later", got)
		}
	})
}
