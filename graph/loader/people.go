package loader

import (
	"context"
	"slices"

	"regtok/cache"
	"regtok/catalog"
	"regtok/providers"
)

// UsersFromLists returns each person out of their organization's list, for callers of whom more are to come: one request
// answers all of them, where Users would read the first one alone.
func (l *Loaders) UsersFromLists(ctx context.Context, people []catalog.Person) []cache.Entry[*catalog.User] {
	organizations := make([]providers.ID, len(people))
	for i, p := range people {
		organizations[i] = p.Organization
	}
	entries := make([]cache.Entry[*catalog.User], len(people))
	for i, list := range l.UserLists(ctx, organizations) {
		entries[i] = personIn(list, people[i].ID)
	}
	return entries
}

func personIn(list cache.Entry[[]*catalog.User], id providers.ID) cache.Entry[*catalog.User] {
	entry := cache.Entry[*catalog.User]{Err: list.Err, ObservedAt: list.ObservedAt, StaleSince: list.StaleSince, Cause: list.Cause}
	if list.Err != nil {
		return entry
	}
	at := slices.IndexFunc(list.Value, func(u *catalog.User) bool { return u.ID == id })
	if at < 0 {
		entry.Err = providers.NotFoundError(id.Provider, "get user")
		return entry
	}
	entry.Value = list.Value[at]
	return entry
}
