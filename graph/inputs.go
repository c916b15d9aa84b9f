package graph

import (
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/providers"
)

// What callers want written, as the catalog takes it. Null is the same as left out.

// expiry is in UTC, so that the same moment is the same input, however it is written.
func expiry(e *model.ExpiryInput) *catalog.Expiry {
	if e == nil {
		return nil
	}
	given := catalog.Expiry{In: e.In, Never: e.Never}
	if e.At != nil {
		at := e.At.UTC()
		given.At = &at
	}
	return &given
}

// scopes keeps an empty list apart from none.
func scopes(list []*model.TokenScopeInput) []providers.Scope {
	if list == nil {
		return nil
	}
	given := make([]providers.Scope, len(list))
	for i, s := range list {
		given[i] = providers.Scope{Type: s.Type, Name: s.Name, Actions: s.Actions}
	}
	return given
}

func scopesPatch(p *model.TokenScopesPatch) *catalog.ScopesPatch {
	if p == nil {
		return nil
	}
	patch := catalog.ScopesPatch{Set: scopes(p.Set)}
	if p.Change != nil {
		patch.Change = &catalog.ScopesChange{Remove: scopes(p.Change.Remove), Add: scopes(p.Change.Add)}
	}
	return &patch
}

// named is a thing as an input names it.
type named struct {
	id providers.ID
	// path leads to where it is named, from the input's root.
	path []string
}

// registryNamed is the registry that a new token is for, or why there is none.
func (r *resolver) registryNamed(id providers.ID) (named, []model.UserError) {
	n := named{id, []string{"registryId"}}
	return n, r.mustName(n, providers.RegistryKind)
}

// tokenNamed is the token at an address, or why there is none.
func (r *resolver) tokenNamed(address *model.TokenAddress) (named, []model.UserError) {
	if native := address.Native; native != nil {
		registry := named{native.RegistryID, []string{"token", "native", "registryId"}}
		return named{registry.id.TokenID(native.NativeID), []string{"token", "native"}}, r.mustName(registry, providers.RegistryKind)
	}
	n := named{value(address.ID), []string{"token", "id"}}
	return n, r.mustName(n, providers.TokenKind)
}

// mustName refuses an id that is damaged, of another kind of thing, or of a provider that this server does not know.
func (r *resolver) mustName(n named, kind providers.IDKind) []model.UserError {
	message := notOneOf(kind, n.id)
	if _, known := r.catalog.Driver(n.id.Provider); message == "" && !known {
		message = damagedID
	}
	if message == "" {
		return nil
	}
	return r.userErrors([]catalog.Problem{{Kind: providers.NotFound, Message: message, Path: n.path}}, n)
}
