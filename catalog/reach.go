package catalog

import (
	"context"

	"regtok/cache"
	"regtok/providers"
)

// A caller may be narrowed to a part of what this server sees. What is cached, in flight and remembered is everybody's and
// whole; it is narrowed where it leaves: owners refuses ids, and lists of organizations and registries are cut by narrowed.
// All other lists are made of these, and all counts of lists.

type reachKey struct{}

// Within returns ctx for a caller who sees what is within reach and nothing else. A context that it was never called for is
// this server's own, and sees everything.
func Within(ctx context.Context, reach providers.Reach) context.Context {
	return context.WithValue(ctx, reachKey{}, reach)
}

// ReachOf is what the caller of ctx sees.
func ReachOf(ctx context.Context) providers.Reach {
	reach, _ := ctx.Value(reachKey{}).(providers.Reach)
	return reach
}

// OwnWork tells whether nobody said what the caller of ctx sees: it is no caller's.
func OwnWork(ctx context.Context) bool { return ctx.Value(reachKey{}) == nil }

// Reaches tells whether a thing is within reach, whether it is there or not. It is an error when that depends on which account
// sees its organization, and none can tell.
func (c *Catalog) Reaches(ctx context.Context, id providers.ID) (bool, error) {
	reach := ReachOf(ctx)
	if reach.Everywhere() {
		return true, nil
	}
	if !reach.Sees(id) {
		return false, nil
	}
	all := c.of(id.Provider)
	switch within := c.within(ctx, all); len(within) {
	case 0:
		return false, nil
	case len(all):
		return true, nil
	}
	_, errs := c.owners(ctx, []providers.ID{id})
	return errs[0] == nil, unlessGone(errs[0])
}

// mine tells whether a write is to something that its caller may know of.
func (c *Catalog) mine(ctx context.Context, w write) bool {
	reaches, err := c.Reaches(ctx, w.thing)
	return w.driver.Name != "" && reaches && err == nil
}

// within are those of the accounts that are within reach.
func (*Catalog) within(ctx context.Context, accounts []*Account) []*Account {
	reach := ReachOf(ctx)
	if reach.Everywhere() {
		return accounts
	}
	var seen []*Account
	for _, a := range accounts {
		if reach.Sees(a.ID()) {
			seen = append(seen, a)
		}
	}
	return seen
}

// organizationsOfSome are the organizations of accounts of which only some are within reach, in the order of all.
func (c *Catalog) organizationsOfSome(ctx context.Context, accounts, within []*Account) []cache.Entry[[]*Organization] {
	read := map[*Account]cache.Entry[[]*Organization]{}
	for i, entry := range c.OrganizationLists(ctx, within) {
		read[within[i]] = entry
	}
	entries := make([]cache.Entry[[]*Organization], len(accounts))
	for i, a := range accounts {
		entry, ok := read[a]
		if !ok {
			entry.Err = providers.NotFoundError(a.Driver.Name, "list organizations")
		}
		entries[i] = entry
	}
	return entries
}

// addressed is a thing that has an id.
type addressed interface{ address() providers.ID }

func (o *Organization) address() providers.ID { return o.ID }
func (r *Registry) address() providers.ID     { return r.ID }

// narrowed leaves in lists what is within reach. The cache's own lists stay as they are: they are everybody's.
func narrowed[T addressed](ctx context.Context, lists []cache.Entry[[]T]) []cache.Entry[[]T] {
	reach := ReachOf(ctx)
	if reach.Whole() {
		return lists
	}
	for i := range lists {
		var seen []T
		for _, thing := range lists[i].Value {
			if reach.Sees(thing.address()) {
				seen = append(seen, thing)
			}
		}
		lists[i].Value = seen
	}
	return lists
}
