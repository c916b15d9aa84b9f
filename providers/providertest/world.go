package providertest

import (
	"context"
	"testing"

	"regtok/providers"
)

// world is what calls are about: two registries of one organization, and a token of the first and whoever made it.
type world struct {
	organization    providers.ID
	registry, other providers.ID
	token           providers.Token
	user            providers.ID
}

// explore finds a world. Without registries or tokens the parts that there are none of stay empty.
func (r *rig) explore(t *testing.T) world {
	t.Helper()
	var w world
	organizations := must(r.organizations(t.Context(), r.provider))(t)
	if len(organizations) == 0 {
		t.Fatal("there is no organization")
	}
	w.organization = organizations[0].ID
	registries := must(r.registries(t.Context(), r.provider, w.organization))(t)
	if len(registries) < 2 {
		t.Fatalf("there are %d registries in the first organization, want two", len(registries))
	}
	w.registry, w.other = registries[0].ID, registries[1].ID
	tokens := must(r.tokens(t.Context(), r.provider, w.registry))(t)
	for _, token := range tokens {
		if token.CreatedBy != nil && w.user.IsZero() {
			w.token, w.user = token, token.CreatedBy.ID
		}
	}
	return w
}

// must fails the test when a call failed: must(call())(t).
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func (r *rig) organizations(ctx context.Context, p providers.Provider) ([]providers.Organization, error) {
	return providers.All(ctx, func(o providers.Organization) providers.ID { return o.ID }, p.Organizations)
}

func (r *rig) registries(ctx context.Context, p providers.Provider, organization providers.ID) ([]providers.Registry, error) {
	return providers.All(ctx, func(g providers.Registry) providers.ID { return g.ID },
		func(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Registry], error) {
			return p.Registries(ctx, organization, page)
		})
}

func (r *rig) tokens(ctx context.Context, p providers.Provider, registry providers.ID) ([]providers.Token, error) {
	return providers.All(ctx, func(k providers.Token) providers.ID { return k.ID },
		func(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Token], error) {
			return p.Tokens(ctx, registry, page)
		})
}

func (r *rig) users(ctx context.Context, p providers.Provider, organization providers.ID) ([]providers.User, error) {
	return providers.All(ctx, func(u providers.User) providers.ID { return u.ID },
		func(ctx context.Context, page providers.PageRequest) (providers.Page[providers.User], error) {
			return p.Users(ctx, organization, page)
		})
}
