package catalog

import (
	"cmp"
	"strings"
	"time"

	"regtok/providers"
)

// Order is an order of a list: by a key, then by id. Items without a key come last in either direction.
type Order[T any] struct {
	// name stands in cursors, so that a cursor of one order is refused by another.
	name string
	desc bool
	key  func(T) sortKey
	id   func(T) providers.ID
}

// sortKey is what an item is sorted by: a text or a moment.
type sortKey struct {
	text string
	time int64 // Unix microseconds: nanoseconds end with the year 2262, tokens do not
	none bool
}

func byText(s string) sortKey {
	return sortKey{text: strings.ToLower(s), none: s == ""}
}

func byTime(t time.Time) sortKey {
	if t.IsZero() {
		return sortKey{none: true}
	}
	return sortKey{time: t.UnixMicro()}
}

// place is where an item stands in an order.
type place struct {
	key sortKey
	id  providers.ID
}

func (o Order[T]) place(item T) place { return place{o.key(item), o.id(item)} }

// compareKeys orders what has key a before what has key b when it is negative.
func (o Order[T]) compareKeys(a, b sortKey) int {
	if a.none != b.none {
		if a.none {
			return 1
		}
		return -1
	}
	c := cmp.Compare(a.time, b.time)
	if c == 0 {
		c = strings.Compare(a.text, b.text)
	}
	if o.desc {
		return -c
	}
	return c
}

// compareItems orders a, whose key is given, before b when it is negative.
func (o Order[T]) compareItems(aKey sortKey, a T, bKey sortKey, b T) int {
	if c := o.compareKeys(aKey, bKey); c != 0 {
		return c
	}
	return compareIDs(o.id(a), o.id(b))
}

func compareIDs(a, b providers.ID) int {
	return cmp.Or(
		strings.Compare(a.Provider, b.Provider),
		strings.Compare(a.Organization, b.Organization),
		strings.Compare(a.Registry, b.Registry),
		strings.Compare(a.Native, b.Native),
	)
}

// OrganizationsByName is the order of organizations.
func OrganizationsByName() Order[*Organization] {
	return Order[*Organization]{
		name: "organizations",
		key:  func(o *Organization) sortKey { return byText(o.Name) },
		id:   func(o *Organization) providers.ID { return o.ID },
	}
}

// UsersByName is the order of people.
func UsersByName() Order[*User] {
	return Order[*User]{
		name: "users",
		key:  func(u *User) sortKey { return byText(u.Name) },
		id:   func(u *User) providers.ID { return u.ID },
	}
}

// RegistriesByName is the order by name, in any case.
func RegistriesByName(desc bool) Order[*Registry] {
	return registryOrder("name", desc, func(r *Registry) sortKey { return byText(r.Name) })
}

// RegistriesByCreation is the order by date of creation.
func RegistriesByCreation(desc bool) Order[*Registry] {
	return registryOrder("created", desc, func(r *Registry) sortKey { return byTime(r.CreatedAt) })
}

func registryOrder(name string, desc bool, key func(*Registry) sortKey) Order[*Registry] {
	return Order[*Registry]{name: "registries by " + name, desc: desc, key: key, id: func(r *Registry) providers.ID { return r.ID }}
}

// TokensByName is the order by name, in any case.
func TokensByName(desc bool) Order[*Token] {
	return tokenOrder("name", desc, func(t *Token) sortKey { return byText(t.Name) })
}

// TokensByCreation is the order by date of creation.
func TokensByCreation(desc bool) Order[*Token] {
	return tokenOrder("created", desc, func(t *Token) sortKey { return byTime(t.CreatedAt) })
}

// TokensByUpdate is the order by date of the last change; those that never changed come last.
func TokensByUpdate(desc bool) Order[*Token] {
	return tokenOrder("updated", desc, func(t *Token) sortKey { return byTime(t.UpdatedAt) })
}

// TokensByDue is the order by due date; those never due come last.
func TokensByDue(desc bool) Order[*Token] {
	return tokenOrder("due", desc, func(t *Token) sortKey { return byTime(t.DueAt) })
}

func tokenOrder(name string, desc bool, key func(*Token) sortKey) Order[*Token] {
	return Order[*Token]{name: "tokens by " + name, desc: desc, key: key, id: func(t *Token) providers.ID { return t.ID }}
}
