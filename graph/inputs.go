package graph

import (
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/providers"
)

// What callers want written, as the catalog takes it. Null is the same as left out.

// ending is in UTC, so that the same moment is the same input, however it is written.
func ending(e *model.ExpiryInput) *catalog.Expiry {
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
	// wrong is what is wrong with the id, for people; empty: nothing. The catalog refuses it, with all else that is wrong.
	wrong string
}

// registryNamed is the registry that a new token is for.
func (r *resolver) registryNamed(id providers.ID) named {
	return r.named(id, providers.RegistryKind, "registryId")
}

// tokenNamed is the token at an address.
func (r *resolver) tokenNamed(address *model.TokenAddress) named {
	native := address.Native
	if native == nil {
		return r.named(value(address.ID), providers.TokenKind, "token", "id")
	}
	registry := r.named(native.RegistryID, providers.RegistryKind, "token", "native", "registryId")
	if registry.wrong != "" {
		registry.id = providers.ProviderID(registry.id.Provider) // no token, whatever it was
		return registry
	}
	return named{id: r.catalog.TokenID(registry.id, native.NativeID), path: []string{"token", "native"}}
}

func (r *resolver) named(id providers.ID, kind providers.IDKind, path ...string) named {
	n := named{id, path, notOneOf(kind, id)}
	if _, known := r.catalog.Driver(id.Provider); !known {
		n.wrong = damagedID
	}
	return n
}
