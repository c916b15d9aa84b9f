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

func (r tokenResolver) RotatedFrom(ctx context.Context, tokens []*model.Token) ([]*model.Token, error) {
	return rotated(ctx, tokens, r.catalog.Predecessors)
}

func (r tokenResolver) RotatedTo(ctx context.Context, tokens []*model.Token) ([]*model.Token, error) {
	return rotated(ctx, tokens, r.catalog.Successors)
}

// rotated are the tokens at the other ends of rotations. Where there was none, no provider is asked.
func rotated(ctx context.Context, tokens []*model.Token, others func(context.Context, []providers.ID) ([]providers.ID, error)) ([]*model.Token, error) {
	ids := make([]providers.ID, len(tokens))
	for i, t := range tokens {
		ids[i] = t.Token.ID
	}
	found, err := others(ctx, ids)
	if err != nil {
		return nil, err
	}
	var wanted []providers.ID
	var places []int
	for i, id := range found {
		if !id.IsZero() {
			wanted, places = append(wanted, id), append(places, i)
		}
	}
	nodes, errs := make([]*model.Token, len(tokens)), make([]error, len(tokens))
	if len(wanted) == 0 {
		return nodes, nil
	}
	for i, entry := range loader.For(ctx).Tokens(ctx, wanted) {
		if errs[places[i]] = unlessGone(entry.Err); entry.Err == nil {
			nodes[places[i]] = tokenNode(entry.Value)
		}
	}
	return nodes, batchErrors(errs)
}
