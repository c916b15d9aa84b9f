package graph

import (
	"context"
	"slices"

	"regtok/cache"
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

type organizationResolver struct{ *resolver }

func (r organizationResolver) Registries(ctx context.Context, organizations []*model.Organization, first int, after *string, filter *model.RegistryFilter, orderBy model.RegistryOrder) ([]*model.RegistryConnection, error) {
	match, order, request := registryFilter(filter).Match, registryOrder(orderBy), pageOf(first, after)
	return connections(loader.For(ctx).RegistryLists(ctx, idsOf(organizations)),
		func(i int, entry cache.Entry[[]*catalog.Registry]) (*model.RegistryConnection, error) {
			page, err := catalog.Cut(only(entry.Value, match), order, request)
			if err != nil {
				return nil, err
			}
			source := catalog.Unavailable{Account: organizations[i].Account, Organization: organizations[i].Organization.ID}
			return model.NewRegistryConnection(page, catalog.Old(source, entry)), nil
		})
}

func (r organizationResolver) Tokens(ctx context.Context, organizations []*model.Organization, first int, after *string, filter *model.TokenFilter, orderBy model.TokenOrder) ([]*model.TokenConnection, error) {
	chosen, order, request := tokenFilter(filter), tokenOrder(orderBy), pageOf(first, after)
	registries := loader.For(ctx).RegistryLists(ctx, idsOf(organizations))
	return sideBySide(organizations, func(i int, o *model.Organization) (*model.TokenConnection, error) {
		if err := registries[i].Err; err != nil {
			return nil, unlessGone(err)
		}
		own := chosen
		own.OrganizationIDs = narrowed(chosen.OrganizationIDs, o.Organization.ID)
		return r.tokensWhere(ctx, own, order, request)
	})
}

func (r organizationResolver) Members(ctx context.Context, organizations []*model.Organization, first int, after *string) ([]*model.UserConnection, error) {
	request := pageOf(first, after)
	return connections(loader.For(ctx).UserLists(ctx, idsOf(organizations)),
		func(i int, entry cache.Entry[[]*catalog.User]) (*model.UserConnection, error) {
			page, err := catalog.Cut(entry.Value, catalog.UsersByName(), request)
			if err != nil {
				return nil, err
			}
			source := catalog.Unavailable{Account: organizations[i].Account, Organization: organizations[i].Organization.ID}
			return model.NewUserConnection(page, catalog.Old(source, entry)), nil
		})
}

func idsOf(organizations []*model.Organization) []providers.ID {
	ids := make([]providers.ID, len(organizations))
	for i, o := range organizations {
		ids[i] = o.Organization.ID
	}
	return ids
}

// narrowed is the part of a list of ids, nil meaning all, that is id.
func narrowed(ids []providers.ID, id providers.ID) []providers.ID {
	if ids == nil || slices.Contains(ids, id) {
		return []providers.ID{id}
	}
	return []providers.ID{}
}

func only[T any](items []T, match func(T) bool) []T {
	kept := make([]T, 0, len(items))
	for _, item := range items {
		if match(item) {
			kept = append(kept, item)
		}
	}
	return kept
}
