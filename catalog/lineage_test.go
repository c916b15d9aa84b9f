package catalog

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/ledger"
	"regtok/providers"
)

func TestBothTokensOfARotationKnowEachOther(t *testing.T) {
	s, d := newWriter(1, 2), newDiary()
	c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
	old, other := oldToken, otherToken
	successor := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: old, Overlap: day})).Token.ID
	after, err := c.Successors(t.Context(), []providers.ID{other, old})
	if diff := cmp.Diff(after, []providers.ID{{}, successor}); diff != "" || err != nil {
		t.Errorf("successors differ, %v (-got +want):\n%s", err, diff)
	}
	earlier, err := c.Predecessors(t.Context(), []providers.ID{successor, other})
	if diff := cmp.Diff(earlier, []providers.ID{old, {}}); diff != "" || err != nil {
		t.Errorf("predecessors differ, %v (-got +want):\n%s", err, diff)
	}
	d.failing("", ledger.ErrUnavailable)
	_, errSuccessors := c.Successors(t.Context(), []providers.ID{old})
	_, errPredecessors := c.Predecessors(t.Context(), []providers.ID{old})
	for _, err := range []error{errSuccessors, errPredecessors} {
		e, ok := errors.AsType[*providers.Error](err)
		if !ok || e.Kind != providers.Unavailable || e.Message == "" || !errors.Is(err, ledger.ErrUnavailable) {
			t.Errorf("a ledger that is down answers %v, want UNAVAILABLE with a message", err)
		}
	}
}
