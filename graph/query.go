package graph

import (
	"context"

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
	server := model.Server{Version: r.version, ExpiryThresholds: r.catalog.Policy().Thresholds}
	if r.events != nil {
		server.EventRetention = r.events.Retention
	}
	return &server, nil
}

func (r queryResolver) Providers(context.Context) ([]*model.Provider, error) {
	drivers := r.catalog.Drivers()
	list := make([]*model.Provider, len(drivers))
	for i, d := range drivers {
		list[i] = &model.Provider{Driver: d}
	}
	return list, nil
}

func (r queryResolver) Accounts(ctx context.Context) ([]*model.Account, error) {
	accounts := r.catalog.Accounts(ctx)
	list := make([]*model.Account, len(accounts))
	for i, a := range accounts {
		list[i] = model.NewAccount(a)
	}
	return list, nil
}

func (r queryResolver) Organizations(ctx context.Context, first int, after *string, filter *model.OrganizationFilter) (*model.OrganizationConnection, error) {
	asked, err := r.askedOrganizations(first, after, filter)
	if err != nil {
		return nil, err
	}
	list := r.catalog.Organizations(ctx, loader.For(ctx), asked.filter)
	page, err := catalog.Cut(list.Items, asked.order, asked.page)
	if err != nil {
		return nil, err
	}
	return model.NewOrganizationConnection(page, list.Unavailable), nil
}

func (r queryResolver) Registries(ctx context.Context, first int, after *string, filter *model.RegistryFilter, orderBy model.RegistryOrder) (*model.RegistryConnection, error) {
	asked, err := r.askedRegistries(first, after, filter, orderBy)
	if err != nil {
		return nil, err
	}
	list := r.catalog.Registries(ctx, loader.For(ctx), asked.filter)
	page, err := catalog.Cut(list.Items, asked.order, asked.page)
	if err != nil {
		return nil, err
	}
	return model.NewRegistryConnection(page, list.Unavailable), nil
}

func (r queryResolver) Tokens(ctx context.Context, first int, after *string, filter *model.TokenFilter, orderBy model.TokenOrder) (*model.TokenConnection, error) {
	asked, err := r.askedTokens(first, after, filter, orderBy)
	if err != nil {
		return nil, err
	}
	return r.tokens(ctx, asked)
}

// tokens is a page of the tokens of several registries.
func (r *resolver) tokens(ctx context.Context, asked asked[catalog.TokenFilter, *catalog.Token]) (*model.TokenConnection, error) {
	list := r.catalog.Tokens(ctx, loader.For(ctx), asked.filter)
	page, err := catalog.Cut(list.Items, asked.order, asked.page)
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
	if err := mustBe(id, providers.RegistryKind, "address.id"); err != nil {
		return nil, err
	}
	return one(loader.For(ctx).Registries(ctx, []providers.ID{id}), registryNode)
}

func (r queryResolver) Token(ctx context.Context, address model.TokenAddress) (*model.Token, error) {
	id := value(address.ID)
	if native := address.Native; native != nil {
		if err := mustBe(native.RegistryID, providers.RegistryKind, "address.native.registryId"); err != nil {
			return nil, err
		}
		id = r.catalog.TokenID(native.RegistryID, native.NativeID)
	}
	if err := mustBe(id, providers.TokenKind, "address.id"); err != nil {
		return nil, err
	}
	return one(loader.For(ctx).Tokens(ctx, []providers.ID{id}), tokenNode)
}

func (r queryResolver) User(ctx context.Context, id providers.ID) (*model.User, error) {
	if err := mustBe(id, providers.UserKind, "id"); err != nil {
		return nil, err
	}
	return one(loader.For(ctx).Users(ctx, []catalog.Person{{ID: id}}), userNode)
}
