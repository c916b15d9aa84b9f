package catalog

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// exits read something of an organization, of a registry and of a token in it, and of a person, by every way out of the catalog.
// They return what was found.
func exits(c *Catalog, registry providers.ID, person string) map[string]func(context.Context) []any {
	organization, token := registry.OfOrganization(), registry.TokenID("t0")
	return map[string]func(context.Context) []any{
		"the organization": func(ctx context.Context) []any {
			return values(c.OrganizationsByID(ctx, c, []providers.ID{organization}))
		},
		"the registry":   func(ctx context.Context) []any { return values(c.RegistriesByID(ctx, []providers.ID{registry})) },
		"the token":      func(ctx context.Context) []any { return values(c.TokensByID(ctx, []providers.ID{token})) },
		"its registries": func(ctx context.Context) []any { return items(c.RegistryLists(ctx, []providers.ID{organization})) },
		"its tokens":     func(ctx context.Context) []any { return items(c.TokenLists(ctx, []providers.ID{registry})) },
		"its people":     func(ctx context.Context) []any { return items(c.UserLists(ctx, []providers.ID{organization})) },
		"a person of it": func(ctx context.Context) []any { return values(c.Users(ctx, []Person{{organization, user(person)}})) },
		"a person":       func(ctx context.Context) []any { return values(c.Users(ctx, anywhere(person))) },
		"tokens of it": func(ctx context.Context) []any {
			return anyOf(c.Tokens(ctx, c, TokenFilter{OrganizationIDs: []providers.ID{organization}}).Items)
		},
		"tokens of the registry": func(ctx context.Context) []any {
			return anyOf(c.Tokens(ctx, c, TokenFilter{RegistryIDs: []providers.ID{registry}}).Items)
		},
		"registries of it": func(ctx context.Context) []any {
			return anyOf(c.Registries(ctx, c, RegistryFilter{OrganizationIDs: []providers.ID{organization}}).Items)
		},
		"the registry by its name": func(ctx context.Context) []any {
			found, err := c.FindRegistry(ctx, c, NativeRegistry{Provider: "p", Organization: organization.Native, Registry: registry.Native})
			if err != nil {
				return nil
			}
			return []any{found}
		},
	}
}

func values[V any](entries []cache.Entry[V]) (found []any) {
	for _, entry := range entries {
		if entry.Err == nil {
			found = append(found, entry.Value)
		}
	}
	return found
}

func items[V any](entries []cache.Entry[[]V]) (found []any) {
	for _, entry := range entries {
		found = append(found, anyOf(entry.Value)...)
	}
	return found
}

func anyOf[V any](list []V) []any {
	found := make([]any, len(list))
	for i, v := range list {
		found[i] = v
	}
	return found
}

// TestNoWayOutLeadsPastAReach asks at every way out for what is out of reach: when nothing is known, when others have read it, and when
// all that is known is old and cannot be read again.
func TestNoWayOutLeadsPastAReach(t *testing.T) {
	within := func(part providers.ReachPart, names ...string) providers.Reach {
		reach, err := providers.Reach{}.Narrow(part, names...)
		if err != nil {
			t.Fatal(err)
		}
		return reach
	}
	for name, reach := range map[string]providers.Reach{
		"a registry": within(providers.ReachRegistries, grid.r0.String()), "an organization": within(providers.ReachOrganizations, grid.o.String()),
		"another account": within(providers.ReachAccounts, "elsewhere"), "another provider": within(providers.ReachProviders, "q"),
	} {
		for _, state := range []string{"unknown", "fresh", "old"} {
			t.Run(fmt.Sprint(name, ", and what lies outside is ", state), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newGrid("p", 2, 1)
					n := s.organization("n")
					hidden := s.registry(n, "hidden")
					s.token(hidden, "t0")
					s.member(n, "stranger")
					c := over(t, s.account("a"), s.account("b"))
					ways := exits(c, hidden, "stranger")
					if name == "a registry" { // its neighbour is no more theirs
						neighbour := exits(c, grid.r1, "stranger")
						for _, way := range []string{"the registry", "the token", "its tokens", "tokens of the registry", "the registry by its name"} {
							ways[way+", next to theirs"] = neighbour[way]
						}
					}
					everybody := Within(t.Context(), providers.Reach{})
					for way, read := range ways {
						if state == "unknown" {
							break
						}
						if len(read(everybody)) == 0 {
							t.Errorf("%s: nobody finds it", way)
						}
					}
					if state == "old" {
						time.Sleep(organizationsFresh + time.Second)
						s.failing(errDown)
					}
					s.requests()
					for way, read := range ways {
						if found := read(Within(t.Context(), reach)); len(found) > 0 {
							t.Errorf("%s: it is told of %v", way, found)
						}
					}
					if asked := s.requests(); asked["registry"]+asked["tokens"]+asked["token"] > 0 {
						t.Errorf("asked for it: %v", asked)
					}
					if end, err := c.CredentialExpiry(Within(t.Context(), within(providers.ReachAccounts, "b")), c.all()[0]); providers.KindOf(err) != providers.NotFound {
						t.Errorf("the end of another account's credential is told: %v, %v", end, err)
					}
				})
			})
		}
	}
}
