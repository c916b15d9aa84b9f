package graph

import (
	"context"

	"regtok/auth"
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
)

// mutationResolver has the writes. What a caller can mend is in the payloads; an error is no caller's matter.
type mutationResolver struct{ *resolver }

func (r mutationResolver) CreateToken(ctx context.Context, input model.CreateTokenInput) (*model.CreateTokenPayload, error) {
	registry := r.registryNamed(input.RegistryID)
	written, err := r.catalog.CreateToken(ctx, catalog.CreateToken{
		Registry: registry.id,
		Name:     input.Name,
		Expiry:   ending(input.Expiry),
		Scopes:   scopes(input.Scopes),
		Enabled:  input.Enabled,
		Repeat:   repeat(ctx, input.IdempotencyKey),
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateTokenPayload{
		Token:      tokenOrNull(written.Token),
		TokenEdge:  edgeOf(written.Token),
		Credential: credentialOf(written),
		Errors:     r.userErrors(written.Problems, registry),
	}, nil
}

func (r mutationResolver) ReplaceToken(ctx context.Context, input model.ReplaceTokenInput) (*model.ReplaceTokenPayload, error) {
	token := r.tokenNamed(input.Token)
	written, err := r.catalog.ReplaceToken(ctx, catalog.ReplaceToken{
		Token:     token.id,
		Name:      input.Name,
		Expiry:    value(ending(input.Expiry)),
		Scopes:    scopes(input.Scopes),
		Enabled:   input.Enabled,
		IfVersion: input.IfVersion,
		MustExist: input.Token.ID != nil,
	})
	if err != nil {
		return nil, err
	}
	return &model.ReplaceTokenPayload{
		Token:      tokenOrNull(written.Token),
		Credential: credentialOf(written),
		Errors:     r.userErrors(written.Problems, token),
	}, nil
}

func (r mutationResolver) PatchToken(ctx context.Context, input model.PatchTokenInput) (*model.PatchTokenPayload, error) {
	token := r.tokenNamed(input.Token)
	written, err := r.catalog.PatchToken(ctx, catalog.PatchToken{
		Token:     token.id,
		Name:      input.Name,
		Expiry:    ending(input.Expiry),
		Scopes:    scopesPatch(input.Scopes),
		Enabled:   input.Enabled,
		IfVersion: input.IfVersion,
	})
	if err != nil {
		return nil, err
	}
	return &model.PatchTokenPayload{Token: tokenOrNull(written.Token), Errors: r.userErrors(written.Problems, token)}, nil
}

func (r mutationResolver) DeleteToken(ctx context.Context, input model.DeleteTokenInput) (*model.DeleteTokenPayload, error) {
	token := r.tokenNamed(input.Token)
	written, err := r.catalog.DeleteToken(ctx, catalog.DeleteToken{
		Token: token.id, IfVersion: input.IfVersion, AllowMissing: input.AllowMissing,
	})
	if err != nil {
		return nil, err
	}
	if len(written.Problems) > 0 {
		return &model.DeleteTokenPayload{Errors: r.userErrors(written.Problems, token)}, nil
	}
	return &model.DeleteTokenPayload{DeletedTokenID: &token.id, Errors: []model.UserError{}}, nil
}

func (r mutationResolver) RotateToken(ctx context.Context, input model.RotateTokenInput) (*model.RotateTokenPayload, error) {
	token := r.tokenNamed(input.Token)
	rotated, err := r.catalog.RotateToken(ctx, catalog.RotateToken{
		Token:     token.id,
		Name:      input.Name,
		Expiry:    ending(input.Expiry),
		Overlap:   input.Overlap,
		IfVersion: input.IfVersion,
		Repeat:    repeat(ctx, input.IdempotencyKey),
	})
	if err != nil {
		return nil, err
	}
	loader.For(ctx).Know(ctx, rotated.Token, rotated.Previous) // they lead to each other
	payload := &model.RotateTokenPayload{
		Token:      tokenOrNull(rotated.Token),
		TokenEdge:  edgeOf(rotated.Token),
		Credential: credentialOf(rotated.Written),
		Previous:   tokenOrNull(rotated.Previous),
		Errors:     r.userErrors(rotated.Problems, token),
	}
	if !rotated.PreviousEnds.IsZero() {
		payload.PreviousEndsAt = &rotated.PreviousEnds
	}
	return payload, nil
}

// repeat is whose idempotency key it is.
func repeat(ctx context.Context, key *string) catalog.Repeat {
	return catalog.Repeat{Caller: auth.FromContext(ctx).Subject, IdempotencyKey: key}
}

func tokenOrNull(t *catalog.Token) *model.Token {
	if t == nil {
		return nil
	}
	return tokenNode(t)
}

// edgeOf is the token as a list in the default order has it.
func edgeOf(t *catalog.Token) *model.TokenEdge {
	if t == nil {
		return nil
	}
	return &model.TokenEdge{Cursor: catalog.TokensByDue(false).Cursor(t), Node: tokenNode(t)}
}

func credentialOf(w catalog.Written) *model.TokenCredential {
	if w.Token == nil || w.Secret.Empty() {
		return nil
	}
	return &model.TokenCredential{Token: w.Token, Secret: w.Secret}
}
