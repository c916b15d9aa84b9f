package graph_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/ledger"
	"regtok/providers"
)

const rotations = `{ tokens(first: 40) { totalCount nodes { name rotatedFrom { name } rotatedTo { name } } } }`

// TestTokensThatWereNeverRotatedCostNothingMore asks all of them what became of them.
func TestTokensThatWereNeverRotatedCostNothingMore(t *testing.T) {
	w := newWorld(t, plan{})
	w.ask(t, `{ tokens(first: 40) { totalCount nodes { name } } }`, nil)
	w.requests()
	a := w.ask(t, rotations, nil)
	if len(a.Errors) > 0 || !strings.Contains(string(a.Data), `"totalCount":33`) {
		t.Errorf("answered %s, %v, want all 33", a.Data, a.Errors)
	}
	if diff := cmp.Diff(w.requests(), map[string]int{"buildkite": 0, "ionos": 0}); diff != "" {
		t.Errorf("requests (-got +want):\n%s", diff)
	}
}

// TestBothEndsOfARotationAreReadTogether asks a list that holds both.
func TestBothEndsOfARotationAreReadTogether(t *testing.T) {
	w := newWorld(t, plan{})
	w.ask(t, rotateQuery, patchOf(object{"overlap": "PT2H"}))
	a := w.ask(t, rotations, nil)
	for _, want := range []string{
		`{"name":"k8s-pull-fra","rotatedFrom":null,"rotatedTo":{"name":"k8s-pull-fra-2"}}`,
		`{"name":"k8s-pull-fra-2","rotatedFrom":{"name":"k8s-pull-fra"},"rotatedTo":null}`,
	} {
		if !strings.Contains(string(a.Data), want) {
			t.Errorf("the answer lacks %s:\n%s, %v", want, a.Data, a.Errors)
		}
	}
	w.ask(t, `mutation ($input: DeleteTokenInput!) { deleteToken(input: $input) { errors { code } } }`, patchOf(nil))
	a = w.ask(t, rotations, nil)
	if want := `{"name":"k8s-pull-fra-2","rotatedFrom":null,"rotatedTo":null}`; !strings.Contains(string(a.Data), want) || len(a.Errors) > 0 {
		t.Errorf("once the old one is gone the answer lacks %s:\n%s, %v", want, a.Data, a.Errors)
	}
}

// unreachable is a ledger that cannot be asked what it remembers of rotations.
type unreachable struct{ ledger.Ledger }

func (unreachable) Successors(context.Context, []providers.ID) ([]providers.ID, error) {
	return nil, ledger.ErrUnavailable
}

func (unreachable) Predecessors(context.Context, []providers.ID) ([]providers.ID, error) {
	return nil, ledger.ErrUnavailable
}

func TestALedgerThatCannotBeReachedCostsNoMoreThanItsFields(t *testing.T) {
	w := newWorld(t, plan{ledger: unreachable{ledger.NewMemory()}})
	a := w.ask(t, `query ($id: ID!) { token(address: { id: $id }) { name rotatedFrom { name } rotatedTo { name } } }`, object{"id": ionosToken})
	if want := `{"token":{"name":"k8s-pull-fra","rotatedFrom":null,"rotatedTo":null}}`; string(a.Data) != want {
		t.Errorf("answered %s, want %s", a.Data, want)
	}
	if len(a.Errors) != 2 {
		t.Fatalf("errors %v, want one for each of both fields", a.Errors)
	}
	for _, e := range a.Errors {
		if extensions, _ := e["extensions"].(object); extensions["code"] != "UNAVAILABLE" {
			t.Errorf("the error is %v, want UNAVAILABLE", e)
		}
		if message, _ := e["message"].(string); strings.Contains(message, "provider") || !strings.Contains(message, "this server") {
			t.Errorf("the message is %q, want it to blame this server and no provider", message)
		}
	}
}

// TestTheKeysOfTwoCallersNeverMeet: one ledger, two callers, one key for two different things.
func TestTheKeysOfTwoCallersNeverMeet(t *testing.T) {
	shared := ledger.NewMemory()
	for _, subject := range []string{"ada", "grace"} {
		w := newWorld(t, plan{ledger: shared, viewer: &auth.Viewer{Subject: subject, Permissions: auth.Local().Permissions}})
		a := w.ask(t, createQuery, createOf(object{"name": subject, "idempotencyKey": "build 1"}))
		if want := `{"createToken":{"token":{"name":"` + subject + `"},"errors":[]}}`; string(a.Data) != want {
			t.Errorf("%s was answered %s, %v, want %s", subject, a.Data, a.Errors, want)
		}
		a = w.ask(t, createQuery, createOf(object{"name": "another", "idempotencyKey": "build 1"}))
		if want := `{"createToken":{"token":null,"errors":[{"code":"CONFLICT","path":["idempotencyKey"]}]}}`; string(a.Data) != want {
			t.Errorf("%s, with another input, was answered %s, %v, want %s", subject, a.Data, a.Errors, want)
		}
	}
}
