package catalog

import (
	"time"

	"regtok/cache"
)

// agable is a thing that can say since when it is old.
type agable[T any] interface {
	*T
	oldSince(since time.Time)
}

func (o *Organization) oldSince(since time.Time) { o.StaleSince = since }
func (r *Registry) oldSince(since time.Time)     { r.StaleSince = since }
func (t *Token) oldSince(since time.Time)        { t.StaleSince = since }

// aged is a list whose things say themselves that they are old, where its note would say so. What is shown far from its
// list has no note beside it.
func aged[P agable[T], T any](list cache.Entry[[]P]) cache.Entry[[]P] {
	since := toldSince(list)
	if since.IsZero() {
		return list
	}
	copies, things := make([]T, len(list.Value)), make([]P, len(list.Value))
	for i, thing := range list.Value {
		copies[i] = *thing // the cache's own is everybody's
		things[i] = &copies[i]
		things[i].oldSince(since)
	}
	list.Value = things
	return list
}

func agedLists[P agable[T], T any](lists []cache.Entry[[]P]) []cache.Entry[[]P] {
	for i, list := range lists {
		lists[i] = aged(list)
	}
	return lists
}

// agedEach dates things that were looked up one by one.
func agedEach[P agable[T], T any](entries []cache.Entry[P]) []cache.Entry[P] {
	for i, entry := range entries {
		since := toldSince(entry)
		if since.IsZero() || entry.Value == nil {
			continue
		}
		one := *entry.Value
		entries[i].Value = &one
		entries[i].Value.oldSince(since)
	}
	return entries
}

// toldSince is when an entry left its provider that is told to be old; zero for one that is fresh, or old by a moment
// and being renewed.
func toldSince[V any](entry cache.Entry[V]) time.Time {
	if entry.Err != nil || entry.StaleSince.IsZero() || entry.Cause == nil {
		return time.Time{}
	}
	return entry.ObservedAt
}
