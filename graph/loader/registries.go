package loader

import (
	"context"
	"slices"

	"regtok/cache"
	"regtok/catalog"
	"regtok/providers"
)

// registriesOf looks for registries in the lists that this response has read or is reading, and asks the catalog for the
// rest. The catalog does the same with what it has cached; it may have nothing.
func (l *Loaders) registriesOf(c *catalog.Catalog) func(context.Context, []providers.ID) []cache.Entry[*catalog.Registry] {
	return func(ctx context.Context, ids []providers.ID) []cache.Entry[*catalog.Registry] {
		entries := make([]cache.Entry[*catalog.Registry], len(ids))
		var missing []providers.ID
		var places []int
		for i, id := range ids {
			var ok bool
			if entries[i], ok = l.listed(ctx, id); !ok {
				missing, places = append(missing, id), append(places, i)
			}
		}
		if len(missing) == 0 {
			return entries
		}
		for i, entry := range c.RegistriesByID(ctx, missing) {
			entries[places[i]] = entry
		}
		return entries
	}
}

// listed finds a registry in its organization's list, if that is there and not old.
func (l *Loaders) listed(ctx context.Context, id providers.ID) (cache.Entry[*catalog.Registry], bool) {
	thunk, ok := l.listsOfRegistries.Get(ctx, id.OfOrganization())
	if !ok {
		return cache.Entry[*catalog.Registry]{}, false
	}
	list, err := thunk()
	if err != nil || list.Err != nil || !list.StaleSince.IsZero() {
		return cache.Entry[*catalog.Registry]{}, false
	}
	at := slices.IndexFunc(list.Value, func(r *catalog.Registry) bool { return r.ID == id })
	if at < 0 {
		return cache.Entry[*catalog.Registry]{}, false
	}
	return cache.Entry[*catalog.Registry]{Value: list.Value[at], ObservedAt: list.ObservedAt}, true
}
