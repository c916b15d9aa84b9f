package catalog

import (
	"context"
	"errors"
	"time"

	"regtok/cache"
	"regtok/providers"
)

const (
	usersFresh         = 10 * time.Minute
	organizationsFresh = 10 * time.Minute
	registriesFresh    = time.Minute
	provisioningFresh  = 5 * time.Second
	tokensFresh        = 30 * time.Second
	credentialFresh    = time.Hour
	staleFor           = time.Hour
	gone               = 5 * time.Second
	hidden             = 5 * time.Minute
)

// views are all that is cached. docs/caching.md has a row for each.
type views struct {
	organizations *cache.View[*Account, []*Organization]
	credential    *cache.View[*Account, time.Time]
	registries    *cache.View[at, []*Registry] // of an organization
	registry      *cache.View[within, *Registry]
	tokens        *cache.View[at, []*Token] // of a registry
	token         *cache.View[within, *Token]
	users         *cache.View[at, []*User] // of an organization
	user          *cache.View[within, *User]
	member        *cache.View[within, *User] // for callers who may not know of all tokens of the organization
}

// at names a list by what holds it, and the account that it is read with.
type at struct {
	account *Account
	id      providers.ID
}

// of is the account that it is read with.
func (k at) of() *Account { return k.account }

// within names one thing by the list that it stands in.
type within struct {
	list at
	id   providers.ID
}

// newViews is the one table that says what is cached, under which key, and for how long.
func newViews(c *Catalog, timeout time.Duration) views {
	codecs := newCodecs(c)
	person := func(name, item string) *cache.View[within, *User] {
		return cache.NewView(c.cache, cache.Config[within, *User]{
			Name: name, Timeout: timeout,
			Key:   func(k within) cache.Key { return key(k.list.account, k.list.id, item, k.id.Native) },
			Load:  covered(c.loadUser),
			Fresh: always[*User](usersFresh), Stale: staleFor, Negative: rememberHidden, ServeStale: coverable,
			Size:   func(*User) int { return 384 },
			Encode: codecs.users.packOne, Decode: codecs.users.unpackOne,
		})
	}
	return views{
		organizations: cache.NewView(c.cache, cache.Config[*Account, []*Organization]{
			Name: "organizations of an account", Timeout: timeout,
			Key:   func(a *Account) cache.Key { return key(a, a.ID(), "organizations") },
			Load:  covered(c.loadOrganizations),
			Fresh: always[[]*Organization](organizationsFresh), Stale: staleFor, Negative: rememberGone, ServeStale: coverable,
			Size: func(list []*Organization) int { return 64 + 256*len(list) },
			Encode: func(a *Account, list []*Organization) ([]byte, error) {
				return codecs.organizations.packList(of(a), list)
			},
			Decode: func(a *Account, packed []byte) ([]*Organization, error) {
				return codecs.organizations.unpackList(of(a), packed)
			},
		}),
		credential: cache.NewView(c.cache, cache.Config[*Account, time.Time]{
			Name: "end of a credential", Timeout: timeout,
			Key:   func(a *Account) cache.Key { return key(a, a.ID(), "credential") },
			Load:  covered(c.loadCredential),
			Fresh: always[time.Time](credentialFresh), Stale: staleFor, Negative: rememberGone, ServeStale: coverable,
			Size:   func(time.Time) int { return 64 },
			Encode: packCredential, Decode: unpackCredential,
		}),
		registries: cache.NewView(c.cache, cache.Config[at, []*Registry]{
			Name: "registries of an organization", Timeout: timeout,
			Key:   func(k at) cache.Key { return key(k.account, k.id, "registries") },
			Load:  covered(c.loadRegistries),
			Fresh: freshRegistries, Stale: staleFor, Negative: rememberGone, ServeStale: coverable,
			Size:   func(list []*Registry) int { return 64 + 640*len(list) },
			Encode: codecs.registries.packList, Decode: codecs.registries.unpackList,
		}),
		registry: cache.NewView(c.cache, cache.Config[within, *Registry]{
			Name: "a registry", Timeout: timeout,
			Key:   func(k within) cache.Key { return key(k.list.account, k.list.id, "registry", k.id.Native) },
			Load:  covered(c.loadRegistry),
			Fresh: func(r *Registry) time.Duration { return freshRegistries([]*Registry{r}) },
			Stale: staleFor, Negative: rememberGone, ServeStale: coverable,
			Size:   func(*Registry) int { return 704 },
			Encode: codecs.registries.packOne, Decode: codecs.registries.unpackOne,
		}),
		tokens: cache.NewView(c.cache, cache.Config[at, []*Token]{
			Name: "tokens of a registry", Timeout: timeout,
			Key:   func(k at) cache.Key { return key(k.account, k.id, "tokens") },
			Load:  covered(c.loadTokens),
			Fresh: always[[]*Token](tokensFresh), Stale: staleFor, Negative: rememberGone, ServeStale: coverable,
			Size:   tokensSize,
			Encode: codecs.tokens.packList, Decode: codecs.tokens.unpackList,
		}),
		token: cache.NewView(c.cache, cache.Config[within, *Token]{
			Name: "a token", Timeout: timeout,
			Key:   func(k within) cache.Key { return key(k.list.account, k.list.id, "token", k.id.Native) },
			Load:  covered(c.loadToken),
			Fresh: always[*Token](tokensFresh), Stale: staleFor, Negative: rememberGone, ServeStale: coverable,
			Size:   func(t *Token) int { return tokensSize([]*Token{t}) },
			Encode: codecs.tokens.packOne, Decode: codecs.tokens.unpackOne,
		}),
		users: cache.NewView(c.cache, cache.Config[at, []*User]{
			Name: "people of an organization", Timeout: timeout,
			Key:   func(k at) cache.Key { return key(k.account, k.id, "users") },
			Load:  covered(c.loadUsers),
			Fresh: always[[]*User](usersFresh), Stale: staleFor, Negative: rememberHidden, ServeStale: coverable,
			Size:   func(list []*User) int { return 64 + 320*len(list) },
			Encode: codecs.users.packList, Decode: codecs.users.unpackList,
		}),
		user:   person("a person", "user"),
		member: person("a person, as the organization tells", "member"),
	}
}

