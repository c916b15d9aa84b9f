package graph_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"regtok/catalog"
	"regtok/providers"
)

// estate is a provider in memory, of several organizations that several accounts see. All that is in it has a name of its own.
type estate struct {
	driver providers.Driver

	mu         sync.Mutex
	registries map[providers.ID][]providers.Registry
	tokens     map[providers.ID][]providers.Token
	users      map[providers.ID][]providers.User
	made       int
	broken     map[providers.ID]bool // what cannot be listed, nor anything in it be read
	strayed    []string              // what was asked for callers who may not know of it
	asked      int
}

var nameOnly = []providers.TokenField{providers.FieldName}

func newEstate(name string) *estate {
	return &estate{
		driver: providers.Driver{Name: name, Title: "Estate " + name, Capabilities: providers.Capabilities{
			CreateFields: nameOnly, RequiredCreateFields: nameOnly, PatchFields: nameOnly, ReplaceFields: nameOnly,
		}},
		registries: map[providers.ID][]providers.Registry{}, tokens: map[providers.ID][]providers.Token{},
		users: map[providers.ID][]providers.User{}, broken: map[providers.ID]bool{},
	}
}

// organization adds an organization with its registries, tokens and people. One person is known in all organizations.
func (e *estate) organization(n, registries, tokens int) providers.ID {
	o := providers.OrganizationID(e.driver.Name, fmt.Sprintf("%s-org%02d", e.driver.Name, n))
	for _, native := range []string{o.Native + "-user", e.driver.Name + "-all-user"} {
		id := providers.UserID(e.driver.Name, native)
		e.users[o] = append(e.users[o], providers.User{ID: id, Name: "Name of " + native, Complete: true})
	}
	for i := range registries {
		r := o.RegistryID(fmt.Sprintf("%s-reg%02d", o.Native, i))
		e.registries[o] = append(e.registries[o], providers.Registry{
			ID: r, Slug: r.Native, Name: r.Native, State: providers.Ready, CreatedBy: &providers.User{ID: e.users[o][i%2].ID},
		})
		for j := range tokens {
			t := r.TokenID(fmt.Sprintf("%s-tok%02d", r.Native, j))
			e.tokens[r] = append(e.tokens[r], providers.Token{
				ID: t, Name: t.Native, Enabled: j%3 > 0, CreatedAt: time.Date(2026, 1, 1, 0, n, i, j, time.UTC),
				CreatedBy: &providers.User{ID: e.users[o][j%2].ID},
			})
		}
	}
	return o
}

// lodge is what one account sees of an estate.
type lodge struct {
	*estate
	account       providers.ID
	organizations []providers.ID
}

var _ providers.Provider = (*lodge)(nil)

func (e *estate) lodge(name string, organizations ...providers.ID) *catalog.Account {
	l := &lodge{e, providers.AccountID(e.driver.Name, name), organizations}
	return &catalog.Account{Name: name, Driver: e.driver, Provider: l, Health: func() providers.Health {
		health := providers.Health{Healthy: true, Budgets: []providers.Budget{{Scope: "user", Limit: 9, Remaining: 9}}}
		for _, o := range organizations {
			health.Budgets = append(health.Budgets, providers.Budget{Scope: "organization", Of: o.Native, Limit: 9, Remaining: 9})
		}
		return health
	}}
}

// enter takes note of whom a request is for. The estate is locked until leave is called.
func (l *lodge) enter(ctx context.Context, op string, id providers.ID) (leave func(), err error) {
	l.mu.Lock()
	l.asked++
	reach := catalog.ReachOf(ctx)
	if !reach.Sees(l.account) || !reach.Sees(id) {
		l.strayed = append(l.strayed, fmt.Sprintf("%s asked to %s of %v", l.account.Native, op, id))
	}
	organization := id
	if id.Kind != providers.OrganizationKind {
		organization = id.OfOrganization()
	}
	holder := id // of the list that is asked for, or that the thing asked for stands in
	switch op {
	case "get token":
		holder = id.OfRegistry()
	case "get registry":
		holder = organization
	}
	switch {
	case id.Kind != providers.AccountKind && !slices.Contains(l.organizations, organization):
		err = providers.NotFoundError(l.driver.Name, op)
	case l.broken[holder] && op != "list users" && op != "get user":
		err = &providers.Error{Kind: providers.Unavailable, Reason: providers.Unreachable, Provider: l.driver.Name, Op: op}
	}
	return l.mu.Unlock, err
}

