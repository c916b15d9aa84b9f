package budget

import (
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// share makes so many who share an account of that limit.
func share(t *testing.T, n, limit int, tells bool) *cast {
	c := assemble(t, 0)
	c.up.limit, c.up.tells, c.sent = limit, tells, make([]atomic.Int64, n)
	c.open(n)
	return c
}

// open makes so many more who share the account.
func (c *cast) open(n int) {
	config := Config{Key: "account"}
	if !c.up.tells {
		config.Start = []providers.Limit{{Scope: "contract", Limit: c.up.limit, Reset: c.up.length}}
	}
	for range n {
		l := &link{to: c.shared}
		config.Shared = l
		c.links, c.all = append(c.links, l), append(c.all, New(config))
	}
}

// during lets all send what they may, and returns how many requests were served meanwhile.
func (c *cast) during(d time.Duration) int {
	before := c.up.served
	for end := time.Now().Add(d); time.Now().Before(end); {
		wait := 2 * time.Second
		for who := range c.all {
			wait = min(wait, c.try(who, 0, 0))
		}
		time.Sleep(max(wait, time.Second/2))
	}
	return c.up.served - before
}

func TestWhenTheClockOfRedisIsSetRequestsGoOnAndNoneIsRefused(t *testing.T) {
	for _, at := range []struct {
		name    string
		settled time.Duration // from the start to the jump
		spent   bool          // the window is used up then
		restart bool          // and all are started again
	}{
		{"as Redis is met", 0, false, false},
		{"a little later", 10 * time.Second, false, false},
		{"a little later, and all are started again", 10 * time.Second, false, true},
		{"in a window that is used up", 10 * time.Second, true, false},
		{"long after, in a window that is used up", 3 * time.Hour, true, false},
	} {
		for _, by := range []time.Duration{-2 * time.Hour, -5 * time.Minute, 3 * time.Second, 2 * time.Hour} {
			if at.restart && by > 0 {
				continue // that nobody is left who could know
			}
			for _, tells := range []bool{true, false} {
				t.Run(at.name+" by "+by.String()+map[bool]string{true: ", told"}[tells], func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c := share(t, 2, 50, tells)
						c.try(0, 0, 0)
						c.try(1, 0, 0)
						time.Sleep(at.settled)
						if at.spent {
							c.during(20 * time.Second)
						}
						c.shared.set(by)
						if at.restart {
							for _, b := range c.all {
								b.Close()
							}
							c.all, c.links = nil, nil
							c.open(2)
						}
						for minute := range 3 {
							if got, want := c.during(time.Minute+time.Second), 35; got < want && minute > 0 {
								t.Errorf("%d of 50 requests went in minute %d, want %d", got, minute, want)
							}
						}
						if c.up.refused > 0 {
							t.Errorf("%d requests were refused", c.up.refused)
						}
					})
				})
			}
		}
	}
}

func TestAStateOfNoTimeThatCanBeStopsNobodyForLong(t *testing.T) {
	for name, strange := range map[string]moment{"far ahead": math.MaxInt64 - 1, "long ago": math.MinInt64 + 1} {
		t.Run(name, func(t *testing.T) {
			now := momentOf(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
			s := &state{
				manner: telling, verified: true, written: now, trusted: strange, gather: strange, paused: strange,
				windows: []window{{scope: "user", limit: 50, used: 50, asked: strange, from: strange, to: strange, length: math.MaxInt64}},
				sent:    []sent{{origin: 1, id: 1, taken: strange}, {origin: 1, id: 2, taken: now, until: strange}},
				assumed: []assumed{{cut: strange, grown: strange}},
				log:     []bucket{{at: strange, origin: 1, count: 100}},
				members: []member{{origin: 1, seen: strange, may: 40}},
			}
			s.bound(now)
			later := now.add(longestWait + goneAfter)
			if wait := s.take(later, question{Request: Request{Priority: providers.Writing}, origin: 2, id: 1}, rules{}); wait > 0 {
				t.Errorf("an hour later a request waits for %v", wait)
			}
			if len(s.members) > 0 {
				t.Errorf("members = %+v, want none that have not been seen", s.members)
			}
		})
	}
}

func TestWhoeverWaitsIsNotAwaitedForLongerBecauseAClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := share(t, 2, 50, true)
		c.during(20 * time.Second)
		for range 30 {
			if ticket, _ := c.all[0].Take(t.Context(), Request{Priority: providers.Writing}); ticket != nil {
				t.Fatal("a write went, want all used up")
			}
		}
		c.shared.set(-2 * time.Hour)
		time.Sleep(2 * time.Minute)
		c.try(0, 0, 0)
		c.try(1, 0, 0)
		for range 15 {
			ticket, wait := c.all[0].Take(t.Context(), Request{Priority: providers.Reading})
			if ticket == nil {
				t.Fatalf("a read waits for %v, for writes that are given up", wait)
			}
			ticket.Settle(c.up.count(Request{}, false))
		}
	})
}
