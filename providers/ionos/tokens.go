package ionos

import (
	"context"

	"regtok/providers"
	"regtok/providers/rest"
)

// Tokens lists the tokens of a registry.
func (a *adapter) Tokens(
	ctx context.Context, registry providers.ID, page providers.PageRequest,
) (providers.Page[providers.Token], error) {
	const op = "list tokens"
	key := func(t providers.Token) providers.ID { return t.ID }
	return providers.ReadPage(op, registry, key, page, func() ([]providers.Token, error) {
		return a.tokens(ctx, op, registry)
	})
}

// tokens reads all tokens of a registry.
func (a *adapter) tokens(ctx context.Context, op string, registry providers.ID) ([]providers.Token, error) {
	if err := a.check(ctx, op, registry, providers.RegistryKind); err != nil {
		return nil, err
	}
	call := rest.Get(op, "registries", registry.Native, "tokens")
	call.RequiredScope = manageRegistries
	items, err := listByOffset[token](ctx, a.registryAPI, call)
	if err != nil {
		return nil, err
	}
	tokens := make([]providers.Token, 0, len(items))
	for _, item := range items {
		tokens = append(tokens, item.domain(registry))
	}
	return tokens, nil
}

// Token returns one token.
func (a *adapter) Token(ctx context.Context, id providers.ID) (providers.Token, error) {
	const op = "get token"
	if err := a.check(ctx, op, id, providers.TokenKind); err != nil {
		return providers.Token{}, err
	}
	got, err := a.do(ctx, rest.Get(op, path(id)...), id)
	if err != nil {
		return providers.Token{}, err
	}
	return got.domain(id.OfRegistry()), nil
}

// CreateToken makes a token with POST, once. IONOS chooses its id.
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
	body, err := newTokenInput(op, in)
	if err != nil {
		return providers.Created{}, err
	}
	if err := a.owns(ctx, op, registry); err != nil {
		return providers.Created{}, err
	}
	call := rest.Post(op, body, "registries", registry.Native, "tokens")
	call.RequiredScope = manageRegistries
	var created token
	if _, err := a.registryAPI.Do(ctx, call, &created); err != nil {
		return providers.Created{}, err
	}
	if !rest.IsUUID(created.ID) {
		return providers.Created{}, a.registryAPI.Nonsense(call, badItem)
	}
	if created.Properties.Credentials.Password.Empty() {
		return providers.Created{}, a.registryAPI.Nonsense(call, "a new token without its secret")
	}
	return created.withSecret(registry), nil
}

// ReplaceToken puts a token's whole state with PUT, once, which creates it under its id when it is missing. The API
// description has 201 for both; a password comes only with a token that is new.
func (a *adapter) ReplaceToken(ctx context.Context, id providers.ID, in providers.TokenState) (providers.Created, error) {
	const op = "replace token"
	if err := providers.CheckFields(name, op, in.Fields(), capabilities().ReplaceFields); err != nil {
		return providers.Created{}, err
	}
	if !valid(id.OfRegistry(), providers.RegistryKind) {
		return providers.Created{}, providers.NotFoundError(name, op)
	}
	if !isUUID(id.Native) {
		return providers.Created{}, providers.InvalidError(name, op, providers.FieldID,
			"IONOS takes a UUID as the id of a new token, for example 6f9619ff-8b86-4d11-b42d-00c04fc964ff")
	}
	body, err := wholeTokenInput(op, in)
	if err != nil {
		return providers.Created{}, err
	}
	if err := a.owns(ctx, op, id); err != nil {
		return providers.Created{}, err
	}
	call := rest.Put(op, body, path(id)...)
	// The method could be repeated. But the answer that was lost may have held a new token's password, and a second
	// one would come without: then a secret that exists is lost, and nobody is told.
	call.Idempotent = false
	put, err := a.do(ctx, call, id)
	if err != nil {
		return providers.Created{}, err
	}
	return put.withSecret(id.OfRegistry()), nil
}

// PatchToken changes what the patch sets.
func (a *adapter) PatchToken(ctx context.Context, id providers.ID, patch providers.TokenPatch) (providers.Token, error) {
	const op = "patch token"
	if err := providers.CheckFields(name, op, patch.Fields(), capabilities().PatchFields); err != nil {
		return providers.Token{}, err
	}
	if !valid(id, providers.TokenKind) {
		return providers.Token{}, providers.NotFoundError(name, op)
	}
	body, err := patchInput(op, patch)
	if err != nil {
		return providers.Token{}, err
	}
	if err := a.owns(ctx, op, id); err != nil {
		return providers.Token{}, err
	}
	call := rest.Patch(op, body, path(id)...)
	// Each field is put to a value, whatever it was before, so a second time changes nothing.
	call.Idempotent = true
	patched, err := a.do(ctx, call, id)
	if err != nil {
		return providers.Token{}, err
	}
	return patched.domain(id.OfRegistry()), nil
}

// DeleteToken deletes a token.
func (a *adapter) DeleteToken(ctx context.Context, id providers.ID) error {
	const op = "delete token"
	if err := a.check(ctx, op, id, providers.TokenKind); err != nil {
		return err
	}
	call := rest.Delete(op, path(id)...)
	call.RequiredScope = manageRegistries
	_, err := a.registryAPI.Do(ctx, call, nil)
	return err
}

// path is where a token is.
func path(id providers.ID) []string {
	return []string{"registries", id.Registry, "tokens", id.Native}
}

// do sends a call about one token and makes sure that the answer is about it.
func (a *adapter) do(ctx context.Context, call rest.Call, id providers.ID) (token, error) {
	call.RequiredScope = manageRegistries
	var answer token
	if _, err := a.registryAPI.Do(ctx, call, &answer); err != nil {
		return token{}, err
	}
	if !sameID(answer.ID, id.Native) {
		return token{}, a.registryAPI.Nonsense(call, "another token than asked for")
	}
	return answer, nil
}

// withSecret is the token with the password that came with it, if one did.
func (t token) withSecret(registry providers.ID) providers.Created {
	return providers.Created{Token: t.domain(registry), Secret: t.Properties.Credentials.Password.Secret}
}
