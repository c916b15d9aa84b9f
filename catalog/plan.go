package catalog

import (
	"context"
	"slices"
	"sync"

	"regtok/cache"
	"regtok/providers"
)

// plan says how to read things of one kind by id. No provider gives several by id, so the list is the batch: what is
// in a list at hand comes from there, one thing alone is read alone, and two of one list are read with that list.
type plan[V any] struct {
	op     string
	list   *cache.View[at, []V]
	single *cache.View[within, V]
	id     func(V) providers.ID
	// held: the id does not tell where the thing is, only what holds it does.
	held bool
	// alone tells whether one thing is worth a request of its own, rather than its whole list.
	alone func(list at, id providers.ID) bool
}

// planned reads things by their ids and by what holds their lists, in that order.
func planned[V any](ctx context.Context, c *Catalog, p plan[V], ids, holders []providers.ID) []cache.Entry[V] {
	things := ids
	if p.held {
		things = holders
	}
	accounts, errs := c.owners(ctx, things)
	entries := make([]cache.Entry[V], len(ids))
	groups := map[at][]int{}
	for i := range ids {
		if errs[i] != nil {
			entries[i] = cache.Entry[V]{Err: errs[i]}
			continue
		}
		list := at{accounts[i], holders[i]}
		groups[list] = append(groups[list], i)
	}
	var wait sync.WaitGroup
	for list, places := range groups {
		wait.Go(func() { p.read(ctx, list, ids, places, entries) })
	}
	wait.Wait()
	return entries
}

// read reads the ids at places, all of one list, into entries.
func (p plan[V]) read(ctx context.Context, list at, ids []providers.ID, places []int, entries []cache.Entry[V]) {
	whole, kept := p.list.Peek(ctx, list)
	fresh := kept && whole.StaleSince.IsZero()
	if !fresh || whole.Err != nil {
		places = p.withoutFresh(ctx, list, ids, places, entries)
	}
	if len(places) == 0 {
		return
	}
	first := ids[places[0]]
	others := slices.ContainsFunc(places, func(i int) bool { return ids[i] != first })
	if !fresh && !others && p.alone(list, first) {
		entry := p.readAlone(ctx, list, first, whole)
		for _, i := range places {
			entries[i] = entry
		}
		return
	}
	if !fresh {
		whole = p.readList(ctx, list, whole, ids, places)
	}
	find := p.finder(whole.Value, len(places))
	for _, i := range places {
		entries[i] = p.pick(whole, find, ids[i])
	}
}

// atHand returns what is known of one thing without a request.
func (p plan[V]) atHand(ctx context.Context, list at, id providers.ID) (cache.Entry[V], bool) {
	if whole, kept := p.list.Peek(ctx, list); kept && whole.StaleSince.IsZero() {
		if v, ok := p.finder(whole.Value, 1)(id); ok {
			return cache.Entry[V]{Value: v, ObservedAt: whole.ObservedAt}, true
		}
	}
	entry, kept := p.single.Peek(ctx, within{list, id})
	return entry, kept && entry.StaleSince.IsZero() && entry.Err == nil
}

// withoutFresh answers what was read alone a moment ago, and returns the places that are left.
func (p plan[V]) withoutFresh(ctx context.Context, list at, ids []providers.ID, places []int, entries []cache.Entry[V]) []int {
	keys := make([]within, len(places))
	for n, i := range places {
		keys[n] = within{list, ids[i]}
	}
	found, kept := p.single.PeekMany(ctx, keys)
	var left []int
	for n, i := range places {
		if !kept[n] || !found[n].StaleSince.IsZero() {
			left = append(left, i)
			continue
		}
		entries[i] = found[n]
	}
	return left
}

// readAlone reads one thing. Where that fails, what an old list has of it stands in.
func (p plan[V]) readAlone(ctx context.Context, list at, id providers.ID, old cache.Entry[[]V]) cache.Entry[V] {
	entry := p.single.Get(ctx, within{list, id})
	if entry.Err == nil || !coverable(entry.Err) {
		return entry
	}
	v, ok := p.finder(old.Value, 1)(id)
	if !ok {
		return entry
	}
	return cache.Entry[V]{Value: v, ObservedAt: old.ObservedAt, StaleSince: old.StaleSince, Cause: entry.Err}
}

// readList reads the list. An old one does only when it has all that is wanted: it tells what there was, never that
// something is gone.
func (p plan[V]) readList(ctx context.Context, list at, kept cache.Entry[[]V], ids []providers.ID, places []int) cache.Entry[[]V] {
	lacks := func(whole cache.Entry[[]V]) bool {
		if whole.StaleSince.IsZero() {
			return false
		}
		find := p.finder(whole.Value, len(places))
		return slices.ContainsFunc(places, func(i int) bool {
			_, ok := find(ids[i])
			return !ok
		})
	}
	if !lacks(kept) {
		if whole := p.list.Get(ctx, list); !lacks(whole) {
			return whole
		}
	}
	return p.list.Get(cache.NoCache(ctx), list)
}

// pick takes one thing out of its list.
func (p plan[V]) pick(whole cache.Entry[[]V], find func(providers.ID) (V, bool), id providers.ID) cache.Entry[V] {
	if whole.Err != nil {
		return cache.Entry[V]{Err: whole.Err, ObservedAt: whole.ObservedAt}
	}
	v, ok := find(id)
	switch {
	case ok:
		return cache.Entry[V]{Value: v, ObservedAt: whole.ObservedAt, StaleSince: whole.StaleSince, Cause: whole.Cause}
	case whole.Cause != nil: // an old list, and no new one to be had
		return cache.Entry[V]{Err: whole.Cause}
	}
	return cache.Entry[V]{Err: providers.NotFoundError(id.Provider, p.op), ObservedAt: whole.ObservedAt}
}

// finder makes the function that looks up so many things of a list.
func (p plan[V]) finder(list []V, n int) func(providers.ID) (V, bool) {
	if n == 1 {
		return func(id providers.ID) (v V, ok bool) {
			i := slices.IndexFunc(list, func(v V) bool { return p.id(v) == id })
			if i < 0 {
				return v, false
			}
			return list[i], true
		}
	}
	byID := make(map[providers.ID]V, len(list))
	for _, v := range list {
		byID[p.id(v)] = v
	}
	return func(id providers.ID) (V, bool) {
		v, ok := byID[id]
		return v, ok
	}
}

// organizationOf is the organization that a thing is, or belongs to.
func organizationOf(thing providers.ID) providers.ID {
	if thing.Kind == providers.OrganizationKind {
		return thing
	}
	return thing.OfOrganization()
}