// shelf is a list, as a page.
func shelf[T any](ctx context.Context, l *lodge, op string, of providers.ID, page providers.PageRequest, list func() []T, key func(T) providers.ID) (providers.Page[T], error) {
	return providers.ReadPage(op, of, key, page, func() ([]T, error) {
		leave, err := l.enter(ctx, op, of)
		defer leave()
		if err != nil {
			return nil, err
		}
		return slices.Clone(list()), nil
	})
}

func picked[T any](ctx context.Context, l *lodge, op string, id providers.ID, list func() []T, key func(T) bool) (T, error) {
	leave, err := l.enter(ctx, op, id)
	defer leave()
	var none T
	if err != nil {
		return none, err
	}
	at := slices.IndexFunc(list(), key)
	if at < 0 {
		return none, providers.NotFoundError(l.driver.Name, op)
	}
	return list()[at], nil
}

func (l *lodge) Organizations(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Organization], error) {
	return shelf(ctx, l, "list organizations", l.account, page, func() []providers.Organization {
		list := make([]providers.Organization, len(l.organizations))
		for i, id := range l.organizations {
			list[i] = providers.Organization{ID: id, Slug: id.Native, Name: "Organization " + id.Native}
		}
		return list
	}, func(o providers.Organization) providers.ID { return o.ID })
}

func (l *lodge) Registries(ctx context.Context, of providers.ID, page providers.PageRequest) (providers.Page[providers.Registry], error) {
	return shelf(ctx, l, "list registries", of, page, func() []providers.Registry { return l.registries[of] }, func(r providers.Registry) providers.ID { return r.ID })
}

func (l *lodge) Registry(ctx context.Context, id providers.ID) (providers.Registry, error) {
	return picked(ctx, l, "get registry", id, func() []providers.Registry { return l.registries[id.OfOrganization()] }, func(r providers.Registry) bool { return r.ID == id })
}

func (l *lodge) Tokens(ctx context.Context, of providers.ID, page providers.PageRequest) (providers.Page[providers.Token], error) {
	return shelf(ctx, l, "list tokens", of, page, func() []providers.Token { return l.tokens[of] }, func(t providers.Token) providers.ID { return t.ID })
}

func (l *lodge) Token(ctx context.Context, id providers.ID) (providers.Token, error) {
	return picked(ctx, l, "get token", id, func() []providers.Token { return l.tokens[id.OfRegistry()] }, func(t providers.Token) bool { return t.ID == id })
}

func (l *lodge) Users(ctx context.Context, of providers.ID, page providers.PageRequest) (providers.Page[providers.User], error) {
	return shelf(ctx, l, "list users", of, page, func() []providers.User { return l.users[of] }, func(u providers.User) providers.ID { return u.ID })
}

func (l *lodge) User(ctx context.Context, of, id providers.ID) (providers.User, error) {
	return picked(ctx, l, "get user", of, func() []providers.User { return l.users[of] }, func(u providers.User) bool { return u.ID == id })
}

func (l *lodge) CredentialExpiry(ctx context.Context) (time.Time, error) {
	leave, err := l.enter(ctx, "get credential", l.account)
	defer leave()
	return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), err
}

// change does something to a token that is there.
func (l *lodge) change(ctx context.Context, op string, id providers.ID, do func(list []providers.Token, at int) []providers.Token) error {
	leave, err := l.enter(ctx, op, id)
	defer leave()
	if err != nil {
		return err
	}
	list := slices.Clone(l.tokens[id.OfRegistry()])
	at := slices.IndexFunc(list, func(t providers.Token) bool { return t.ID == id })
	if at < 0 {
		return providers.NotFoundError(l.driver.Name, op)
	}
	l.tokens[id.OfRegistry()] = do(list, at)
	return nil
}

