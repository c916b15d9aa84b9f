package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// source is a provider in memory that does as a test says: it counts what it is asked, is slow, and fails.
type source struct {
	driver providers.Driver

	mu            sync.Mutex
	organizations []providers.Organization
	registries    map[providers.ID][]providers.Registry
	tokens        map[providers.ID][]providers.Token
	users         map[providers.ID][]providers.User
	end           time.Time // of the credential
	delay         time.Duration
	pageSize      int // 0: lists come whole
	fail          func(op string, id providers.ID) error
	lost          error // what becomes of the answers to writes that were done
	made          int   // tokens
	asked         map[string]int
}

var _ providers.Provider = (*source)(nil)

// newSource makes a provider without anything.
func newSource(name string) *source {
	return &source{
		driver:     providers.Driver{Name: name, Title: name},
		registries: map[providers.ID][]providers.Registry{},
		tokens:     map[providers.ID][]providers.Token{},
		users:      map[providers.ID][]providers.User{},
		asked:      map[string]int{},
	}
}

// newGrid makes a provider with one organization, that many registries, r0, r1 and so on, each with that many tokens,
// t0, t1 and so on, and with the person u0.
func newGrid(name string, registries, tokens int) *source {
	s := newSource(name)
	o := s.organization("o")
	s.users[o] = []providers.User{{ID: providers.UserID(name, "u0"), Name: "Zero", Complete: true}}
	for i := range registries {
		r := s.registry(o, numbered("r", i))
		for j := range tokens {
			s.token(r, numbered("t", j))
		}
	}
	return s
}

func (s *source) organization(native string) providers.ID {
	id := providers.OrganizationID(s.driver.Name, native)
	s.organizations = append(s.organizations, providers.Organization{ID: id, Slug: native, Name: "Organization " + native})
	return id
}

func (s *source) registry(organization providers.ID, native string) providers.ID {
	id := organization.RegistryID(native)
	s.registries[organization] = append(s.registries[organization], providers.Registry{ID: id, Slug: native, Name: native, State: providers.Ready})
	return id
}

func (s *source) token(registry providers.ID, native string) providers.ID {
	id := registry.TokenID(native)
	s.tokens[registry] = append(s.tokens[registry], providers.Token{ID: id, Name: native, Enabled: true, CreatedAt: time.Unix(1e9, 0)})
	return id
}

func numbered(letter string, n int) string { return fmt.Sprintf("%s%d", letter, n) }

// failing makes every call of these operations fail; without operations, every call.
func (s *source) failing(err error, ops ...string) {
	s.behave(func(op string, _ providers.ID) error {
		if len(ops) == 0 || slices.Contains(ops, op) {
			return err
		}
		return nil
	})
}

func (s *source) behave(fail func(op string, id providers.ID) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *source) slow(delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = delay
}

// requests is what was asked since the last call, by operation.
func (s *source) requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := maps.Clone(s.asked)
	clear(s.asked)
	return asked
}

// answer counts a call and says what becomes of it.
func (s *source) answer(ctx context.Context, op string, id providers.ID) error {
	s.mu.Lock()
	s.asked[op]++
	fail, delay := s.fail, s.delay
	s.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fail != nil {
		return fail(op, id)
	}
	return nil
}

// listed is a page of a list.
func listed[T any](ctx context.Context, s *source, op string, id providers.ID, page providers.PageRequest, list func() []T, key func(T) providers.ID) (providers.Page[T], error) {
	if err := s.answer(ctx, op, id); err != nil {
		return providers.Page[T]{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page.Size = s.pageSize
	return providers.CutPage(slices.Clone(list()), op, key, page)
}

// picked is one item of a list.
func picked[T any](ctx context.Context, s *source, op string, id providers.ID, list func() []T, key func(T) providers.ID) (T, error) {
	var none T
	if err := s.answer(ctx, op, id); err != nil {
		return none, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range list() {
		if key(item) == id {
			return item, nil
		}
	}
	return none, providers.NotFoundError(s.driver.Name, op)
}

func (s *source) Organizations(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Organization], error) {
	return listed(ctx, s, "organizations", providers.ID{}, page, func() []providers.Organization { return s.organizations },
		func(v providers.Organization) providers.ID { return v.ID })
}

func (s *source) Registries(ctx context.Context, id providers.ID, page providers.PageRequest) (providers.Page[providers.Registry], error) {
	return listed(ctx, s, "registries", id, page, func() []providers.Registry { return s.registries[id] },
		func(v providers.Registry) providers.ID { return v.ID })
}

func (s *source) Registry(ctx context.Context, id providers.ID) (providers.Registry, error) {
	return picked(ctx, s, "registry", id, func() []providers.Registry { return s.registries[id.OfOrganization()] },
		func(r providers.Registry) providers.ID { return r.ID })
}

func (s *source) Tokens(ctx context.Context, id providers.ID, page providers.PageRequest) (providers.Page[providers.Token], error) {
	return listed(ctx, s, "tokens", id, page, func() []providers.Token { return s.tokens[id] },
		func(v providers.Token) providers.ID { return v.ID })
}

func (s *source) Token(ctx context.Context, id providers.ID) (providers.Token, error) {
	return picked(ctx, s, "token", id, func() []providers.Token { return s.tokens[id.OfRegistry()] },
		func(t providers.Token) providers.ID { return t.ID })
}

func (s *source) Users(ctx context.Context, id providers.ID, page providers.PageRequest) (providers.Page[providers.User], error) {
	return listed(ctx, s, "users", id, page, func() []providers.User { return s.users[id] },
		func(v providers.User) providers.ID { return v.ID })
}

func (s *source) User(ctx context.Context, organization, id providers.ID) (providers.User, error) {
	return picked(ctx, s, "user", id, func() []providers.User { return s.users[organization] },
		func(u providers.User) providers.ID { return u.ID })
}

func (s *source) CredentialExpiry(ctx context.Context) (time.Time, error) {
	return s.end, s.answer(ctx, "credential", providers.ID{})
}

// account is an account at s.
func (s *source) account(name string) *Account {
	return &Account{Name: name, Driver: s.driver, Provider: s}
}

// over makes a catalog of accounts.
func over(t testing.TB, accounts ...*Account) *Catalog {
	t.Helper()
	return newCatalog(t, Options{Accounts: accounts})
}

// newCatalog completes the options: with a cache, and with the accounts' drivers.
func newCatalog(t testing.TB, o Options) *Catalog {
	t.Helper()
	if o.Cache == nil {
		o.Cache = cache.New(cache.Options{})
	}
	t.Cleanup(o.Cache.Close)
	for _, a := range o.Accounts {
		if !slices.ContainsFunc(o.Drivers, func(d providers.Driver) bool { return d.Name == a.Driver.Name }) {
			o.Drivers = append(o.Drivers, a.Driver)
		}
	}
	return New(o)
}

var (
	errDown      = &providers.Error{Kind: providers.Unavailable, Reason: providers.Unreachable, Provider: "test", Op: "ask"}
	errGone      = &providers.Error{Kind: providers.NotFound, Provider: "test", Op: "ask", Status: 404}
	errForbidden = &providers.Error{Kind: providers.Forbidden, Provider: "test", Op: "ask", Status: 403}
)

// contextFor is a context that ends after a while.
func contextFor(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
