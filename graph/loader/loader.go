// Package loader gathers what the fields of one response need, so that each thing is asked of the catalog once and
// siblings are asked together. Loaders remember for as long as the response takes and no longer.
//
// Nothing here waits for more keys to come: batch resolvers hand over all siblings at once, and a batch starts as
// soon as it is handed over.
package loader

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/graph-gophers/dataloader/v7"

	"regtok/cache"
	"regtok/catalog"
	"regtok/providers"
)

// Loaders are those of one response. Safe for concurrent use by its resolvers.
type Loaders struct {
	organizationLists *dataloader.Loader[*catalog.Account, cache.Entry[[]*catalog.Organization]]
	registryLists     *dataloader.Loader[providers.ID, cache.Entry[[]*catalog.Registry]]
	tokenLists        *dataloader.Loader[providers.ID, cache.Entry[[]*catalog.Token]]
	userLists         *dataloader.Loader[providers.ID, cache.Entry[[]*catalog.User]]
	organizations     *dataloader.Loader[providers.ID, cache.Entry[*catalog.Organization]]
	registries        *dataloader.Loader[providers.ID, cache.Entry[*catalog.Registry]]
	tokens            *dataloader.Loader[providers.ID, cache.Entry[*catalog.Token]]
	users             *dataloader.Loader[catalog.Person, cache.Entry[*catalog.User]]

	listsOfRegistries dataloader.Cache[providers.ID, cache.Entry[[]*catalog.Registry]] // what registryLists remembers
}

var _ catalog.Lists = (*Loaders)(nil)

// New makes the loaders of one response.
func New(c *catalog.Catalog) *Loaders {
	lists := dataloader.NewCache[providers.ID, cache.Entry[[]*catalog.Registry]]()
	l := &Loaders{
		organizationLists: batched(c.OrganizationLists),
		registryLists:     batched(c.RegistryLists, dataloader.WithCache(lists)),
		listsOfRegistries: lists,
		tokenLists:        batched(c.TokenLists),
		userLists:         batched(c.UserLists),
		tokens:            batched(c.TokensByID),
		users:             batched(c.Users),
	}
	l.registries = batched(l.registriesOf(c))
	l.organizations = batched(func(ctx context.Context, ids []providers.ID) []cache.Entry[*catalog.Organization] {
		return c.OrganizationsByID(ctx, l, ids)
	})
	return l
}

// queued is how many keys wait to be gathered: the library makes room for as many at each batch, and for 1000 unless
// told otherwise. More only make the caller go a little slower.
const queued = 64

// batched makes a loader of a function that reads many. Its entries carry their own errors, so a loader never fails.
func batched[K comparable, V any](
	read func(context.Context, []K) []cache.Entry[V], options ...dataloader.Option[K, cache.Entry[V]],
) *dataloader.Loader[K, cache.Entry[V]] {
	options = append(options, dataloader.WithInputCapacity[K, cache.Entry[V]](queued))
	return dataloader.NewBatchedLoader(func(ctx context.Context, keys []K) []*dataloader.Result[cache.Entry[V]] {
		entries := guarded(ctx, keys, read)
		results := make([]*dataloader.Result[cache.Entry[V]], len(keys))
		for i, entry := range entries {
			results[i] = &dataloader.Result[cache.Entry[V]]{Data: entry}
		}
		return results
	}, options...)
}

// guarded makes a panic the error of every key. The library would log it by itself, and without where it was.
func guarded[K comparable, V any](ctx context.Context, keys []K, read func(context.Context, []K) []cache.Entry[V]) (entries []cache.Entry[V]) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err := fmt.Errorf("loading a batch panicked: %v\n%s", panicked, debug.Stack())
			entries = slices.Repeat([]cache.Entry[V]{{Err: err}}, len(keys))
		}
	}()
	return read(ctx, keys)
}

// many loads keys as one batch that starts at once. The context of whoever starts a batch ends it for all who joined,
// so the contexts of one response have to end together; resolvers' do.
func many[K comparable, V any](ctx context.Context, l *dataloader.Loader[K, cache.Entry[V]], keys []K) []cache.Entry[V] {
	thunks := make([]dataloader.Thunk[cache.Entry[V]], len(keys))
	for i, key := range keys {
		thunks[i] = l.Load(ctx, key)
	}
	l.Flush()
	entries := make([]cache.Entry[V], len(keys))
	for i, thunk := range thunks {
		entry, err := thunk()
		if err != nil { // of the library's own
			entry = cache.Entry[V]{Err: err}
		}
		entries[i] = entry
	}
	return entries
}

// OrganizationLists returns the organizations of each account.
func (l *Loaders) OrganizationLists(ctx context.Context, accounts []*catalog.Account) []cache.Entry[[]*catalog.Organization] {
	return many(ctx, l.organizationLists, accounts)
}

// RegistryLists returns the registries of each organization.
func (l *Loaders) RegistryLists(ctx context.Context, organizations []providers.ID) []cache.Entry[[]*catalog.Registry] {
	return many(ctx, l.registryLists, organizations)
}

// TokenLists returns the tokens of each registry.
func (l *Loaders) TokenLists(ctx context.Context, registries []providers.ID) []cache.Entry[[]*catalog.Token] {
	return many(ctx, l.tokenLists, registries)
}

// UserLists returns the people of each organization.
func (l *Loaders) UserLists(ctx context.Context, organizations []providers.ID) []cache.Entry[[]*catalog.User] {
	return many(ctx, l.userLists, organizations)
}

// Organizations returns each organization.
func (l *Loaders) Organizations(ctx context.Context, ids []providers.ID) []cache.Entry[*catalog.Organization] {
	return many(ctx, l.organizations, ids)
}

// Registries returns each registry.
func (l *Loaders) Registries(ctx context.Context, ids []providers.ID) []cache.Entry[*catalog.Registry] {
	return many(ctx, l.registries, ids)
}

// Tokens returns each token.
func (l *Loaders) Tokens(ctx context.Context, ids []providers.ID) []cache.Entry[*catalog.Token] {
	return many(ctx, l.tokens, ids)
}

// Know remembers tokens as they were just told, so that nobody asks for them again. Nil ones are passed over.
func (l *Loaders) Know(ctx context.Context, tokens ...*catalog.Token) {
	for _, t := range tokens {
		if t != nil {
			l.tokens.Prime(ctx, t.ID, cache.Entry[*catalog.Token]{Value: t, ObservedAt: t.ObservedAt})
		}
	}
}

// Users returns each person.
func (l *Loaders) Users(ctx context.Context, people []catalog.Person) []cache.Entry[*catalog.User] {
	return many(ctx, l.users, people)
}

type contextKey struct{}

// Attach gives a response its own loaders. They are made when the first is wanted: an event may be long in coming. It panics
// when nobody said what the caller sees: a response is never this server's own work.
func Attach(ctx context.Context, c *catalog.Catalog) context.Context {
	if catalog.OwnWork(ctx) {
		panic("a response is made for nobody knows whom")
	}
	return context.WithValue(ctx, contextKey{}, sync.OnceValue(func() *Loaders { return New(c) }))
}

// For returns the loaders of this response. Without Attach it panics: a resolver runs where it must not.
func For(ctx context.Context) *Loaders {
	loaders, ok := ctx.Value(contextKey{}).(func() *Loaders)
	if !ok {
		panic("a resolver runs without loaders")
	}
	return loaders()
}
