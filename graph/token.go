package graph

import (
	"context"
	"time"

	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

type tokenResolver struct{ *resolver }

func (r tokenResolver) CreatedBy(ctx context.Context, tokens []*model.Token) ([]*model.User, error) {
	return r.people(ctx, len(tokens), func(i int) (known, *providers.User) {
		t := tokens[i]
		return known{t.Account, t.Token.ID.OfOrganization()}, t.Token.CreatedBy
	})
}

func (r tokenResolver) UpdatedBy(ctx context.Context, tokens []*model.Token) ([]*model.User, error) {
	return r.people(ctx, len(tokens), func(i int) (known, *providers.User) {
		t := tokens[i]
		return known{t.Account, t.Token.ID.OfOrganization()}, t.Token.UpdatedBy
	})
}

func (r tokenResolver) Registry(ctx context.Context, tokens []*model.Token) ([]*model.Registry, error) {
	if onlyKnown(ctx) {
		nodes := make([]*model.Registry, len(tokens))
		for i, t := range tokens {
			registry := providers.Registry{ID: t.Token.ID.OfRegistry()}
			nodes[i] = registryNode(&catalog.Registry{Registry: registry, Account: t.Account, ObservedAt: t.ObservedAt})
		}
		return nodes, nil
	}
	ids := make([]providers.ID, len(tokens))
	for i, t := range tokens {
		ids[i] = t.Token.ID.OfRegistry()
	}
	return entriesOf(loader.For(ctx).Registries(ctx, ids), registryNode)
}

func (r tokenResolver) Organization(ctx context.Context, tokens []*model.Token) ([]*model.Organization, error) {
	return r.organizationsOf(ctx, len(tokens), func(i int) (known, time.Time) {
		t := tokens[i]
		return known{t.Account, t.Token.ID.OfOrganization()}, t.ObservedAt
	})
}
