package catalog

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestAccountsAndDriversKeepTheirOrder(t *testing.T) {
	q, p := newSource("q"), newSource("p")
	c := newCatalog(t, Options{Accounts: []*Account{q.account("b"), p.account("c"), q.account("a")}})
	var accounts, drivers []string
	for _, a := range c.Accounts(t.Context()) {
		accounts = append(accounts, a.Driver.Name+" "+a.Name)
	}
	for _, d := range c.Drivers() {
		drivers = append(drivers, d.Name)
	}
	if diff := cmp.Diff([][]string{accounts, drivers}, [][]string{{"q b", "p c", "q a"}, {"q", "p"}}); diff != "" {
		t.Errorf("the order differs (-got +want):\n%s", diff)
	}
	if d, ok := c.Driver("p"); !ok || d.Name != "p" {
		t.Errorf("Driver(p) = %v, %v", d.Name, ok)
	}
	if _, ok := c.Driver("x"); ok {
		t.Error("there is a driver x")
	}
	if got, want := c.Accounts(t.Context())[1].ID(), providers.AccountID("p", "c"); got != want {
		t.Errorf("ID() = %v, want %v", got, want)
	}
}

func TestTheEndOfACredentialIsReadOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource("p")
		s.end = noon
		c := over(t, s.account("a"))
		a := c.Accounts(t.Context())[0]
		for range 2 {
			if end, err := c.CredentialExpiry(t.Context(), a); !end.Equal(noon) || err != nil {
				t.Errorf("CredentialExpiry = %v, %v, want %v", end, err, noon)
			}
		}
		expectRequests(t, s.requests(), map[string]int{"credential": 1})
		time.Sleep(credentialFresh + staleFor)
		s.failing(errForbidden)
		if _, err := c.CredentialExpiry(t.Context(), a); !errors.Is(err, errForbidden) {
			t.Errorf("the error is %v, want %v", err, errForbidden)
		}
	})
}

// One slow provider must not make the others slow.
func TestAReadOfOneAccountDoesNotWaitForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newGrid("p", 1, 1), newGrid("q", 200, 1)
		q.slow(time.Hour)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a"), q.account("b")}, LoadTimeout: time.Minute})
		go c.Tokens(t.Context(), c, TokenFilter{})
		synctest.Wait()
		began := time.Now()
		if list := tokensOf(t, c, TokenFilter{Providers: []string{"p"}}); len(list.Items) != 1 {
			t.Errorf("%d tokens, want 1", len(list.Items))
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the read waited %v, want no time", waited)
		}
	})
}
