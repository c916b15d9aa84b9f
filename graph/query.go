package graph

import (
	"context"
	"fmt"

	"regtok/auth"
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

type queryResolver struct{ *resolver }

func (r queryResolver) Viewer(ctx context.Context) (*auth.Viewer, error) {
	viewer := auth.FromContext(ctx)
	return &viewer, nil
}

func (r queryResolver) Server(context.Context) (*model.Server, error) {
	return &model.Server{Version: r.version, ExpiryThresholds: r.catalog.Policy().Thresholds}, nil
}

func (r queryResolver) Providers(context.Context) ([]*model.Provider, error) {
	drivers := r.catalog.Drivers()
	list := make([]*model.Provider, len(drivers))
	for i, d := range drivers {
		list[i] = &model.Provider{Driver: d}
	}
	return list, nil
}

func (r queryResolver) Accounts(context.Context) ([]*model.Account, error) {
	accounts := r.catalog.Accounts()
	list := make([]*model.Account, len(accounts))
	for i, a := range accounts {
		list[i] = model.NewAccount(a)
	}
	return list, nil
}

func (r queryResolver) Organizations(ctx context.Context, first int, after *string, filter *model.OrganizationFilter) (*model.OrganizationConnection, error) {
	list := r.catalog.Organizations(ctx, loader.For(ctx), organizationFilter(filter))
	page, err := catalog.Cut(list.Items, catalog.OrganizationsByName(), pageOf(first, after))
	if err != nil {
		return nil, err
	}
	return model.NewOrganizationConnection(page, list.Unavailable), nil
}

func (r queryResolver) Registries(ctx context.Context, first int, after *string, filter *model.RegistryFilter, orderBy model.RegistryOrder) (*model.RegistryConnection, error) {
	list := r.catalog.Registries(ctx, loader.For(ctx), registryFilter(filter))
	page, err := catalog.Cut(list.Items, registryOrder(orderBy), pageOf(first, after))
	if err != nil {
		return nil, err
	}
	return model.NewRegistryConnection(page, list.Unavailable), nil
}

func (r queryResolver) Tokens(ctx context.Context, first int, after *string, filter *model.TokenFilter, orderBy model.TokenOrder) (*model.TokenConnection, error) {
	return r.tokensWhere(ctx, tokenFilter(filter), tokenOrder(orderBy), pageOf(first, after))
}

// tokensWhere is a page of the tokens of several registries.
func (r *resolver) tokensWhere(ctx context.Context, filter catalog.TokenFilter, order catalog.Order[*catalog.Token], request catalog.PageRequest) (*model.TokenConnection, error) {
	list := r.catalog.Tokens(ctx, loader.For(ctx), filter)
	page, err := catalog.Cut(list.Items, order, request)
	if err != nil {
		return nil, err
	}
	return model.NewTokenConnection(page, list.Unavailable), nil
}

func (r queryResolver) Registry(ctx context.Context, address model.RegistryAddress) (*model.Registry, error) {
	id := value(address.ID)
	if address.Native != nil {
		found, err := r.catalog.FindRegistry(ctx, loader.For(ctx), catalog.NativeRegistry{
			Provider:     address.Native.Provider,
			Organization: value(address.Native.Organization),
			Registry:     address.Native.Registry,
		})
		if err != nil {
			return nil, unlessGone(err)
		}
		return registryNode(found), nil
	}
	if err := mustBe(id, providers.RegistryKind, "registry"); err != nil {
		return nil, err
	}
	return one(loader.For(ctx).Registries(ctx, []providers.ID{id}), registryNode)
}

func (r queryResolver) Token(ctx context.Context, address model.TokenAddress) (*model.Token, error) {
	id := value(address.ID)
	if native := address.Native; native != nil {
		if err := mustBe(native.RegistryID, providers.RegistryKind, "registry"); err != nil {
			return nil, err
		}
		id = native.RegistryID.TokenID(native.NativeID)
	}
	if err := mustBe(id, providers.TokenKind, "token"); err != nil {
		return nil, err
	}
	return one(loader.For(ctx).Tokens(ctx, []providers.ID{id}), tokenNode)
}

func (r queryResolver) User(ctx context.Context, id providers.ID) (*model.User, error) {
	if err := mustBe(id, providers.UserKind, "user"); err != nil {
		return nil, err
	}
	return one(loader.For(ctx).Users(ctx, []catalog.Person{{ID: id}}), userNode)
}

// mustBe refuses an id of another kind of thing: there is no such token, registry or user.
func mustBe(id providers.ID, kind providers.IDKind, what string) error {
	if id.Kind == kind {
		return nil
	}
	return &providers.Error{Kind: providers.NotFound, Provider: id.Provider,
		Message: fmt.Sprintf("the id is not one of a %s; `node` tells what it is", what)}
}
