package catalog

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
	"regtok/providers"
)

func TestWhatCanBeReadAtOnceIsReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := strict(t, 40)
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}, SweepShare: 0.4})
		if list := tokensOf(t, c, TokenFilter{}); len(list.Items) != 120 || len(list.Unavailable) != 0 {
			t.Errorf("it has %d tokens and lacks %+v, want 120 and nothing", len(list.Items), list.Unavailable)
		}
	})
}

func TestADoomedAnswerLeavesHalfOfTheAllowanceToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := strict(t, 120)
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}, SweepShare: 0.4})
		ctx, cancel := contextFor(t, 30*time.Second)
		defer cancel()
		for range 5 {
			began := time.Now()
			list := c.Tokens(ctx, c, TokenFilter{})
			if time.Since(began) > time.Second || len(list.Unavailable) != 1 || list.Unavailable[0].Reason != RateLimited {
				t.Fatalf("after %v it lacks %+v", time.Since(began), list.Unavailable)
			}
		}
		if sent := u.requests(); sent > 26 || sent < 20 {
			t.Errorf("five answers sent %d requests, want half of 50", sent)
		}
		// One registry is read all the same.
		registries := c.Registries(ctx, c, RegistryFilter{}).Items
		for _, r := range registries[100:110] {
			if entry := c.TokenLists(ctx, []providers.ID{r.ID})[0]; entry.Err != nil {
				t.Errorf("the tokens of one registry: %v", entry.Err)
			}
		}
	})
}

func TestWithoutASweepNothingLeansOnIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 3, 1)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}})
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Sweep(t.Context())
		}()
		<-done
		tokensOf(t, c, TokenFilter{})
		time.Sleep(tokensFresh)
		s.requests()
		tokensOf(t, c, TokenFilter{})
		synctest.Wait()
		expectRequests(t, s.requests(), map[string]int{"tokens": 3})
	})
}

func TestReadersOfOneRegistryDoNotLeanOnTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 3, 1)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, SweepShare: 0.4, SweepEvery: time.Hour})
		tokensOf(t, c, TokenFilter{})
		time.Sleep(2 * tokensFresh)
		s.requests()
		for name, read := range map[string]func(){
			"every registry": func() { tokensOf(t, c, TokenFilter{}) },
			"two registries": func() { c.TokenLists(t.Context(), []providers.ID{grid.r0, grid.r1}) },
		} {
			read()
			synctest.Wait()
			if sent := s.requests(); len(sent) > 0 {
				t.Errorf("%s: sent %v", name, sent)
			}
		}
		c.TokenLists(t.Context(), []providers.ID{grid.r0})
		tokensOf(t, c, TokenFilter{RegistryIDs: []providers.ID{grid.r1}})
		synctest.Wait()
		expectRequests(t, s.requests(), map[string]int{"tokens": 2})
	})
}

func TestWhatTheSweepIsBehindWithReadersRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 3, 1)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, SweepShare: 0.4})
		stop := sweeping(t, c)
		time.Sleep(10 * time.Minute)
		stop()
		s.requests()
		time.Sleep(30 * time.Second) // what is oldest is a minute and a half old by now
		tokensOf(t, c, TokenFilter{})
		synctest.Wait()
		expectRequests(t, s.requests(), map[string]int{})
		time.Sleep(2 * time.Minute)
		tokensOf(t, c, TokenFilter{})
		synctest.Wait()
		expectRequests(t, s.requests(), map[string]int{"tokens": 3, "registries": 1})
	})
}

func TestWhatAWriteEndedIsReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := strict(t, 120)
		a := u.account(t, "main")
		c := newCatalog(t, Options{Accounts: []*Account{a}, SweepShare: 0.4})
		sweeping(t, c)
		time.Sleep(8 * time.Minute)
		before := tokensOf(t, c, TokenFilter{})
		registry := before.Items[0].ID.OfRegistry()
		created := done(t)(c.CreateToken(t.Context(), CreateToken{Registry: registry, Name: "new"}))
		found := false
		after := tokensOf(t, c, TokenFilter{})
		for _, token := range after.Items {
			found = found || token.ID == created.Token.ID
		}
		if !found || len(after.Items) != len(before.Items)+1 || len(after.Unavailable) > 0 {
			t.Errorf("after a token was made, the list has %d of %d tokens and lacks %+v", len(after.Items), len(before.Items)+1, after.Unavailable)
		}
	})
}

