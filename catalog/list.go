package catalog

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// List is what could be read of a list that spans sources, and what could not.
type List[T any] struct {
	Items []T
	// Unavailable has an entry for each source that is missing, or that answered with old data.
	Unavailable []Unavailable
}

// Unavailable is a source that is missing from a list, or that answers with old data.
type Unavailable struct {
	Account *Account
	// Organization or Registry is set when only that one is missing.
	Organization, Registry providers.ID
	Reason                 UnavailableReason
	// Message is for people and holds no upstream text.
	Message    string
	RetryAfter time.Duration // 0: not known
	StaleSince time.Time     // zero: nothing of this source is in the list
}

// UnavailableReason says why a source is missing.
type UnavailableReason string

// The reasons why a source is missing.
const (
	Unreachable     UnavailableReason = "UNREACHABLE"
	TimedOut        UnavailableReason = "TIMEOUT"
	RateLimited     UnavailableReason = "RATE_LIMITED"
	Unauthorized    UnavailableReason = "UNAUTHORIZED"
	Forbidden       UnavailableReason = "FORBIDDEN"
	CircuitOpen     UnavailableReason = "CIRCUIT_OPEN"
	InvalidResponse UnavailableReason = "INVALID_RESPONSE"
)

// Organizations are those of every account that pass the filter, each once.
func (c *Catalog) Organizations(ctx context.Context, lists Lists, filter OrganizationFilter) List[*Organization] {
	var g gathering[*Organization]
	accounts := c.accountsFor(filter.Providers)
	for i, entry := range lists.OrganizationLists(ctx, accounts) {
		g.note(Unavailable{Account: accounts[i]}, entry.Err, entry.StaleSince, entry.Cause)
		g.add(entry.Value, filter.Match)
	}
	return g.list(func(o *Organization) providers.ID { return o.ID })
}

// Registries are those of every organization that pass the filter, each once. Only what the filter leaves is asked.
func (c *Catalog) Registries(ctx context.Context, lists Lists, filter RegistryFilter) List[*Registry] {
	var g gathering[*Registry]
	c.eachOrganization(ctx, lists, filter.Providers, filter.OrganizationIDs, g.missing,
		func(account *Account, organizations []providers.ID) {
			for i, entry := range lists.RegistryLists(ctx, organizations) {
				g.note(Unavailable{Account: account, Organization: organizations[i]}, entry.Err, entry.StaleSince, entry.Cause)
				g.add(entry.Value, filter.Match)
			}
		})
	return g.list(func(r *Registry) providers.ID { return r.ID })
}

// Tokens are those of every registry that pass the filter at this moment, each once. Only what the filter leaves is
// asked.
func (c *Catalog) Tokens(ctx context.Context, lists Lists, filter TokenFilter) List[*Token] {
	var g gathering[*Token]
	match := filter.Matcher(time.Now())
	read := func(account *Account, registries []providers.ID) {
		for i, entry := range lists.TokenLists(ctx, registries) {
			g.note(Unavailable{Account: account, Registry: registries[i]}, entry.Err, entry.StaleSince, entry.Cause)
			g.add(entry.Value, match)
		}
	}
	if filter.RegistryIDs != nil {
		c.eachRegistryOf(ctx, filter, g.missing, read)
	} else {
		c.eachOrganization(ctx, lists, filter.Providers, filter.OrganizationIDs, g.missing,
			func(account *Account, organizations []providers.ID) {
				var registries []providers.ID
				for i, entry := range lists.RegistryLists(ctx, organizations) {
					g.note(Unavailable{Account: account, Organization: organizations[i]}, entry.Err, entry.StaleSince, entry.Cause)
					for _, r := range entry.Value {
						registries = append(registries, r.ID)
					}
				}
				read(account, registries)
			})
	}
	return g.list(func(t *Token) providers.ID { return t.ID })
}

// accountsFor are the accounts at the providers named; at all when none are named.
func (c *Catalog) accountsFor(names []string) []*Account {
	if names == nil {
		return c.accounts
	}
	var found []*Account
	for _, a := range c.accounts {
		if slices.Contains(names, a.Driver.Name) {
			found = append(found, a)
		}
	}
	return found
}

// eachOrganization calls read for each account, side by side, with its organizations: those given, or else all that it
// lists. An organization that two accounts list is read with the first.
func (c *Catalog) eachOrganization(ctx context.Context, lists Lists, names []string, given []providers.ID,
	missing func(Unavailable, error), read func(*Account, []providers.ID),
) {
	var wait sync.WaitGroup
	defer wait.Wait()
	if given != nil {
		wanted := slices.DeleteFunc(slices.Clone(given), func(id providers.ID) bool {
			return id.Kind != providers.OrganizationKind || names != nil && !slices.Contains(names, id.Provider)
		})
		for account, organizations := range c.byOwner(ctx, wanted, wanted, missing) {
			wait.Go(func() { read(account, organizations) })
		}
		return
	}
	accounts := c.accountsFor(names)
	for _, sharing := range byProvider(accounts) {
		wait.Go(func() {
			seen := map[providers.ID]bool{}
			for i, entry := range lists.OrganizationLists(ctx, sharing) {
				if entry.Err != nil {
					missing(Unavailable{Account: sharing[i]}, entry.Err)
				}
				var own []providers.ID
				for _, o := range entry.Value {
					if !seen[o.ID] {
						seen[o.ID] = true
						own = append(own, o.ID)
					}
				}
				wait.Go(func() { read(sharing[i], own) })
			}
		})
	}
}