// covered lets a load give up sooner when the cache has something else to serve: there is no use in waiting for an allowance.
func covered[K, V any](load func(context.Context, K) (V, error)) func(context.Context, K) (V, error) {
	return func(ctx context.Context, k K) (V, error) {
		if cache.Covered(ctx) {
			ctx = providers.WithCover(ctx)
		}
		v, err := load(ctx, k)
		if _, spent := errors.AsType[*providers.RequestsError](err); spent {
			err = cache.OfReader(err)
		}
		return v, err
	}
}

// key names an entry. Its scope is the organization, registry or account that it belongs to, as seen by one account:
// a write in a scope ends every entry of it.
func key(a *Account, scope providers.ID, item ...string) cache.Key {
	return cache.Key{Scope: scopeOf(a, scope), Item: cache.Join(item...)}
}

func scopeOf(a *Account, id providers.ID) cache.Scope {
	return cache.Scope{Tenant: a.tenant(), Name: id.String()}
}

func always[V any](d time.Duration) func(V) time.Duration {
	return func(V) time.Duration { return d }
}

// freshRegistries: one that is being made changes within seconds.
func freshRegistries(list []*Registry) time.Duration {
	for _, r := range list {
		if r.State == providers.Provisioning {
			return provisioningFresh
		}
	}
	return registriesFresh
}

func tokensSize(list []*Token) int {
	size := 64
	for _, t := range list {
		size += 640 + 96*len(t.Scopes)
	}
	return size
}

// rememberGone: what is gone stays gone for a moment. Every other failure is tried again.
func rememberGone(err error) time.Duration {
	if providers.KindOf(err) == providers.NotFound {
		return gone
	}
	return 0
}

// rememberHidden: many credentials may not read people, and every list of tokens would ask again.
func rememberHidden(err error) time.Duration {
	switch providers.KindOf(err) {
	case providers.NotFound, providers.Forbidden:
		return hidden
	}
	return 0
}

// coverable says whether old data may stand in for a failure: not when the provider gave a clear answer.
func coverable(err error) bool {
	switch providers.KindOf(err) {
	case providers.NotFound, providers.Forbidden, providers.Unauthorized, providers.Invalid:
		return false
	}
	return true
}