// TestAReplicaThatAskedNobodyLeavesTheSweepToWhoeverDoesIt: it does not know yet what is allowed.
func TestAReplicaThatAskedNobodyLeavesTheSweepToWhoeverDoesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, u, o := cachetest.NewMemory(), strict(t, 120), newBureau()
		first := replica(t, m, Options{Accounts: []*Account{u.account(t, "main")}, Ledger: o.desk(), SweepShare: 0.4})
		sweeping(t, first)
		time.Sleep(10 * time.Minute)
		second := replica(t, m, Options{Accounts: []*Account{u.account(t, "main")}, Ledger: o.desk(), SweepShare: 0.4})
		stop := u.requests()
		list := tokensOf(t, second, TokenFilter{})
		synctest.Wait()
		if sent := u.requests(); stop == 0 || sent > 0 || len(list.Items) != 360 || len(list.Unavailable) > 0 {
			t.Errorf("it sends %d requests, has %d tokens and lacks %+v", sent, len(list.Items), list.Unavailable)
		}
	})
}

func TestAnInventoryThatIsBeingReadTellsSo(t *testing.T) {
	a := newGrid("p", 1, 1).account("a")
	for left, want := range map[time.Duration]string{
		0:                              "the inventory is being read: 48 of 120 registries so far, complete in less than a minute",
		59 * time.Second:               "the inventory is being read: 48 of 120 registries so far, complete in less than a minute",
		time.Minute:                    "the inventory is being read: 48 of 120 registries so far, complete in about 1 min",
		2*time.Minute + 30*time.Second: "the inventory is being read: 48 of 120 registries so far, complete in about 3 min",
	} {
		err := fillingOf(a, 48, 120, left)
		reason, message, after := Explain(err)
		if reason != RateLimited || message != want || after < time.Second || after < left || providers.KindOf(err) != providers.RateLimited {
			t.Errorf("%v before its end: %s, %q, %v", left, reason, message, after)
		}
	}
	if entries := []cache.Entry[int]{{}, {Err: errDown}}; unreadOf(entries) != nil || unread(errors.New("another")) {
		t.Error("another failure is taken for it")
	}
}

func TestTheAllowanceTellsWhatCanBeRead(t *testing.T) {
	for _, test := range []struct{ limit, remaining, lists, want int }{
		{50, 50, 45, 45}, {50, 50, 46, 25}, {50, 48, 120, 23}, {50, 25, 120, 0}, {50, 3, 5, 5}, {50, 3, 6, 0}, {50, 0, 1, 1},
		{200, 200, 120, 120}, {0, 0, 120, 120}, {3, 3, 3, 3}, {3, 3, 4, 2},
	} {
		a := &Account{Health: func() providers.Health {
			return providers.Health{Budgets: []providers.Budget{{Limit: 1000, Remaining: 1000}, {Limit: test.limit, Remaining: test.remaining}}}
		}}
		if got := affordable(a, test.lists); got != test.want {
			t.Errorf("of %d lists at %d of %d, it can read %d, want %d", test.lists, test.remaining, test.limit, got, test.want)
		}
	}
}

func TestThePaceFollowsFromTheTightestAllowance(t *testing.T) {
	budget := func(limit int, window time.Duration) providers.Budget {
		return providers.Budget{Limit: limit, Window: window}
	}
	for _, test := range []struct {
		share   float64
		budgets []providers.Budget
		want    time.Duration
	}{
		{0.4, []providers.Budget{budget(50, time.Minute)}, 3 * time.Second},
		{0.4, []providers.Budget{budget(200, time.Minute), budget(50, time.Minute)}, 3 * time.Second},
		{0.4, []providers.Budget{budget(50, 0)}, 3 * time.Second},
		{0.1, []providers.Budget{budget(50, time.Minute)}, 12 * time.Second},
		{0.4, []providers.Budget{budget(2, time.Minute)}, time.Minute},
		{5, []providers.Budget{budget(10, 9*time.Second)}, time.Second},
		{0.4, nil, unknownGap},
		{0.4, []providers.Budget{budget(0, time.Minute)}, unknownGap},
	} {
		a := &Account{Name: "a", Health: func() providers.Health { return providers.Health{Budgets: test.budgets} }}
		c := newCatalog(t, Options{SweepShare: test.share, Accounts: []*Account{a}})
		got, known := c.sweep.gap(a)
		if got != test.want || known != (test.want != unknownGap || test.share == 5) {
			t.Errorf("a share of %v of %v: a request every %v, want %v", test.share, test.budgets, got, test.want)
		}
	}
}
