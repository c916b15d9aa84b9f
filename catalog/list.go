package catalog

import (
	"context"
	"slices"
	"sync"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// List is what could be read of a list that spans sources, and what could not.
type List[T any] struct {
	// Items are in no order.
	Items []T
	// Unavailable has an entry for each source that is missing, or that answered with old data.
	Unavailable []Unavailable
}

// Organizations are those of every account that pass the filter, each once.
func (c *Catalog) Organizations(ctx context.Context, lists Lists, filter OrganizationFilter) List[*Organization] {
	g := gathering[*Organization]{gaps: gaps{log: c.log}}
	seen := map[providers.ID]bool{}
	accounts := c.accountsFor(ctx, filter.Providers)
	for i, entry := range lists.OrganizationLists(ctx, accounts) {
		g.note(Unavailable{Account: accounts[i]}, entry.Err, heldSince(entry), entry.Cause)
		g.add(entry.Value, func(o *Organization) bool {
			twice := seen[o.ID]
			seen[o.ID] = true
			return !twice && filter.Match(o)
		})
	}
	return g.list()
}

// Registries are those of every organization that pass the filter, each once. Only what the filter leaves is asked.
func (c *Catalog) Registries(ctx context.Context, lists Lists, filter RegistryFilter) List[*Registry] {
	if filter.nothing() {
		return List[*Registry]{}
	}
	g := gathering[*Registry]{gaps: gaps{log: c.log}}
	c.eachAccount(ctx, lists, filter.Providers, filter.OrganizationIDs, &g.gaps, func(_ *Account, registries []*Registry) {
		g.add(registries, filter.Match)
	})
	return g.list()
}

// Tokens are those of every registry that pass the filter at this moment, each once. Only what the filter leaves is
// asked.
func (c *Catalog) Tokens(ctx context.Context, lists Lists, filter TokenFilter) List[*Token] {
	if filter.nothing() {
		return List[*Token]{}
	}
	g := gathering[*Token]{gaps: gaps{log: c.log}}
	filter.Providers = filter.providers()
	match := filter.Matcher(time.Now())
	if len(filter.RegistryIDs) != 1 {
		ctx = leaning(ctx)
	}
	read := func(account *Account, registries []providers.ID) {
		entries := lists.TokenLists(ctx, registries)
		g.expect(entries)
		g.note(Unavailable{Account: account}, unreadOf(entries), time.Time{}, nil)
		for i, entry := range entries {
			if unread(entry.Err) {
				continue
			}
			// A registry may have been deleted since it was listed.
			g.note(Unavailable{Account: account, Registry: registries[i]}, unlessGone(entry.Err), heldSince(entry), entry.Cause)
			g.add(entry.Value, match)
		}
	}
	if filter.RegistryIDs != nil {
		c.eachAccountOf(ctx, filter, &g.gaps, read)
		return g.list()
	}
	c.eachAccount(ctx, lists, filter.Providers, filter.OrganizationIDs, &g.gaps, func(account *Account, registries []*Registry) {
		ids := make([]providers.ID, len(registries))
		for i, r := range registries {
			ids[i] = r.ID
		}
		read(account, ids)
	})
	return g.list()
}

// accountsFor are the accounts within reach at the providers named; at all when none are named.
func (c *Catalog) accountsFor(ctx context.Context, names []string) []*Account {
	accounts := c.Accounts(ctx)
	if names == nil {
		return accounts
	}
	var found []*Account
	for _, a := range accounts {
		if slices.Contains(names, a.Driver.Name) {
			found = append(found, a)
		}
	}
	return found
}

// eachAccount calls read for each account, side by side, with the registries of its organizations: of those given, or
// else of all that it lists. An organization that two accounts list is read with the first.
func (c *Catalog) eachAccount(ctx context.Context, lists Lists, names []string, given []providers.ID, gaps *gaps,
	read func(*Account, []*Registry),
) {
	var wait sync.WaitGroup
	defer wait.Wait()
	registries := func(account *Account, organizations []providers.ID) {
		var found []*Registry
		for i, entry := range lists.RegistryLists(ctx, organizations) {
			err := entry.Err
			if given != nil { // by somebody who may not know; what an account lists itself is there
				err = unlessGone(err)
			}
			gaps.note(Unavailable{Account: account, Organization: organizations[i]}, err, heldSince(entry), entry.Cause)
			found = append(found, entry.Value...)
		}
		read(account, found)
	}
	if given != nil {
		wanted := slices.DeleteFunc(slices.Clone(given), func(id providers.ID) bool {
			return id.Kind != providers.OrganizationKind || !among(names, id.Provider)
		})
		for account, organizations := range c.byOwner(ctx, wanted, gaps) {
			wait.Go(func() { registries(account, organizations) })
		}
		return
	}
	for _, sharing := range byProvider(c.accountsFor(ctx, names)) {
		wait.Go(func() {
			for i, organizations := range c.organizationsOf(ctx, lists, sharing, gaps) {
				wait.Go(func() { registries(sharing[i], organizations) })
			}
		})
	}
}

// organizationsOf lists the organizations of accounts at one provider, each with the first account that has it.
func (c *Catalog) organizationsOf(ctx context.Context, lists Lists, accounts []*Account, gaps *gaps) [][]providers.ID {
	own := make([][]providers.ID, len(accounts))
	seen := map[providers.ID]bool{}
	for i, entry := range lists.OrganizationLists(ctx, accounts) {
		gaps.note(Unavailable{Account: accounts[i]}, entry.Err, heldSince(entry), entry.Cause)
		for _, o := range entry.Value {
			if !seen[o.ID] {
				seen[o.ID] = true
				own[i] = append(own[i], o.ID)
			}
		}
	}
	return own
}

// eachAccountOf calls read for each account, side by side, with those of the filter's registries that its other
// conditions leave.
func (c *Catalog) eachAccountOf(ctx context.Context, filter TokenFilter, gaps *gaps, read func(*Account, []providers.ID)) {
	var registries []providers.ID
	for _, id := range filter.RegistryIDs {
		if id.Kind == providers.RegistryKind &&
			among(filter.Providers, id.Provider) && among(filter.OrganizationIDs, id.OfOrganization()) {
			registries = append(registries, id)
		}
	}
	var wait sync.WaitGroup
	defer wait.Wait()
	for account, own := range c.byOwner(ctx, registries, gaps) {
		wait.Go(func() { read(account, own) })
	}
}

// byOwner sorts ids, each once, by the account that owns their organizations. What no account owns does not exist;
// what cannot be told is missing.
func (c *Catalog) byOwner(ctx context.Context, ids []providers.ID, gaps *gaps) map[*Account][]providers.ID {
	owned := map[*Account][]providers.ID{}
	accounts, errs := c.owners(ctx, ids)
	for i, id := range ids {
		switch {
		case errs[i] == nil:
			if !slices.Contains(owned[accounts[i]], id) {
				owned[accounts[i]] = append(owned[accounts[i]], id)
			}
		case unlessGone(errs[i]) != nil:
			gaps.note(Unavailable{Account: c.within(ctx, c.of(id.Provider))[0], Organization: organizationOf(id)}, errs[i], time.Time{}, nil)
		}
	}
	return owned
}

func byProvider(accounts []*Account) map[string][]*Account {
	groups := map[string][]*Account{}
	for _, a := range accounts {
		groups[a.Driver.Name] = append(groups[a.Driver.Name], a)
	}
	return groups
}

// gathering collects a List from several goroutines.
type gathering[T any] struct {
	gaps
	mu    sync.Mutex
	items []T
}

// expect makes room for what may pass, at once rather than bit by bit.
func (g *gathering[T]) expect(lists []cache.Entry[[]T]) {
	n := 0
	for _, list := range lists {
		n += len(list.Value)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.items = slices.Grow(g.items, n)
}

func (g *gathering[T]) add(items []T, match func(T) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, item := range items {
		if match(item) {
			g.items = append(g.items, item)
		}
	}
}

// list is what was gathered. No goroutine may gather any more.
func (g *gathering[T]) list() List[T] {
	return List[T]{Items: g.items, Unavailable: g.sorted()}
}
