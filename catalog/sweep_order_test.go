package catalog

import (
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// log of when which registry's tokens were asked for.
type visits struct {
	mu    sync.Mutex
	times []time.Time
	of    map[providers.ID]int
}

// visited notes when the tokens of each registry are asked for. The hook decides what becomes of it.
func visited(s *source, hook func(op string, id providers.ID) error) *visits {
	v := &visits{of: map[providers.ID]int{}}
	s.behave(func(op string, id providers.ID) error {
		v.mu.Lock()
		v.times = append(v.times, time.Now())
		if op == "tokens" {
			v.of[id]++
		}
		v.mu.Unlock()
		if hook == nil {
			return nil
		}
		return hook(op, id)
	})
	return v
}

// during are the visits while a test waits.
func (v *visits) during(d time.Duration) (times []time.Time, of map[providers.ID]int) {
	v.mu.Lock()
	v.times, v.of = nil, map[providers.ID]int{}
	v.mu.Unlock()
	time.Sleep(d)
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.times, maps.Clone(v.of)
}

func TestASweepIsSpreadEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 28, 1)
		v := visited(s, nil)
		sweeping(t, newCatalog(t, Options{Accounts: []*Account{s.account("a")}, SweepShare: 0.4}))
		time.Sleep(5 * time.Minute)
		times, of := v.during(20 * time.Minute)
		const pace = 2 * time.Second // 28 registries, their list and the organizations in a minute
		for i, at := range times[1:] {
			if gap := at.Sub(times[i]); gap < pace*9/10 || gap > 2*pace {
				t.Fatalf("two requests are %v apart, want %v", gap, pace)
			}
		}
		if len(of) != 28 {
			t.Errorf("%d registries were read, want 28", len(of))
		}
		for id, n := range of {
			if n < 19 || n > 21 {
				t.Errorf("the tokens of %v were read %d times in 20 minutes", id, n)
			}
		}
	})
}

func TestWhatIsDueSoonIsReadSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 100, 1)
		soonest, sooner, never, past := grid.r0, grid.r1, grid.r0.OfOrganization().RegistryID("r2"), grid.r0.OfOrganization().RegistryID("r3")
		end := func(registry providers.ID, in time.Duration) { s.tokens[registry][0].ExpiresAt = time.Now().Add(in) }
		end(soonest, 50*time.Minute)
		end(sooner, 23*time.Hour)
		end(past, -time.Hour)
		v := visited(s, nil)
		sweeping(t, newCatalog(t, Options{Accounts: []*Account{s.account("a")}, SweepShare: 0.4}))
		time.Sleep(5 * time.Minute)
		_, of := v.during(40 * time.Minute)
		if few := of[never]; few < 20 || of[soonest] < 3*few || of[sooner] < 3*few/2 || of[sooner] > 3*few || of[past] > few+2 {
			t.Errorf("due within an hour: read %d times, within a day %d, never %d, long past %d", of[soonest], of[sooner], few, of[past])
		}
	})
}

func TestHoweverMuchIsUrgentTheRestHasHalfOfAllTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 100, 1)
		for id, list := range s.tokens {
			if id != grid.r0 {
				list[0].ExpiresAt = time.Now().Add(50 * time.Minute)
			}
		}
		v := visited(s, nil)
		sweeping(t, newCatalog(t, Options{Accounts: []*Account{s.account("a")}, SweepShare: 0.4}))
		time.Sleep(5 * time.Minute)
		if _, of := v.during(40 * time.Minute); of[grid.r0] < 40*60/(spread*102)-1 {
			t.Errorf("what is not urgent was read %d times", of[grid.r0])
		}
	})
}

func TestRegistriesThatComeAndGoAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, j := newGrid("p", 5, 1), &journal{}
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, SweepShare: 0.4, Log: j.log()})
		v := visited(s, func(op string, id providers.ID) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if _, there := s.tokens[id]; op == "tokens" && !there {
				return errGone
			}
			return nil
		})
		sweeping(t, c)
		time.Sleep(5 * time.Minute)
		o := grid.r0.OfOrganization()
		s.mu.Lock()
		gone := s.registries[o][1].ID
		s.registries[o] = append(s.registries[o][:1], s.registries[o][2:]...)
		delete(s.tokens, gone)
		s.mu.Unlock()
		time.Sleep(2 * time.Minute)
		if status := c.Swept()[0]; status.Registries != 4 || status.Read != 4 {
			t.Errorf("of 4 registries it knows %d and has read %d", status.Registries, status.Read)
		}
		s.mu.Lock()
		s.token(s.registry(o, "new"), "t")
		s.mu.Unlock()
		time.Sleep(2 * time.Minute)
		s.requests()
		list := tokensOf(t, c, TokenFilter{})
		if len(list.Items) != 5 || len(list.Unavailable) != 0 || len(s.requests()) != 0 {
			t.Errorf("the list has %d tokens and lacks %+v, want the new one's without a request", len(list.Items), list.Unavailable)
		}
		if _, of := v.during(10 * time.Minute); of[gone] > 0 || j.lines("level=WARN")+j.lines("level=ERROR") > 0 {
			t.Errorf("what is gone is asked for %d times; the log says %s", of[gone], j.text.String())
		}
	})
}

func TestAnAccountThatFailsHoldsUpNoOther(t *testing.T) {
	for name, fail := range map[string]func() error{
		"it is down":         func() error { return errDown },
		"it refuses":         func() error { return &providers.Error{Kind: providers.Unauthorized, Provider: "p"} },
		"its adapter panics": func() error { panic("a panic of the adapter's") },
		"its allowance is spent": func() error {
			return &providers.Error{Kind: providers.RateLimited, Provider: "p", RetryAfter: time.Minute}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bad, good, j := newGrid("p", 60, 1), newGrid("q", 60, 1), &journal{}
				var failing atomic.Bool
				v := visited(bad, func(string, providers.ID) error {
					if failing.Load() {
						return fail()
					}
					return nil
				})
				c := newCatalog(t, Options{Accounts: []*Account{bad.account("a"), good.account("b")}, SweepShare: 0.4, Log: j.log()})
				sweeping(t, c)
				time.Sleep(3 * time.Minute)
				failing.Store(true)
				good.requests()
				times, _ := v.during(10 * time.Minute)
				if len(times) > 30 {
					t.Errorf("%d requests in ten minutes that it failed", len(times))
				}
				if sent := good.requests()["tokens"]; sent < 9*60 {
					t.Errorf("meanwhile the other account's lists were read %d times", sent)
				}
				failing.Store(false)
				time.Sleep(2 * time.Minute)
				if _, of := v.during(3 * time.Minute); len(of) != 60 {
					t.Errorf("when it is mended, %d of its lists are read", len(of))
				}
				if panics := j.lines("a panic of the adapter's"); (panics > 0) != (name == "its adapter panics") || panics > 2 {
					t.Errorf("the log tells of %d panics", panics)
				}
				if held := j.lines("the sweep is held up"); (held == 1) != (name != "its allowance is spent") || held != j.lines("the sweep goes on") {
					t.Errorf("the log says %s", j.text.String())
				}
			})
		})
	}
}
