package catalog

import (
	"context"
	"time"

	"regtok/cache"
	"regtok/providers"
)

func (c *Catalog) loadOrganizations(ctx context.Context, a *Account) ([]*Organization, error) {
	list, err := whole(ctx, func(o providers.Organization) providers.ID { return o.ID }, a.Provider.Organizations)
	if err == nil {
		c.learnt.Store(a, nil)
	}
	now := time.Now()
	return shared(list, func(o providers.Organization) Organization {
		return Organization{Organization: o, Account: a, ObservedAt: now}
	}), err
}

func (*Catalog) loadCredential(ctx context.Context, a *Account) (time.Time, error) {
	return a.Provider.CredentialExpiry(ctx)
}

func (c *Catalog) loadRegistries(ctx context.Context, k at) ([]*Registry, error) {
	if err := c.learnOrganizations(ctx, k.account); err != nil {
		return nil, err
	}
	list, err := whole(ctx, func(r providers.Registry) providers.ID { return r.ID },
		func(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Registry], error) {
			return k.account.Provider.Registries(ctx, k.id, page)
		})
	if err == nil {
		c.learnt.Store(k, nil)
	}
	now := time.Now()
	return shared(list, func(r providers.Registry) Registry { return Registry{Registry: r, Account: k.account, ObservedAt: now} }), err
}

func (c *Catalog) loadRegistry(ctx context.Context, k within) (*Registry, error) {
	if err := c.learnOrganizations(ctx, k.list.account); err != nil {
		return nil, err
	}
	r, err := k.list.account.Provider.Registry(ctx, k.id)
	if err != nil {
		return nil, err
	}
	return &Registry{Registry: r, Account: k.list.account, ObservedAt: time.Now()}, nil
}

func (c *Catalog) loadTokens(ctx context.Context, k at) ([]*Token, error) {
	if err := c.learnRegistries(ctx, at{k.account, k.id.OfOrganization()}); err != nil {
		return nil, err
	}
	began, asked := time.Now(), c.cache.Moment()
	list, err := whole(ctx, func(t providers.Token) providers.ID { return t.ID },
		func(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Token], error) {
			return k.account.Provider.Tokens(ctx, k.id, page)
		})
	c.primeUsers(k, list, asked)
	now := time.Now()
	tokens := shared(list, func(t providers.Token) Token { return c.token(k.account, t, now) })
	if err == nil || providers.KindOf(err) == providers.NotFound {
		c.tell(ctx, k, began, tokens)
	}
	return tokens, err
}

// primeUsers remembers the people that a list of tokens told all about, for callers who may know of any such list.
func (c *Catalog) primeUsers(k at, list []providers.Token, asked cache.Moment) {
	seen := map[providers.ID]bool{}
	for _, t := range list {
		if u := t.CreatedBy; u != nil && u.Complete && !seen[u.ID] {
			seen[u.ID] = true
			c.views.user.Put(within{at{k.account, k.id.OfOrganization()}, u.ID}, &User{*u, k.account}, asked)
		}
	}
}

func (c *Catalog) loadToken(ctx context.Context, k within) (*Token, error) {
	if err := c.learnRegistries(ctx, at{k.list.account, k.id.OfOrganization()}); err != nil {
		return nil, err
	}
	t, err := k.list.account.Provider.Token(ctx, k.id)
	if err != nil {
		return nil, err
	}
	token := c.token(k.list.account, t, time.Now())
	return &token, nil
}

func (c *Catalog) loadUsers(ctx context.Context, k at) ([]*User, error) {
	if err := c.learnOrganizations(ctx, k.account); err != nil {
		return nil, err
	}
	list, err := whole(ctx, func(u providers.User) providers.ID { return u.ID },
		func(ctx context.Context, page providers.PageRequest) (providers.Page[providers.User], error) {
			return k.account.Provider.Users(ctx, k.id, page)
		})
	return shared(list, func(u providers.User) User { return User{u, k.account} }), err
}

func (c *Catalog) loadUser(ctx context.Context, k within) (*User, error) {
	if err := c.learnOrganizations(ctx, k.list.account); err != nil {
		return nil, err
	}
	u, err := k.list.account.Provider.User(ctx, k.list.id, k.id)
	if err != nil {
		return nil, err
	}
	return &User{u, k.list.account}, nil
}

// token adds to a provider's token what this server knows.
func (c *Catalog) token(a *Account, t providers.Token, observed time.Time) Token {
	due, source := c.policy.Due(t)
	return Token{Token: t, Account: a, ObservedAt: observed, DueAt: due, DueSource: source, warnAhead: c.policy.warnAhead()}
}

// shared puts a list's values side by side in memory and returns their addresses; nil stays nil.
func shared[T, U any](list []T, wrap func(T) U) []*U {
	if list == nil {
		return nil
	}
	values, addresses := make([]U, len(list)), make([]*U, len(list))
	for i, v := range list {
		values[i] = wrap(v)
		addresses[i] = &values[i]
	}
	return addresses
}