func (l *lodge) CreateToken(ctx context.Context, of providers.ID, state providers.TokenState) (providers.Created, error) {
	leave, err := l.enter(ctx, "create token", of)
	defer leave()
	if err != nil {
		return providers.Created{}, err
	}
	l.made++
	id := of.TokenID(fmt.Sprintf("%s-new%03d", of.Native, l.made))
	t := providers.Token{ID: id, Name: state.Name, Enabled: true, CreatedAt: time.Date(2026, 2, 1, 0, 0, l.made, 0, time.UTC)}
	l.tokens[of] = append(slices.Clone(l.tokens[of]), t)
	return providers.Created{Token: t, Secret: providers.NewSecret("secret of " + id.Native)}, nil
}

func (l *lodge) PatchToken(ctx context.Context, id providers.ID, patch providers.TokenPatch) (done providers.Token, err error) {
	err = l.change(ctx, "patch token", id, func(list []providers.Token, at int) []providers.Token {
		list[at].Name, _ = patch.Name.Value()
		done = list[at]
		return list
	})
	return done, err
}

func (l *lodge) ReplaceToken(ctx context.Context, id providers.ID, state providers.TokenState) (done providers.Created, err error) {
	err = l.change(ctx, "replace token", id, func(list []providers.Token, at int) []providers.Token {
		list[at].Name = state.Name
		done.Token = list[at]
		return list
	})
	return done, err
}

func (l *lodge) DeleteToken(ctx context.Context, id providers.ID) error {
	return l.change(ctx, "delete token", id, func(list []providers.Token, at int) []providers.Token { return slices.Delete(list, at, at+1) })
}

// shown is a provider of which some is not there: what a caller may not know of, by the simplest of rules.
type shown struct {
	providers.Provider
	sees func(providers.ID) bool
}

func onlyShown[T any](page providers.Page[T], err error, sees func(T) bool) (providers.Page[T], error) {
	page.Items = slices.DeleteFunc(page.Items, func(v T) bool { return !sees(v) })
	return page, err
}

func (s *shown) hides(id providers.ID, op string) error {
	if s.sees(id) {
		return nil
	}
	return providers.NotFoundError(id.Provider, op)
}

func (s *shown) Organizations(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Organization], error) {
	got, err := s.Provider.Organizations(ctx, page)
	return onlyShown(got, err, func(o providers.Organization) bool { return s.sees(o.ID) })
}

func (s *shown) Registries(ctx context.Context, of providers.ID, page providers.PageRequest) (providers.Page[providers.Registry], error) {
	if err := s.hides(of, "list registries"); err != nil {
		return providers.Page[providers.Registry]{}, err
	}
	got, err := s.Provider.Registries(ctx, of, page)
	return onlyShown(got, err, func(r providers.Registry) bool { return s.sees(r.ID) })
}

func (s *shown) Registry(ctx context.Context, id providers.ID) (r providers.Registry, err error) {
	if err = s.hides(id, "get registry"); err == nil {
		r, err = s.Provider.Registry(ctx, id)
	}
	return r, err
}

func (s *shown) Tokens(ctx context.Context, of providers.ID, page providers.PageRequest) (list providers.Page[providers.Token], err error) {
	if err = s.hides(of, "list tokens"); err == nil {
		list, err = s.Provider.Tokens(ctx, of, page)
	}
	return list, err
}

func (s *shown) Token(ctx context.Context, id providers.ID) (t providers.Token, err error) {
	if err = s.hides(id, "get token"); err == nil {
		t, err = s.Provider.Token(ctx, id)
	}
	return t, err
}

func (s *shown) Users(ctx context.Context, of providers.ID, page providers.PageRequest) (list providers.Page[providers.User], err error) {
	if err = s.hides(of, "list users"); err == nil {
		list, err = s.Provider.Users(ctx, of, page)
	}
	return list, err
}

func (s *shown) User(ctx context.Context, of, id providers.ID) (u providers.User, err error) {
	if err = s.hides(of, "get user"); err == nil {
		u, err = s.Provider.User(ctx, of, id)
	}
	return u, err
}
