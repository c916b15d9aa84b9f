package catalog

import (
	"context"
	"sync"

	"regtok/cache"
	"regtok/providers"
)

// Lists are whole lists as the cache has them. A Catalog is one; a loader that remembers a Catalog's answers for the
// length of one response is another.
type Lists interface {
	OrganizationLists(ctx context.Context, accounts []*Account) []cache.Entry[[]*Organization]
	RegistryLists(ctx context.Context, organizations []providers.ID) []cache.Entry[[]*Registry]
	TokenLists(ctx context.Context, registries []providers.ID) []cache.Entry[[]*Token]
}

var _ Lists = (*Catalog)(nil)

// OrganizationLists returns the organizations of each account, in the order of accounts.
func (c *Catalog) OrganizationLists(ctx context.Context, accounts []*Account) []cache.Entry[[]*Organization] {
	return c.views.organizations.GetMany(ctx, accounts)
}

// RegistryLists returns the registries of each organization, in the order of organizations.
func (c *Catalog) RegistryLists(ctx context.Context, organizations []providers.ID) []cache.Entry[[]*Registry] {
	return routed(ctx, c, c.views.registries, organizations, sameID)
}

// TokenLists returns the tokens of each registry, in the order of registries.
func (c *Catalog) TokenLists(ctx context.Context, registries []providers.ID) []cache.Entry[[]*Token] {
	return routed(ctx, c, c.views.tokens, registries, providers.ID.OfOrganization)
}

// UserLists returns the people of each organization, in the order of organizations.
func (c *Catalog) UserLists(ctx context.Context, organizations []providers.ID) []cache.Entry[[]*User] {
	return routed(ctx, c, c.views.users, organizations, sameID)
}

func sameID(id providers.ID) providers.ID { return id }

// routed reads each id at the account that owns its organization.
func routed[V any](ctx context.Context, c *Catalog, view *cache.View[at, V], ids []providers.ID,
	organization func(providers.ID) providers.ID,
) []cache.Entry[V] {
	organizations := make([]providers.ID, len(ids))
	for i, id := range ids {
		organizations[i] = organization(id)
	}
	accounts, errs := c.owners(ctx, organizations)
	entries := make([]cache.Entry[V], len(ids))
	keys, places := make([]at, 0, len(ids)), make([]int, 0, len(ids))
	for i, id := range ids {
		if errs[i] != nil {
			entries[i] = cache.Entry[V]{Err: errs[i]}
			continue
		}
		keys, places = append(keys, at{accounts[i], id}), append(places, i)
	}
	for i, entry := range view.GetMany(ctx, keys) {
		entries[places[i]] = entry
	}
	return entries
}

// RegistriesByID returns each registry, in the order of ids. No provider can give several by id, so from two of one
// organization on, the organization's list is read instead; also when it is in the cache anyway.
func (c *Catalog) RegistriesByID(ctx context.Context, ids []providers.ID) []cache.Entry[*Registry] {
	return planned(ctx, c, ids, plan[*Registry]{
		op: "get registry", list: c.views.registries, single: c.views.registry,
		parent:   providers.ID.OfOrganization,
		id:       func(r *Registry) providers.ID { return r.ID },
		listOnly: func(a *Account) bool { return a.Driver.RegistryFromList },
	})
}

// TokensByID returns each token, in the order of ids, planned as RegistriesByID.
func (c *Catalog) TokensByID(ctx context.Context, ids []providers.ID) []cache.Entry[*Token] {
	return planned(ctx, c, ids, plan[*Token]{
		op: "get token", list: c.views.tokens, single: c.views.token,
		parent:   providers.ID.OfRegistry,
		id:       func(t *Token) providers.ID { return t.ID },
		listOnly: func(*Account) bool { return false },
	})
}

// plan says how to read things of one kind by id.
type plan[V any] struct {
	op       string
	list     *cache.View[at, []V]
	single   *cache.View[at, V]
	parent   func(providers.ID) providers.ID
	id       func(V) providers.ID
	listOnly func(*Account) bool
}

// planned groups ids by the list that holds them and reads each group with one request.
func planned[V any](ctx context.Context, c *Catalog, ids []providers.ID, p plan[V]) []cache.Entry[V] {
	organizations := make([]providers.ID, len(ids))
	for i, id := range ids {
		organizations[i] = id.OfOrganization()
	}
	accounts, errs := c.owners(ctx, organizations)
	entries := make([]cache.Entry[V], len(ids))
	groups := map[at][]int{}
	for i, id := range ids {
		if errs[i] != nil {
			entries[i] = cache.Entry[V]{Err: errs[i]}
			continue
		}
		list := at{accounts[i], p.parent(id)}
		groups[list] = append(groups[list], i)
	}
	var wait sync.WaitGroup
	for list, places := range groups {
		wait.Go(func() { readGroup(ctx, list, ids, places, p, entries) })
	}
	wait.Wait()
	return entries
}

// readGroup reads the ids at places, all of one list, into entries.
func readGroup[V any](ctx context.Context, list at, ids []providers.ID, places []int, p plan[V], entries []cache.Entry[V]) {
	whole, cached := p.list.Peek(ctx, list)
	cached = cached && whole.StaleSince.IsZero()
	if !cached && (oneID(ids, places) && !p.listOnly(list.account)) {
		entry := p.single.Get(ctx, at{list.account, ids[places[0]]})
		for _, i := range places {
			entries[i] = entry
		}
		return
	}
	if !cached {
		whole = p.list.Get(ctx, list)
	}
	byID := make(map[providers.ID]V, len(whole.Value))
	for _, v := range whole.Value {
		byID[p.id(v)] = v
	}
	for _, i := range places {
		entry := cache.Entry[V]{Err: whole.Err, ObservedAt: whole.ObservedAt, StaleSince: whole.StaleSince, Cause: whole.Cause}
		if v, ok := byID[ids[i]]; ok {
			entry.Value = v
		} else if whole.Err == nil {
			entry.Err = providers.NotFoundError(list.id.Provider, p.op)
		}
		entries[i] = entry
	}
}

func oneID(ids []providers.ID, places []int) bool {
	for _, i := range places {
		if ids[i] != ids[places[0]] {
			return false
		}
	}
	return true
}

// OrganizationsByID returns each organization, in the order of ids, out of the lists of their providers' accounts.
func (c *Catalog) OrganizationsByID(ctx context.Context, lists Lists, ids []providers.ID) []cache.Entry[*Organization] {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.Provider
	}
	accounts := c.accountsFor(names)
	known := map[providers.ID]cache.Entry[*Organization]{}
	failed := map[string]error{}
	for i, list := range lists.OrganizationLists(ctx, accounts) {
		if list.Err != nil {
			failed[accounts[i].Driver.Name] = list.Err
		}
		for _, o := range list.Value {
			if _, twice := known[o.ID]; !twice {
				known[o.ID] = cache.Entry[*Organization]{Value: o, ObservedAt: list.ObservedAt, StaleSince: list.StaleSince, Cause: list.Cause}
			}
		}
	}
	entries := make([]cache.Entry[*Organization], len(ids))
	for i, id := range ids {
		entry, ok := known[id]
		switch {
		case ok:
		case failed[id.Provider] != nil:
			entry.Err = failed[id.Provider]
		default:
			entry.Err = providers.NotFoundError(id.Provider, "get organization")
		}
		entries[i] = entry
	}
	return entries
}
