package catalog

import (
	"cmp"
	"context"
	"strings"
	"time"

	"regtok/cache"
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
	if err := c.KnowsProvider(native.Provider); err != nil {
		err.Field = "address.native.provider"
		return nil, err
	}
	s := c.search(ctx, lists, native)
	if len(s.found) == 0 && s.old { // it may have been made since
		s = c.search(cache.NoCache(ctx), c, native)
	}
	switch {
	case len(s.found) > 1:
		return nil, &providers.Error{Kind: providers.Invalid, Field: "address.native.organization",
			Message: "several registries are called " + clip(native.Registry) + "; name the organization, or use the native id"}
	case len(s.found) == 1:
		return s.one, nil
	case s.failure != nil:
		return nil, s.failure
	}
	return nil, providers.NotFoundError(native.Provider, "find registry")
}

// search looks into every list that may hold the registry.
func (c *Catalog) search(ctx context.Context, lists Lists, native NativeRegistry) search {
	s := search{NativeRegistry: native, found: map[providers.ID]*Registry{}}
	for _, entry := range lists.OrganizationLists(ctx, c.within(ctx, c.of(native.Provider))) {
		s.note(entry.Err, entry.StaleSince, entry.Cause)
		s.organizationsIn(entry.Value)
	}
	for _, entry := range lists.RegistryLists(ctx, s.organizations) {
		s.note(unlessGone(entry.Err), entry.StaleSince, entry.Cause)
		s.registriesIn(entry.Value)
	}
	return s
}

// search is what was found, and what may be missing.
type search struct {
	NativeRegistry
	organizations []providers.ID
	found         map[providers.ID]*Registry
	one           *Registry // any of found
	failure       error     // why what is not found may be there all the same
	old           bool      // some list was
}

func (s *search) note(err error, staleSince time.Time, cause error) {
	if err = cmp.Or(err, cause); err != nil {
		s.failure = err
	}
	s.old = s.old || !staleSince.IsZero()
}

func (s *search) organizationsIn(list []*Organization) {
	for _, o := range list {
		if s.Organization == "" || s.Organization == o.Slug || s.Organization == o.ID.Native {
			s.organizations = append(s.organizations, o.ID)
		}
	}
}

func (s *search) registriesIn(list []*Registry) {
	for _, r := range list {
		if s.Registry == r.ID.Native || s.Registry == cmp.Or(r.Slug, r.Name) {
			s.found[r.ID], s.one = r, r
		}
	}
}

// KnowsProvider is nil for the name of a provider, and Invalid with the names that there are for any other.
func (c *Catalog) KnowsProvider(name string) *providers.Error {
	if _, ok := c.Driver(name); ok {
		return nil
	}
	return &providers.Error{Kind: providers.Invalid, Message: "there is no provider " + clip(name) + "; there are " + c.driverNames()}
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
