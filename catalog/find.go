package catalog

import (
	"context"
	"strings"

	"regtok/providers"
)

// NativeRegistry names a registry as its provider does.
type NativeRegistry struct {
	Provider string // the driver's name
	// Organization is a slug or a native id. Empty: wherever the registry is.
	Organization string
	// Registry is a slug, a native id or, where the provider has no slugs, a name.
	Registry string
}

// FindRegistry looks a registry up by what its provider calls it. One that is nowhere is NotFound; a provider that
// does not exist, and a name that fits several, are Invalid.
func (c *Catalog) FindRegistry(ctx context.Context, lists Lists, native NativeRegistry) (*Registry, error) {
	if _, ok := c.Driver(native.Provider); !ok {
		return nil, &providers.Error{Kind: providers.Invalid, Field: "address.native.provider",
			Message: "there is no provider " + clip(native.Provider) + "; there are " + c.driverNames()}
	}
	var failure error
	var organizations []providers.ID
	for _, entry := range lists.OrganizationLists(ctx, c.of(native.Provider)) {
		if entry.Err != nil {
			failure = entry.Err
		}
		for _, o := range entry.Value {
			if native.Organization == "" || native.Organization == o.Slug || native.Organization == o.ID.Native {
				organizations = append(organizations, o.ID)
			}
		}
	}
	found := map[providers.ID]*Registry{}
	for _, entry := range lists.RegistryLists(ctx, organizations) {
		if entry.Err != nil {
			failure = entry.Err
		}
		for _, r := range entry.Value {
			if native.names(r) {
				found[r.ID] = r
			}
		}
	}
	for _, r := range found {
		if len(found) == 1 {
			return r, nil
		}
	}
	if len(found) > 1 {
		return nil, &providers.Error{Kind: providers.Invalid, Field: "address.native.organization",
			Message: "several registries are called " + clip(native.Registry) + "; name the organization, or use the native id"}
	}
	if failure != nil {
		return nil, failure
	}
	return nil, providers.NotFoundError(native.Provider, "find registry")
}

func (n NativeRegistry) names(r *Registry) bool {
	return n.Registry == r.ID.Native || n.Registry == r.Slug || r.Slug == "" && n.Registry == r.Name
}

func (c *Catalog) driverNames() string {
	names := make([]string, len(c.drivers))
	for i, d := range c.drivers {
		names[i] = d.Name
	}
	return strings.Join(names, ", ")
}

// clip keeps a caller's text short enough to be said back.
func clip(s string) string {
	if len(s) <= 64 {
		return `"` + s + `"`
	}
	return `"` + strings.ToValidUTF8(s[:64], "") + `…"`
}
