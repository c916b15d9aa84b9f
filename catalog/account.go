package catalog

import (
	"context"
	"slices"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// Account is one configured credential at one provider. Immutable and shared.
type Account struct {
	// Name is its name in the configuration, unique within the provider.
	Name string
	// Fingerprint tells two accounts of one name apart that have different settings, without telling any of these. It
	// is needed where a Store is shared by several processes; empty: the name does.
	Fingerprint string
	Driver      providers.Driver
	Provider    providers.Provider
	// Health tells how its last requests went. Nil: not watched.
	Health func() providers.Health
}

// ID is the account's address.
func (a *Account) ID() providers.ID { return providers.AccountID(a.Driver.Name, a.Name) }

// tenant is whose data this account's is, in the cache.
func (a *Account) tenant() string { return cache.Join(a.Driver.Name, a.Name, a.Fingerprint) }

// all are the accounts as they are now, in the order of the configuration.
func (c *Catalog) all() []*Account { return *c.accounts.Load() }

// Renew puts an account in the place of the one with its name, whose settings have changed. What was begun with the old one ends
// with it. With another fingerprint nothing that is cached of the old one is the new one's; with the same one all is. It is false
// when there is no account of that name. Do not renew from two goroutines at once.
func (c *Catalog) Renew(account *Account) bool {
	place := slices.IndexFunc(c.all(), func(a *Account) bool { return a.ID() == account.ID() })
	if place < 0 {
		return false
	}
	renewed := slices.Clone(c.all())
	renewed[place] = account
	c.accounts.Store(&renewed)
	c.sweep.replace(place, newSweeper(c, account))
	return true
}

// Accounts are those within reach, in the order of the configuration.
func (c *Catalog) Accounts(ctx context.Context) []*Account { return c.within(ctx, c.all()) }

// Drivers are the providers that this server can speak to, configured or not.
func (c *Catalog) Drivers() []providers.Driver { return c.drivers }

// Driver finds a provider by its name.
func (c *Catalog) Driver(name string) (providers.Driver, bool) {
	for _, d := range c.drivers {
		if d.Name == name {
			return d, true
		}
	}
	return providers.Driver{}, false
}

// TokenID is the address of a token by what its provider calls it, however that is written.
func (c *Catalog) TokenID(registry providers.ID, native string) providers.ID {
	if driver, ok := c.Driver(registry.Provider); ok && driver.Native != nil {
		native = driver.Native(native)
	}
	return registry.TokenID(native)
}

// CredentialExpiry tells when an account's own credential ends; zero when it never does or is not told.
func (c *Catalog) CredentialExpiry(ctx context.Context, a *Account) (time.Time, error) {
	if !ReachOf(ctx).Sees(a.ID()) {
		return time.Time{}, providers.NotFoundError(a.Driver.Name, "get credential")
	}
	entry := c.views.credential.Get(ctx, a)
	return entry.Value, entry.Err
}

// of are the accounts at a provider, whether they are within reach or not.
func (c *Catalog) of(provider string) []*Account {
	var found []*Account
	for _, a := range c.all() {
		if a.Driver.Name == provider {
			found = append(found, a)
		}
	}
	return found
}

// owners finds the account that speaks for each thing: the only one of its provider, else the first within reach that lists
// its organization. Accounts are asked at most once each. Whatever is to be read or written by its id comes this way, and what
// is out of reach is NotFound here, before anybody is asked.
func (c *Catalog) owners(ctx context.Context, things []providers.ID) ([]*Account, []error) {
	accounts, errs := make([]*Account, len(things)), make([]error, len(things))
	lookups := map[string]func(providers.ID) (*Account, error){}
	reach := ReachOf(ctx)
	for i, id := range things {
		if !reach.Sees(id) {
			errs[i] = providers.NotFoundError(id.Provider, "find account")
			continue
		}
		lookup, ok := lookups[id.Provider]
		if !ok {
			lookup = c.ownerLookup(ctx, id.Provider)
			lookups[id.Provider] = lookup
		}
		accounts[i], errs[i] = lookup(organizationOf(id))
	}
	return accounts, errs
}

// ownerLookup makes the function that finds the owner of an organization of one provider.
func (c *Catalog) ownerLookup(ctx context.Context, provider string) func(providers.ID) (*Account, error) {
	all := c.of(provider)
	candidates := c.within(ctx, all)
	if len(all) == 1 && len(candidates) == 1 { // where there are others, it may be theirs
		return func(providers.ID) (*Account, error) { return candidates[0], nil }
	}
	read := c.OrganizationLists(ctx, candidates)
	owner, failure := firstOwners(provider, candidates, read)
	return func(id providers.ID) (*Account, error) {
		if owner[id] == nil && read != nil {
			if renewed, old := c.renewed(ctx, candidates, read); old {
				owner, failure = firstOwners(provider, candidates, renewed)
			}
			read = nil // once is enough
		}
		if a := owner[id]; a != nil {
			return a, nil
		}
		return nil, failure
	}
}

// firstOwners are the first accounts that list each organization; failure is why another one has none.
func firstOwners(provider string, candidates []*Account, lists []cache.Entry[[]*Organization]) (owner map[providers.ID]*Account, failure error) {
	owner, failure = map[providers.ID]*Account{}, providers.NotFoundError(provider, "find account")
	for i, entry := range lists {
		if entry.Err != nil {
			failure = entry.Err
		}
		for _, o := range entry.Value {
			if owner[o.ID] == nil {
				owner[o.ID] = candidates[i]
			}
		}
	}
	return owner, failure
}
