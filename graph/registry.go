package graph

import (
	"context"
	"time"

	"regtok/cache"
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

type registryResolver struct{ *resolver }

func (r registryResolver) CreatedBy(ctx context.Context, registries []*model.Registry) ([]*model.User, error) {
	return r.people(ctx, len(registries), func(i int) (known, *providers.User) {
		g := registries[i]
		return known{g.Account, g.Registry.ID.OfOrganization()}, g.Registry.CreatedBy
	})
}

func (r registryResolver) Organization(ctx context.Context, registries []*model.Registry) ([]*model.Organization, error) {
	return r.organizationsOf(ctx, len(registries), func(i int) (known, time.Time) {
		g := registries[i]
		return known{g.Account, g.Registry.ID.OfOrganization()}, g.ObservedAt
	})
}

func (r registryResolver) Tokens(ctx context.Context, registries []*model.Registry, first int, after *string, filter *model.TokenFilter, orderBy model.TokenOrder) ([]*model.TokenConnection, error) {
	asked, err := r.askedTokens(first, after, filter, orderBy)
	if err != nil {
		return nil, err
	}
	match := asked.filter.Matcher(time.Now())
	ids := make([]providers.ID, len(registries))
	for i, g := range registries {
		ids[i] = g.Registry.ID
	}
	return connections(loader.For(ctx).TokenLists(ctx, ids),
		func(i int, entry cache.Entry[[]*catalog.Token]) (*model.TokenConnection, error) {
			page, err := catalog.Cut(only(entry.Value, match), asked.order, asked.page)
			if err != nil {
				return nil, err
			}
			source := catalog.Unavailable{Account: registries[i].Account, Registry: registries[i].Registry.ID}
			return model.NewTokenConnection(page, catalog.Old(source, entry)), nil
		})
}
