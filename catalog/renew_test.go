package catalog

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestARenewedAccountShowsNothingOfTheOldOne: another credential may see something else.
func TestARenewedAccountShowsNothingOfTheOldOne(t *testing.T) {
	before, after := newGrid("p", 3, 1), newGrid("p", 5, 1)
	c := over(t, before.account("a"), newGrid("q", 1, 1).account("a"))
	registries := func() int {
		list := c.Registries(t.Context(), c, RegistryFilter{})
		if len(list.Unavailable) > 0 {
			t.Fatalf("%v", list.Unavailable)
		}
		return len(list.Items)
	}
	if got := registries(); got != 3+1 {
		t.Errorf("%d registries, want 4", got)
	}
	old := c.Accounts(t.Context())
	first, renewed := old[0], after.account("a")
	renewed.Fingerprint = "another"
	if !c.Renew(renewed) {
		t.Fatal("the account is not known")
	}
	if old[0] != first {
		t.Error("what is under way has another account now")
	}
	if got := registries(); got != 5+1 {
		t.Errorf("%d registries of the renewed account and another, want 6", got)
	}
	if got := c.Accounts(t.Context()); len(got) != 2 || got[0] != renewed {
		t.Errorf("the accounts are %v", got)
	}
	if c.Renew(after.account("b")) {
		t.Error("an account of another name was renewed")
	}
}

func TestTheSweepGoesOnWithTheRenewedAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := newGrid("p", 3, 1), newGrid("p", 5, 1)
		c := newCatalog(t, Options{Accounts: []*Account{before.account("a")}, SweepShare: 0.4, SweepEvery: time.Minute})
		stop := sweeping(t, c)
		time.Sleep(10 * time.Minute)
		if got := c.Swept()[0]; got.Read != 3 {
			t.Fatalf("before, it read %d of 3", got.Read)
		}
		renewed := after.account("a")
		renewed.Fingerprint = "another"
		c.Renew(renewed)
		synctest.Wait()
		asked := sum(before)
		time.Sleep(10 * time.Minute)
		if got := c.Swept()[0]; got.Read != 5 || got.Account != renewed {
			t.Errorf("it read %d of 5, of %p, want %p", got.Read, got.Account, renewed)
		}
		if got := sum(before); got != asked {
			t.Errorf("the old one was asked %d times more", got-asked)
		}
		stop()
	})
}

// sum is how often a provider was asked.
func sum(s *source) (total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.asked {
		total += times
	}
	return total
}
