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
	asked, err := r.askedRegistries(first, after, filter, orderBy)
	if err != nil {
		return nil, err
	}
	return connections(loader.For(ctx).RegistryLists(ctx, idsOf(organizations)),
		func(i int, entry cache.Entry[[]*catalog.Registry]) (*model.RegistryConnection, error) {
			page, err := catalog.Cut(only(entry.Value, asked.filter.Match), asked.order, asked.page)
			if err != nil {
				return nil, err
			}
			source := catalog.Unavailable{Account: organizations[i].Account, Organization: organizations[i].Organization.ID}
			return model.NewRegistryConnection(page, catalog.Old(source, entry)), nil
		})
}

func (r organizationResolver) Tokens(ctx context.Context, organizations []*model.Organization, first int, after *string, filter *model.TokenFilter, orderBy model.TokenOrder) ([]*model.TokenConnection, error) {
	asked, err := r.askedTokens(first, after, filter, orderBy)
	if err != nil {
		return nil, err
	}
	registries := loader.For(ctx).RegistryLists(ctx, idsOf(organizations))
	return sideBySide(organizations, func(i int, o *model.Organization) (*model.TokenConnection, error) {
		if err := registries[i].Err; err != nil {
			return nil, unlessGone(err)
		}
		own := asked
		own.filter.OrganizationIDs = narrowed(asked.filter.OrganizationIDs, o.Organization.ID)
		return r.tokens(ctx, own)
	})
}

func (r organizationResolver) Members(ctx context.Context, organizations []*model.Organization, first int, after *string) ([]*model.UserConnection, error) {
	asked, err := askedUsers(first, after)
	if err != nil {
		return nil, err
	}
	return connections(loader.For(ctx).UserLists(ctx, idsOf(organizations)),
		func(i int, entry cache.Entry[[]*catalog.User]) (*model.UserConnection, error) {
			page, err := catalog.Cut(entry.Value, asked.order, asked.page)
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

// narrowed is the part of a list, nil meaning all, that is only one.
func narrowed[T comparable](list []T, one T) []T {
	if list == nil || slices.Contains(list, one) {
		return []T{one}
	}
	return []T{}
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
