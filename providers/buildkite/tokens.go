package buildkite

import (
	"context"
	"net/http"

	"regtok/providers"
	"regtok/providers/rest"
)

// Tokens lists the tokens of a registry.
func (a *adapter) Tokens(
	ctx context.Context, registry providers.ID, page providers.PageRequest,
) (providers.Page[providers.Token], error) {
	const op = "list tokens"
	if !valid(registry, providers.RegistryKind) {
		return providers.Page[providers.Token]{}, providers.NotFoundError(name, op)
	}
	key := func(t providers.Token) providers.ID { return t.ID }
	return providers.ReadPage(op, registry, key, page, func() ([]providers.Token, error) {
		return a.tokens(ctx, op, registry)
	})
}

// tokens reads all tokens of a registry.
func (a *adapter) tokens(ctx context.Context, op string, registry providers.ID) ([]providers.Token, error) {
	var tokens []providers.Token
	err := a.read(ctx, op, registry, func(at address) error {
		began := a.slugs.now()
		call := rest.Get(op, at.tokens()...)
		call.RequiredScope = readRegistries
		items, err := list[token](ctx, a, call)
		if err != nil {
			return err
		}
		tokens = make([]providers.Token, 0, len(items))
		if len(items) == 0 {
			return a.confirm(ctx, op, registry, at)
		}
		for _, item := range items {
			if err := a.belongs(call, item, registry); err != nil {
				return err
			}
			tokens = append(tokens, item.domain(registry))
		}
		a.learn(items[0], registry, began)
		return nil
	})
	return tokens, err
}

// Token returns one token.
func (a *adapter) Token(ctx context.Context, id providers.ID) (providers.Token, error) {
	const op = "get token"
	if !valid(id, providers.TokenKind) {
		return providers.Token{}, providers.NotFoundError(name, op)
	}
	var got token
	err := a.read(ctx, op, id.OfRegistry(), func(at address) error {
		began := a.slugs.now()
		call := rest.Get(op, at.tokens(id.Native)...)
		call.RequiredScope = readRegistries
		got = token{}
		if _, err := a.do(ctx, call, &got); err != nil {
			return err
		}
		return a.about(call, got, id, began)
	})
	if err != nil {
		return providers.Token{}, err
	}
	return got.domain(id.OfRegistry()), nil
}

// CreateToken makes a token with POST, once.
func (a *adapter) CreateToken(
	ctx context.Context, registry providers.ID, in providers.TokenState,
) (providers.Created, error) {
	const op = "create token"
	if err := providers.CheckFields(name, op, in.Fields(), capabilities().CreateFields); err != nil {
		return providers.Created{}, err
	}
	if !valid(registry, providers.RegistryKind) {
		return providers.Created{}, providers.NotFoundError(name, op)
	}
	if message := capabilities().CheckName(in.Name); message != "" {
		return providers.Created{}, providers.InvalidError(name, op, string(providers.FieldName), message)
	}
	var created createdToken
	err := a.write(ctx, op, registry, func(at address) error {
		began := a.slugs.now()
		call := rest.Post(op, tokenInput{Description: in.Name}, at.tokens()...)
		call.RequiredScope = writeRegistries
		if _, err := a.do(ctx, call, &created); err != nil {
			return err
		}
		if created.Secret.Empty() {
			return a.api.Nonsense(call, "a new token without its secret")
		}
		if !isUUID(created.ID) {
			return a.api.Nonsense(call, badItem)
		}
		return a.about(call, created.token, registry.TokenID(created.ID), began)
	})
	if err != nil {
		return providers.Created{}, err
	}
	return providers.Created{Token: created.domain(registry), Secret: created.Secret.Secret}, nil
}

// ReplaceToken is Unsupported: Buildkite has no such call, and no token gets an id of the caller's choice.
func (a *adapter) ReplaceToken(context.Context, providers.ID, providers.TokenState) (providers.Created, error) {
	return providers.Created{}, providers.UnsupportedError(name, "replace token", "")
}

// PatchToken changes the description.
func (a *adapter) PatchToken(ctx context.Context, id providers.ID, patch providers.TokenPatch) (providers.Token, error) {
	const op = "patch token"
	if err := providers.CheckFields(name, op, patch.Fields(), capabilities().PatchFields); err != nil {
		return providers.Token{}, err
	}
	if !valid(id, providers.TokenKind) {
		return providers.Token{}, providers.NotFoundError(name, op)
	}
	description, _ := patch.Name.Value()
	if message := capabilities().CheckName(description); message != "" {
		return providers.Token{}, providers.InvalidError(name, op, string(providers.FieldName), message)
	}
	var patched token
	err := a.write(ctx, op, id.OfRegistry(), func(at address) error {
		began := a.slugs.now()
		call := rest.Post(op, tokenInput{Description: description}, at.tokens(id.Native)...)
		call.RequiredScope = writeRegistries
		// Buildkite updates with POST. Repeating it is harmless, so say so: the method alone would not.
		call.Idempotent = true
		if _, err := a.do(ctx, call, &patched); err != nil {
			return err
		}
		return a.about(call, patched, id, began)
	})
	if err != nil {
		return providers.Token{}, err
	}
	return patched.domain(id.OfRegistry()), nil
}

// DeleteToken deletes a token. What comes back with the success is not documented, and not read.
func (a *adapter) DeleteToken(ctx context.Context, id providers.ID) error {
	const op = "delete token"
	if !valid(id, providers.TokenKind) {
		return providers.NotFoundError(name, op)
	}
	return a.write(ctx, op, id.OfRegistry(), func(at address) error {
		call := rest.Delete(op, at.tokens(id.Native)...)
		call.RequiredScope = writeRegistries
		_, err := a.do(ctx, call, nil)
		return err
	})
}

// about checks that an answer is about the token id, and learns the slugs that it tells.
func (a *adapter) about(call rest.Call, t token, id providers.ID, seen moment) error {
	if t.ID != id.Native {
		return a.api.Nonsense(call, "another token than asked for")
	}
	if err := a.belongs(call, t, id.OfRegistry()); err != nil {
		return err
	}
	a.learn(t, id.OfRegistry(), seen)
	return nil
}

// belongs checks that a token is the registry's. A slug leads to another registry when its own gave it up: a read has
// then found nothing, and a write has gone astray.
func (a *adapter) belongs(call rest.Call, t token, registry providers.ID) error {
	switch {
	case t.Registry.ID == registry.Native:
		return nil
	case call.Method == http.MethodGet && isUUID(t.Registry.ID):
		return providers.NotFoundError(name, call.Op)
	}
	return a.api.Nonsense(call, "the token is no token of the registry")
}

// learn remembers the slugs that a token of the registry tells.
func (a *adapter) learn(t token, registry providers.ID, seen moment) {
	if t.Registry.Slug != "" {
		a.slugs.learn(registry, t.Registry.Slug, seen)
	}
	if t.Organization.ID == registry.Organization && t.Organization.Slug != "" {
		a.slugs.learn(registry.OfOrganization(), t.Organization.Slug, seen)
	}
}

// confirm makes sure that an empty list, which names no registry, was this one's.
func (a *adapter) confirm(ctx context.Context, op string, registry providers.ID, at address) error {
	now, err := a.address(ctx, op, registry, trusted())
	if err != nil {
		return err
	}
	if now != at {
		return providers.NotFoundError(name, op)
	}
	return nil
}