// eachRegistryOf calls read for each account with those of the filter's registries that its other conditions leave.
func (c *Catalog) eachRegistryOf(ctx context.Context, filter TokenFilter, missing func(Unavailable, error), read func(*Account, []providers.ID)) {
	var wait sync.WaitGroup
	defer wait.Wait()
	var registries, organizations []providers.ID
	for _, id := range filter.RegistryIDs {
		of := id.OfOrganization()
		if id.Kind != providers.RegistryKind ||
			filter.Providers != nil && !slices.Contains(filter.Providers, id.Provider) ||
			filter.OrganizationIDs != nil && !slices.Contains(filter.OrganizationIDs, of) {
			continue
		}
		registries, organizations = append(registries, id), append(organizations, of)
	}
	for account, own := range c.byOwner(ctx, registries, organizations, missing) {
		wait.Go(func() { read(account, own) })
	}
}

// byOwner sorts ids by the account that owns their organizations. What no account owns does not exist; what cannot be
// told is missing.
func (c *Catalog) byOwner(ctx context.Context, ids, organizations []providers.ID, missing func(Unavailable, error)) map[*Account][]providers.ID {
	owned := map[*Account][]providers.ID{}
	accounts, errs := c.owners(ctx, organizations)
	for i, id := range ids {
		switch {
		case errs[i] == nil:
			if !slices.Contains(owned[accounts[i]], id) {
				owned[accounts[i]] = append(owned[accounts[i]], id)
			}
		case providers.KindOf(errs[i]) != providers.NotFound:
			missing(Unavailable{Account: c.of(id.Provider)[0], Organization: organizations[i]}, errs[i])
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
	mu          sync.Mutex
	items       []T
	unavailable []Unavailable
}

// note records what a source's entry lacks. A source that is gone by now lacks nothing.
func (g *gathering[T]) note(u Unavailable, err error, staleSince time.Time, cause error) {
	if err == nil && staleSince.IsZero() {
		return
	}
	if err != nil && providers.KindOf(err) == providers.NotFound {
		return
	}
	if err == nil {
		if cause == nil {
			return // old by a moment, and being refreshed
		}
		u.StaleSince, err = staleSince, cause
	}
	g.missing(u, err)
}

func (g *gathering[T]) missing(u Unavailable, err error) {
	u.Reason, u.Message, u.RetryAfter = Explain(err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unavailable = append(g.unavailable, u)
}

func (g *gathering[T]) add(items []T, match func(T) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.items = slices.Grow(g.items, len(items))
	for _, item := range items {
		if match(item) {
			g.items = append(g.items, item)
		}
	}
}

// list is what was gathered, each id once. It may be called when no goroutine gathers any more.
func (g *gathering[T]) list(id func(T) providers.ID) List[T] {
	seen := make(map[providers.ID]struct{}, len(g.items))
	once := g.items[:0]
	for _, item := range g.items {
		if _, twice := seen[id(item)]; !twice {
			seen[id(item)] = struct{}{}
			once = append(once, item)
		}
	}
	slices.SortStableFunc(g.unavailable, func(a, b Unavailable) int {
		return cmp.Or(
			cmp.Compare(a.Account.ID().String(), b.Account.ID().String()),
			cmp.Compare(a.Organization.String(), b.Organization.String()),
			cmp.Compare(a.Registry.String(), b.Registry.String()),
		)
	})
	return List[T]{Items: once, Unavailable: g.unavailable}
}

// Explain tells why a source is missing, without any upstream text.
func Explain(err error) (reason UnavailableReason, message string, retryAfter time.Duration) {
	e, ok := errors.AsType[*providers.Error](err)
	switch {
	case !ok && errors.Is(err, context.DeadlineExceeded):
		return TimedOut, "the provider did not answer in time", 0
	case !ok:
		return Unreachable, "the provider could not be read", 0
	case e.Kind == providers.RateLimited:
		return RateLimited, "the provider's request allowance is used up for now", e.RetryAfter
	case e.Kind == providers.Unauthorized:
		return Unauthorized, "the provider refuses this server's credential", 0
	case e.Kind == providers.Forbidden && e.RequiredScope != "":
		return Forbidden, "this server's credential lacks the scope " + e.RequiredScope, 0
	case e.Kind == providers.Forbidden:
		return Forbidden, "this server's credential may not read it", 0
	case e.Reason == providers.Timeout:
		return TimedOut, "the provider did not answer in time", e.RetryAfter
	case e.Reason == providers.CircuitOpen:
		return CircuitOpen, "the provider failed so often of late that it is left alone for a moment", e.RetryAfter
	case e.Reason == providers.InvalidResponse:
		return InvalidResponse, "the provider's answer makes no sense", e.RetryAfter
	}
	return Unreachable, "the provider could not be reached, or has a fault", e.RetryAfter
}

// Old notes a source whose entry is old because its provider failed; nothing when it is fresh.
func Old[V any](source Unavailable, entry cache.Entry[V]) []Unavailable {
	var g gathering[V]
	g.note(source, entry.Err, entry.StaleSince, entry.Cause)
	return g.unavailable
}
