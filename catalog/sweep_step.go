package catalog

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// longestHold is the longest pause while an account fails, or is refused.
const longestHold = time.Minute

// sweep reads one list after the other, until ctx ends or the office does. It begins where another process stopped: with
// what is kept.
func (s *sweeper) sweep(ctx context.Context, term uint64) {
	w := &walk{
		sweeper: s, round: newRound(s.account, s.c.sweep.every),
		ctx: cache.Reluctant(providers.WithCover(providers.WithTerm(providers.WithPriority(ctx, providers.Sweeping), term))),
	}
	w.survey()
	w.begin(term)
	for wait := time.Duration(0); paused(ctx, wait) && s.holds(); {
		wait = w.step()
		w.report(term)
	}
}

// walk is a sweep in one term of office.
type walk struct {
	*sweeper
	*round
	progress
	ctx      context.Context // of its requests
	failures int             // in a row
	surveyed time.Time       // all that is kept
}

// step reads the list whose turn it is, and returns how long to wait before the next one.
func (w *walk) step() time.Duration {
	gap, known := w.c.sweep.gap(w.account)
	began := time.Now()
	turn, wait, pace := w.next(began, gap)
	before := *turn
	w.look(turn)
	w.look(w.newest(turn))
	switch {
	case w.forgotten(began):
		return 0
	case turn.seen.After(before.seen), before.lost && !turn.lost: // somebody else has read it: it is another's turn
		return 0
	case wait > 0:
		return min(wait, longestHold)
	}
	var pages atomic.Int64
	err := w.read(context.WithValue(cache.NoCache(w.ctx), pagesKey{}, &pages), turn)
	requests := max(1, int(pages.Load()))
	w.requests += int(pages.Load())
	if err == nil {
		turn.requests, turn.wanted, turn.gone, turn.lost = requests, false, false, false
		w.succeeded()
		if known { // a window of a minute seems to end up to 2 s late: it is told in whole seconds, and answers take time
			pace += pace / 30
		}
		return time.Until(began.Add(pace * time.Duration(requests)))
	}
	if providers.KindOf(err) == providers.RateLimited {
		_, _, after := Explain(err)
		return min(max(after, gap), longestHold)
	}
	return w.failed(turn, err, gap)
}

// read reads a list anew.
func (w *walk) read(ctx context.Context, s *station) error {
	switch s.list.id.Kind {
	case providers.AccountKind:
		entry := w.c.views.organizations.Get(ctx, w.account)
		w.organizations(s, entry)
		return cmp.Or(entry.Err, entry.Cause)
	case providers.OrganizationKind:
		entry := w.c.views.registries.Get(ctx, s.list)
		w.registries(s, entry)
		return cmp.Or(entry.Err, entry.Cause)
	}
	entry := w.c.views.tokens.Get(ctx, s.list)
	w.tokens(s, entry)
	return cmp.Or(entry.Err, entry.Cause)
}

// organizations takes note of the account's organizations: those of an account that comes before it are left to that.
func (w *walk) organizations(s *station, entry cache.Entry[[]*Organization]) {
	if observed(s, entry) {
		theirs := w.c.listedBefore(w.ctx, w.account)
		var ids []providers.ID
		for _, o := range entry.Value {
			if !theirs[o.ID] {
				ids = append(ids, o.ID)
			}
		}
		w.keepOnly(w.account, ids, func(id providers.ID) bool { return id.Kind == providers.OrganizationKind })
		w.keepOnly(w.account, nil, func(id providers.ID) bool {
			return id.Kind == providers.RegistryKind && w.stations[id.OfOrganization()] == nil
		})
	}
}

// registries takes note of an organization's registries.
func (w *walk) registries(s *station, entry cache.Entry[[]*Registry]) {
	if observed(s, entry) {
		ids := make([]providers.ID, len(entry.Value))
		for i, r := range entry.Value {
			ids[i] = r.ID
		}
		gone := w.keepOnly(w.account, ids, func(id providers.ID) bool {
			return id.Kind == providers.RegistryKind && id.OfOrganization() == s.list.id
		})
		for _, registry := range gone {
			w.c.tellGone(registry, entry.ObservedAt)
		}
	}
}

// tokens takes note of a registry's tokens; news: they were not known.
func (w *walk) tokens(s *station, entry cache.Entry[[]*Token]) (news bool) {
	if !observed(s, entry) {
		return false
	}
	s.due = dueIn(entry.Value, time.Now())
	return true
}

// listedBefore are the organizations that an account of the same provider lists which comes before a, as far as is kept.
func (c *Catalog) listedBefore(ctx context.Context, a *Account) map[providers.ID]bool {
	sharing := c.of(a.Driver.Name)
	for i, other := range sharing {
		if other == a {
			sharing = sharing[:i]
			break
		}
	}
	listed := map[providers.ID]bool{}
	entries, _ := c.views.organizations.Look(ctx, sharing)
	for _, entry := range entries {
		for _, o := range entry.Value {
			listed[o.ID] = true
		}
	}
	return listed
}

// failed puts a list off that could not be read, and returns for how long the account is left alone: the longer, the
// more often it failed in a row.
func (w *walk) failed(s *station, err error, gap time.Duration) time.Duration {
	s.tried, s.wanted, s.gone, s.lost = time.Now(), false, false, false
	if providers.KindOf(err) == providers.NotFound && !s.seen.IsZero() {
		s.seen = time.Time{}
		if list := w.stations[s.list.id.OfOrganization()]; list != nil && s.list.id.Kind == providers.RegistryKind {
			list.wanted = true
		}
	}
	w.failures++
	w.complain(err)
	return min(gap<<min(w.failures-1, 16), max(gap, longestHold))
}

type pagesKey struct{}

// whole reads a list whole, and counts its pages for a sweep.
func whole[T any](ctx context.Context, id func(T) providers.ID, page func(context.Context, providers.PageRequest) (providers.Page[T], error)) ([]T, error) {
	pages, swept := ctx.Value(pagesKey{}).(*atomic.Int64)
	if !swept {
		return providers.All(ctx, id, page)
	}
	return providers.All(ctx, id, func(ctx context.Context, request providers.PageRequest) (providers.Page[T], error) {
		pages.Add(1)
		return page(ctx, request)
	})
}
