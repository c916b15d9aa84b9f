package graph_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// TestEveryFaultBeforeTheFirstMutation fails what this server has to find out before it can write anything.
func TestEveryFaultBeforeTheFirstMutation(t *testing.T) {
	for _, m := range mutationsTried() {
		if m.name != "create" && m.name != "rotate at once" {
			continue // the others find out the same
		}
		for _, f := range writeFaults() {
			want := f.read
			if m.provider == "ionos" && f.name == "403" { // the contract, and its id is that of another then
				want.code = "NOT_FOUND"
			}
			t.Run(strings.Join([]string{m.provider, m.name, f.name}, "/"), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { m.failsAtFirst(t, f, want) })
			})
		}
	}
}

// failsAtFirst runs the mutation before anything is known, with the fault at what has to be found out.
func (m written) failsAtFirst(t *testing.T, f writeFault, want outcome) {
	on := newWrites(t, small()).warm(t, m.provider) // another world, with the same ids
	w := newWrites(t, small())
	behind := w.behind[m.provider]
	trouble := f.trouble
	trouble.step = looking
	behind.strike(&trouble)
	synctest.Wait()

	got := w.mutate(t, m.mutation, m.input(on))

	if got.code() != want.code {
		t.Errorf("told %+v, want %q", got.Errors, want.code)
	}
	if sent := behind.requests(creating) + behind.requests(deleting); want.code != "" && sent > 0 {
		t.Errorf("%d requests that change something, want none", sent)
	}
	for _, e := range got.Errors {
		expectAdvice(t, e)
	}
	behind.strike(nil)
	time.Sleep(f.leaveAlone + time.Minute)
	w.expectNoSecrets(t)
	if want.code == "NOT_FOUND" {
		return // a contract that cannot be read has another id for good
	}
	w.places(t, m.provider)
	w.expectAgreement(t, on.place, on.token.ID)
}

// TestAMutationTellsNobodyThatTheInputIsWrongWhenTheSettingsAre has a credential of several contracts, and no word of which
// one is meant.
func TestAMutationTellsNobodyThatTheInputIsWrongWhenTheSettingsAre(t *testing.T) {
	w := newWrites(t, plan{settings: marked()}) // a credential that does not tell its contract
	w.taps["ionos"].Spoil(func(rw http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.HasSuffix(r.URL.Path, "/contracts") {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"items":[{"properties":{"contractNumber":1}},{"properties":{"contractNumber":2}}]}`)
		return true
	})
	registry := providers.OrganizationID("ionos", "1").RegistryID("1e9f63b6-ff23-41ab-8f7e-57dd1008d6b5")
	for mutation, input := range map[string]map[string]any{
		"createToken": {"registryId": registry.String(), "name": "made"},
		"deleteToken": {"token": map[string]any{"id": registry.TokenID("1e9f63b6-ff23-41ab-8f7e-57dd1008d6b6").String()}},
	} {
		got := w.mutate(t, mutation, input)
		if got.code() != "FORBIDDEN" || !strings.Contains(got.Errors[0].Message, "whoever runs this server") {
			t.Errorf("%s told %+v, want FORBIDDEN, and whose matter it is", mutation, got.Errors)
		}
	}
	if logged := w.log.String(); strings.Count(logged, "belongs to several contracts") != 2 || !strings.Contains(logged, "contract_number") {
		t.Errorf("logged %s, want the cure twice", logged)
	}
}
