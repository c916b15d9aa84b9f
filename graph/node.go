package graph

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"regtok/auth"
	"regtok/cache"
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

func registryNode(r *catalog.Registry) *model.Registry { return &model.Registry{Registry: r} }
func tokenNode(t *catalog.Token) *model.Token          { return &model.Token{Token: t} }
func userNode(u *catalog.User) *model.User             { return &model.User{User: u} }
func organizationNode(o *catalog.Organization) *model.Organization {
	return &model.Organization{Organization: o}
}

// one is the only entry's node; null when it is gone.
func one[V, N any](entries []cache.Entry[V], wrap func(V) *N) (*N, error) {
	entry := entries[0]
	switch {
	case entry.Err == nil:
		return wrap(entry.Value), nil
	case providers.KindOf(entry.Err) == providers.NotFound:
		return nil, nil
	}
	return nil, entry.Err
}

func (r queryResolver) Node(ctx context.Context, id providers.ID) (model.Node, error) {
	if text := textOf(ctx, "id", 0); id.IsZero() && isEventID(text) {
		return r.eventNamed(ctx, text)
	}
	if id.IsZero() {
		return nil, damaged("id")
	}
	nodes, errs := r.nodes(ctx, []providers.ID{id})
	return nodes[0], errs[0]
}

func (r queryResolver) Nodes(ctx context.Context, ids []*providers.ID) ([]model.Node, error) {
	nodes, errs := r.nodes(ctx, values(ids))
	for i, err := range errs {
		if err != nil {
			graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithIndex(i)), err)
		}
	}
	return nodes, nil
}

// nodes finds things of any kind, each kind's together.
func (r queryResolver) nodes(ctx context.Context, ids []providers.ID) ([]model.Node, []error) {
	f := finding{ids: ids, nodes: make([]model.Node, len(ids)), errs: make([]error, len(ids))}
	loaders := loader.For(ctx)
	for i, id := range ids {
		switch id.Kind {
		case providers.ProviderKind:
			if driver, ok := r.catalog.Driver(id.Provider); ok {
				f.nodes[i] = &model.Provider{Driver: driver}
			}
		case providers.AccountKind:
			f.account(ctx, i, r.catalog.Accounts(ctx))
		case 0:
			if text := textOf(ctx, "ids", i); isEventID(text) {
				f.nodes[i], f.errs[i] = r.eventNamed(ctx, text)
			} else {
				f.errs[i] = damaged(fmt.Sprintf("ids[%d]", i))
			}
		}
	}
	var wait sync.WaitGroup
	wait.Go(func() { find(ctx, &f, providers.OrganizationKind, loaders.Organizations, organizationNode) })
	wait.Go(func() { find(ctx, &f, providers.RegistryKind, loaders.Registries, registryNode) })
	wait.Go(func() { find(ctx, &f, providers.TokenKind, loaders.Tokens, tokenNode) })
	wait.Go(func() {
		find(ctx, &f, providers.UserKind, func(ctx context.Context, ids []providers.ID) []cache.Entry[*catalog.User] {
			people := make([]catalog.Person, len(ids))
			for i, id := range ids {
				people[i].ID = id
			}
			return loaders.Users(ctx, people)
		}, userNode)
	})
	wait.Wait()
	return f.nodes, f.errs
}

// finding is the state of one search for nodes. Each place is written by one goroutine.
type finding struct {
	ids   []providers.ID
	nodes []model.Node
	errs  []error
}

func (f *finding) account(ctx context.Context, place int, accounts []*catalog.Account) {
	if err := requires(ctx, auth.TokensRead); err != nil {
		f.errs[place] = err
		return
	}
	i := slices.IndexFunc(accounts, func(a *catalog.Account) bool { return a.ID() == f.ids[place] })
	if i >= 0 {
		f.nodes[place] = model.NewAccount(accounts[i])
	}
}

// find loads the things of one kind.
func find[V any, N any, P interface {
	*N
	model.Node
}](ctx context.Context, f *finding, kind providers.IDKind, load func(context.Context, []providers.ID) []cache.Entry[V], wrap func(V) P) {
	var ids []providers.ID
	var places []int
	for i, id := range f.ids {
		if id.Kind == kind {
			ids, places = append(ids, id), append(places, i)
		}
	}
	if len(ids) == 0 {
		return
	}
	if err := requires(ctx, auth.TokensRead); err != nil {
		for _, place := range places {
			f.errs[place] = err
		}
		return
	}
	for i, entry := range load(ctx, ids) {
		switch {
		case entry.Err == nil:
			f.nodes[places[i]] = wrap(entry.Value)
		case providers.KindOf(entry.Err) != providers.NotFound:
			f.errs[places[i]] = entry.Err
		}
	}
}
