package catalog

import (
	"cmp"
	"context"
	"math"
	"time"

	"regtok/cache"
	"regtok/providers"
)

const (
	// mostShare of an allowance may be spent on sweeps, whatever is asked for.
	mostShare = 0.9
	// unknownGap is between two requests of a sweep where no allowance is known, and unknownPace what readers then
	// suppose to be: the slowest pace that we know of, so that a process that has asked nobody yet leaves the sweep to
	// whoever does it.
	unknownGap  = time.Second
	unknownPace = 3 * time.Second
	// spread is how much longer than at an even pace it may take until a list has its turn again, because others are more
	// urgent.
	spread = 2
)

// gap is the least time between two requests of an account's sweep, so that they are its share of the tightest of its
// allowances; !known: nothing is known of them.
func (s *sweep) gap(a *Account) (gap time.Duration, known bool) {
	for _, b := range budgets(a) {
		most := max(1, math.Floor(s.share*float64(b.Limit)))
		gap = max(gap, time.Duration(float64(cmp.Or(b.Window, time.Minute))/most))
	}
	return cmp.Or(gap, unknownGap), gap > 0
}

// budgets are the account's allowances that are known.
func budgets(a *Account) []providers.Budget {
	if a.Health == nil {
		return nil
	}
	var known []providers.Budget
	for _, b := range a.Health().Budgets {
		if b.Limit > 0 {
			known = append(known, b)
		}
	}
	return known
}

// interval is how long it may take until each of so many lists of an account was read, at a request each. It follows
// from what every replica knows, whether it sweeps or not.
func (s *sweep) interval(a *Account, lists int) time.Duration {
	gap, known := s.gap(a)
	if !known {
		gap = unknownPace
	}
	return min(max(s.every, spread*time.Duration(lists)*gap), staleFor)
}

// tolerated is a context whose reads of an account's lists leave it to the sweep to renew them, for as long as it should
// take and somewhat longer. When it is behind that, readers renew what they read, as ever.
func (c *Catalog) tolerated(ctx context.Context, a *Account, fresh time.Duration) context.Context {
	interval := c.sweep.interval(a, c.extent(ctx, a))
	if fresh >= organizationsFresh {
		interval = max(interval, organizationsFresh)
	}
	return cache.Tolerate(ctx, interval+interval/4+fresh)
}

// extent is how many lists an account has to sweep, as far as they are known.
func (c *Catalog) extent(ctx context.Context, a *Account) int {
	organizations, _ := c.views.organizations.Look(ctx, []*Account{a})
	keys := make([]at, len(organizations[0].Value))
	for i, o := range organizations[0].Value {
		keys[i] = at{a, o.ID}
	}
	lists := 1 + len(keys)
	registries, _ := c.views.registries.Look(ctx, keys)
	for _, entry := range registries {
		lists += len(entry.Value)
	}
	return lists
}

// affordable is how many of so many lists may be read now for one answer. It is all of them if the account's allowances
// have room for that, and then the answer is whole. If not it will not be: then what is read only helps the sweep along,
// and half of each allowance is left to others.
func affordable(a *Account, lists int) int {
	affords := lists
	for _, b := range budgets(a) {
		reserve := b.Limit / 10 // which the budget keeps for writes
		if lists > max(b.Remaining-reserve, reserve) {
			affords = min(affords, max(b.Remaining-b.Limit/2, 0))
		}
	}
	return affords
}
