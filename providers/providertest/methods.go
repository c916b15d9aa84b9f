package providertest

import (
	"context"
	"slices"
	"time"

	"regtok/providers"
)

// method is one method of Provider, to be called with arguments that make sense.
type method struct {
	name   string
	writes bool
	// about is the kind of the most precise id that it takes; zero: none.
	about providers.IDKind
	cost  providers.Cost
	// call returns what the method returned.
	call func(context.Context, providers.Provider, world) (any, error)
}

// creates tells whether a call may make a token, whose secret is in the answer alone.
func (m method) creates() bool { return m.name == "CreateToken" || m.name == "ReplaceToken" }

// methods are all methods that the driver supports. The writes change the world's token, or make a new one.
func (r *rig) methods() []method {
	costs, can := r.driver.Costs, r.driver.Capabilities
	page := providers.PageRequest{}
	all := []method{
		{"Organizations", false, 0, costs.Organizations, func(ctx context.Context, p providers.Provider, _ world) (any, error) {
			return p.Organizations(ctx, page)
		}},
		{"Registries", false, providers.OrganizationKind, costs.Registries, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.Registries(ctx, w.organization, page)
		}},
		{"Registry", false, providers.RegistryKind, costs.Registry, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.Registry(ctx, w.registry)
		}},
		{"Tokens", false, providers.RegistryKind, costs.Tokens, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.Tokens(ctx, w.registry, page)
		}},
		{"Token", false, providers.TokenKind, costs.Token, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.Token(ctx, w.token.ID)
		}},
		{"Users", false, providers.OrganizationKind, costs.Users, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.Users(ctx, w.organization, page)
		}},
		{"User", false, providers.UserKind, costs.User, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.User(ctx, w.organization, w.user)
		}},
		{"CredentialExpiry", false, 0, costs.CredentialExpiry, func(ctx context.Context, p providers.Provider, _ world) (any, error) {
			return p.CredentialExpiry(ctx)
		}},
		{"CreateToken", true, providers.RegistryKind, costs.CreateToken, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.CreateToken(ctx, w.registry, state(can.CreateFields, r.newName()))
		}},
		{"ReplaceToken", true, providers.TokenKind, costs.ReplaceToken, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.ReplaceToken(ctx, w.token.ID, state(can.ReplaceFields, w.token.Name))
		}},
		{"PatchToken", true, providers.TokenKind, costs.PatchToken, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return p.PatchToken(ctx, w.token.ID, patch(can.PatchFields, r.newName()))
		}},
		{"DeleteToken", true, providers.TokenKind, costs.DeleteToken, func(ctx context.Context, p providers.Provider, w world) (any, error) {
			return nil, p.DeleteToken(ctx, w.token.ID)
		}},
	}
	return slices.DeleteFunc(all, func(m method) bool {
		return m.name == "CreateToken" && len(can.CreateFields) == 0 ||
			m.name == "ReplaceToken" && len(can.ReplaceFields) == 0 || m.name == "PatchToken" && len(can.PatchFields) == 0
	})
}

// state chooses a value for each of the fields.
func state(fields []providers.TokenField, name string) providers.TokenState {
	var s providers.TokenState
	for _, field := range fields {
		switch field {
		case providers.FieldName:
			s.Name = name
		case providers.FieldExpiry:
			s.ExpiresAt = new(inDays(2))
		case providers.FieldScopes:
			s.Scopes = someScopes("team/app")
		case providers.FieldEnabled:
			s.Enabled = new(false)
		}
	}
	return s
}

// patch sets each of the fields to another value than state does.
func patch(fields []providers.TokenField, name string) providers.TokenPatch {
	var p providers.TokenPatch
	for _, field := range fields {
		switch field {
		case providers.FieldName:
			p.Name = providers.Some(name)
		case providers.FieldExpiry:
			p.ExpiresAt = providers.Some(inDays(30))
		case providers.FieldScopes:
			p.Scopes = providers.Some(someScopes("team/other"))
		case providers.FieldEnabled:
			p.Enabled = providers.Some(true)
		}
	}
	return p
}

// inDays is a time to come, in the whole seconds of UTC that every provider keeps.
func inDays(n int) time.Time { return time.Now().UTC().Truncate(time.Second).AddDate(0, 0, n) }

// someScopes are out of order.
func someScopes(repository string) []providers.Scope {
	return []providers.Scope{
		{Type: "repository", Name: repository, Actions: []string{"push", "pull"}},
		{Type: "registry", Name: "*", Actions: []string{"list"}},
	}
}
