package catalog

import (
	"cmp"
	"context"
	"slices"

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
	asked := c.within(ctx, accounts)
	if len(asked) < len(accounts) {
		return c.organizationsOfSome(ctx, accounts, asked)
	}
	if !c.leans(ctx) {
		return narrowed(ctx, agedLists(c.views.organizations.GetMany(ctx, accounts)))
	}
	return narrowed(ctx, agedLists(perAccount(accounts, func(a *Account) *Account { return a }, func(a *Account, _ []*Account) []cache.Entry[[]*Organization] {
		return c.views.organizations.GetMany(c.tolerated(ctx, a, organizationsFresh), []*Account{a})
	})))
}

// RegistryLists returns the registries of each organization, in the order of organizations.
func (c *Catalog) RegistryLists(ctx context.Context, organizations []providers.ID) []cache.Entry[[]*Registry] {
	if !c.leans(ctx) {
		return narrowed(ctx, agedLists(routed(ctx, c, organizations, c.views.registries.GetMany)))
	}
	return narrowed(ctx, agedLists(routed(ctx, c, organizations, func(ctx context.Context, keys []at) []cache.Entry[[]*Registry] {
		return perAccount(keys, at.of, func(a *Account, keys []at) []cache.Entry[[]*Registry] {
			return c.views.registries.GetMany(c.tolerated(ctx, a, registriesFresh), keys)
		})
	})))
}

// TokenLists returns the tokens of each registry, in the order of registries. Where a sweep keeps them fresh, those of
// several registries are answered from what it keeps.
func (c *Catalog) TokenLists(ctx context.Context, registries []providers.ID) []cache.Entry[[]*Token] {
	if len(registries) > 1 {
		ctx = leaning(ctx)
	}
	if !c.leans(ctx) {
		return agedLists(routed(ctx, c, registries, c.views.tokens.GetMany))
	}
	return agedLists(routed(ctx, c, registries, func(ctx context.Context, keys []at) []cache.Entry[[]*Token] {
		return perAccount(keys, at.of, func(a *Account, keys []at) []cache.Entry[[]*Token] {
			return c.inventory(ctx, a, keys)
		})
	}))
}

// UserLists returns the people of each organization, in the order of organizations.
func (c *Catalog) UserLists(ctx context.Context, organizations []providers.ID) []cache.Entry[[]*User] {
	return routed(ctx, c, organizations, c.views.users.GetMany)
}

// routed reads the list of each holder at the account that owns its organization.
func routed[V any](ctx context.Context, c *Catalog, of []providers.ID, read func(context.Context, []at) []cache.Entry[V]) []cache.Entry[V] {
	accounts, errs := c.owners(ctx, of)
	entries := make([]cache.Entry[V], len(of))
	keys, places := make([]at, 0, len(of)), make([]int, 0, len(of))
	for i, holder := range of {
		if errs[i] != nil {
			entries[i] = cache.Entry[V]{Err: errs[i]}
			continue
		}
		keys, places = append(keys, at{accounts[i], holder}), append(places, i)
	}
	for i, entry := range read(ctx, keys) {
		entries[places[i]] = entry
	}
	return entries
}

// RegistriesByID returns each registry, in the order of ids, with the fewest requests.
func (c *Catalog) RegistriesByID(ctx context.Context, ids []providers.ID) []cache.Entry[*Registry] {
	return agedEach(planned(ctx, c, plan[*Registry]{
		op: "get registry", list: c.views.registries, single: c.views.registry,
		id:    func(r *Registry) providers.ID { return r.ID },
		alone: func(list at, _ providers.ID) bool { return !list.account.Driver.RegistryFromList },
	}, ids, holders(ids, providers.ID.OfOrganization)))
}

// TokensByID returns each token, in the order of ids, with the fewest requests.
func (c *Catalog) TokensByID(ctx context.Context, ids []providers.ID) []cache.Entry[*Token] {
	return agedEach(planned(ctx, c, plan[*Token]{
		op: "get token", list: c.views.tokens, single: c.views.token,
		id:    func(t *Token) providers.ID { return t.ID },
		alone: func(at, providers.ID) bool { return true },
	}, ids, holders(ids, providers.ID.OfRegistry)))
}

// holders are what holds the lists that ids stand in.
func holders(ids []providers.ID, holder func(providers.ID) providers.ID) []providers.ID {
	list := make([]providers.ID, len(ids))
	for i, id := range ids {
		list[i] = holder(id)
	}
	return list
}

// OrganizationsByID returns each organization, in the order of ids, out of the lists of their providers' accounts.
func (c *Catalog) OrganizationsByID(ctx context.Context, lists Lists, ids []providers.ID) []cache.Entry[*Organization] {
	accounts := c.accountsFor(ctx, providersOf(ctx, ids))
	read := lists.OrganizationLists(ctx, accounts)
	entries, missing := pickOrganizations(ids, accounts, read)
	if missing {
		if renewed, old := c.renewed(ctx, accounts, read); old {
			entries, _ = pickOrganizations(ids, accounts, renewed)
		}
	}
	return entries
}

// providersOf are the providers of those ids that are within reach.
func providersOf(ctx context.Context, ids []providers.ID) []string {
	reach, names := ReachOf(ctx), make([]string, 0, len(ids))
	for _, id := range ids {
		if reach.Sees(id) {
			names = append(names, id.Provider)
		}
	}
	return names
}

// renewed reads those lists of organizations once more that are old, because an old list cannot tell that something is
// not there; old: there were some. What cannot be renewed keeps its organizations and has its failure as an error.
func (c *Catalog) renewed(ctx context.Context, accounts []*Account, lists []cache.Entry[[]*Organization]) (fresh []cache.Entry[[]*Organization], old bool) {
	fresh = slices.Clone(lists)
	for i, list := range lists {
		if list.StaleSince.IsZero() {
			continue
		}
		old = true
		fresh[i] = narrowed(ctx, []cache.Entry[[]*Organization]{aged(c.views.organizations.Get(cache.NoCache(ctx), accounts[i]))})[0]
		fresh[i].Err = cmp.Or(fresh[i].Err, fresh[i].Cause)
	}
	return fresh, old
}

// pickOrganizations finds organizations in the lists of accounts; missing: some are in none.
func pickOrganizations(ids []providers.ID, accounts []*Account, lists []cache.Entry[[]*Organization]) (entries []cache.Entry[*Organization], missing bool) {
	known := map[providers.ID]cache.Entry[*Organization]{}
	failed := map[string]error{}
	for i, list := range lists {
		if list.Err != nil {
			failed[accounts[i].Driver.Name] = list.Err
		}
		for _, o := range list.Value {
			if _, twice := known[o.ID]; !twice {
				known[o.ID] = cache.Entry[*Organization]{Value: o, ObservedAt: list.ObservedAt, StaleSince: list.StaleSince, Cause: list.Cause}
			}
		}
	}
	entries = make([]cache.Entry[*Organization], len(ids))
	for i, id := range ids {
		entry, ok := known[id]
		if !ok {
			missing = true
			entry.Err = cmp.Or[error](failed[id.Provider], providers.NotFoundError(id.Provider, "get organization"))
		}
		entries[i] = entry
	}
	return entries, missing
}
