package budget_test

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
	"regtok/providers/budget"
)

// told is an answer of a provider that has a limit of 50 for each user.
func told(remaining int, reset time.Duration) budget.Answer {
	return budget.Answer{Told: []providers.Limit{{Scope: "user", Limit: 50, Remaining: remaining, Reset: reset}}}
}

// take wants a ticket.
func take(t *testing.T, b *budget.Budget, r budget.Request) *budget.Ticket {
	t.Helper()
	ticket, wait := b.Take(t.Context(), r)
	if ticket == nil {
		t.Fatalf("%+v has to wait for %v", r, wait)
	}
	return ticket
}

// kept wants to wait.
func kept(t *testing.T, b *budget.Budget, r budget.Request) time.Duration {
	t.Helper()
	ticket, wait := b.Take(t.Context(), r)
	if ticket != nil {
		t.Fatalf("%+v may go", r)
	}
	return wait
}

var (
	write = budget.Request{Priority: providers.Writing}
	read  = budget.Request{Priority: providers.Reading}
	swept = budget.Request{Priority: providers.Sweeping}
)

func TestTheFirstRequestFindsOutWhatIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Config{})
		defer b.Close()
		first := take(t, b, read)
		if wait := kept(t, b, write); wait > 50*time.Millisecond {
			t.Errorf("the second waits for %v, want a moment", wait)
		}
		first.Settle(told(2, 30*time.Second))
		take(t, b, write)
		take(t, b, write)
		if got, want := kept(t, b, write), 31*time.Second; got != want {
			t.Errorf("the third waits for %v, want %v", got, want)
		}
		time.Sleep(31 * time.Second)
		take(t, b, write)
	})
}

func TestWhoGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Config{})
		defer b.Close()
		take(t, b, swept).Settle(told(49, time.Minute))
		for range 19 {
			take(t, b, swept)
		}
		kept(t, b, swept)
		for range 25 {
			take(t, b, read)
		}
		kept(t, b, read)
		for range 5 {
			take(t, b, write)
		}
		kept(t, b, write)
	})
}

func TestWhoHasOldDataLeavesTheSweepItsShareAndTheRestToThoseWhoHaveNothing(t *testing.T) {
	for term, covered := range map[uint64]int{0: 37, 7: 18} {
		synctest.Test(t, func(t *testing.T) {
			b := budget.New(budget.Config{})
			defer b.Close()
			sweep := budget.Request{Priority: providers.Sweeping, Term: term}
			renewal := budget.Request{Priority: providers.Reading, Covered: true}
			take(t, b, sweep).Settle(told(49, time.Minute))
			for range covered {
				take(t, b, renewal)
			}
			for range 30 { // none of them comes back, so nobody waits for that
				kept(t, b, renewal)
			}
			for range 37 - covered {
				take(t, b, sweep)
			}
			kept(t, b, sweep)
			for range 7 {
				take(t, b, read)
			}
			kept(t, b, read)
		})
	}
}

func TestNothingIsLeftForThoseWhoGiveUp(t *testing.T) {
	for _, of := range []struct {
		patience time.Duration
		want     int
	}{{time.Second, 11}, {time.Hour, 4}, {0, 4}} { // of the 16 that are left 5 are for writes, or one for each that comes back
		t.Run(of.patience.String(), func(t *testing.T) {
			b := budget.New(budget.Config{})
			defer b.Close()
			take(t, b, read).Settle(told(16, time.Minute))
			pending := []*budget.Ticket{}
			for range 16 {
				pending = append(pending, take(t, b, write))
			}
			for range 12 { // writes that have to wait
				kept(t, b, budget.Request{Priority: providers.Writing, Patience: of.patience})
			}
			for _, ticket := range pending {
				ticket.Return()
			}
			got := 0
			for ; got < 16; got++ {
				if ticket, _ := b.Take(t.Context(), read); ticket == nil {
					break
				}
			}
			if got != of.want {
				t.Errorf("%d reads went, want %d", got, of.want)
			}
		})
	}
}

func TestASweepWhoseTermIsOverNeverGoes(t *testing.T) {
	b := budget.New(budget.Config{})
	defer b.Close()
	take(t, b, budget.Request{Priority: providers.Sweeping, Term: 8}).Settle(told(49, time.Minute))
	if wait := kept(t, b, budget.Request{Priority: providers.Sweeping, Term: 7}); wait != budget.Never {
		t.Errorf("wait = %v, want Never", wait)
	}
}

func TestASilentProvidersStartIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.Config{Start: []providers.Limit{{Scope: "contract", Limit: 20, Reset: time.Minute}}})
		defer b.Close()
		for range 20 {
			take(t, b, write).Settle(budget.Answer{})
		}
		if wait := kept(t, b, write); wait < 59*time.Second || wait > 61*time.Second {
			t.Errorf("wait = %v, want about a minute", wait)
		}
		time.Sleep(61 * time.Second)
		take(t, b, write)
	})
}

func TestWhatIsToldOfAnAllowanceEndsInTheFuture(t *testing.T) {
	for name, config := range map[string]budget.Config{
		"the provider tells": {},
		"it is assumed":      {Start: []providers.Limit{{Scope: "contract", Limit: 50, Reset: time.Minute}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := budget.New(config)
			defer b.Close()
			check := func() {
				t.Helper()
				for _, allowance := range b.Snapshot() {
					if left := time.Until(allowance.ResetsAt); left <= 0 || left > time.Minute+time.Second {
						t.Errorf("%s: %+v resets in %v, want a moment of the next minute", name, allowance, left)
					}
				}
			}
			check()
			answer := budget.Answer{}
			if config.Start == nil {
				answer = told(20, 30*time.Second)
			}
			take(t, b, read).Settle(answer)
			if got := len(b.Snapshot()); got != 1 {
				t.Errorf("%s: %d allowances are known, want one", name, got)
			}
			for range 1000 {
				check()
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
}
