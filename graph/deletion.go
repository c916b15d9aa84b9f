package graph

import (
	"context"

	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

type deleteTokenPayloadResolver struct{ *resolver }

// Registry is read only when it is asked for. Null: nothing was deleted.
func (r deleteTokenPayloadResolver) Registry(ctx context.Context, payload *model.DeleteTokenPayload) (*model.Registry, error) {
	if payload.DeletedTokenID == nil {
		return nil, nil
	}
	return one(loader.For(ctx).Registries(ctx, []providers.ID{payload.DeletedTokenID.OfRegistry()}), registryNode)
}
