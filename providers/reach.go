package providers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reach is a part of all that there is: that which somebody may know of. The zero Reach is all of it. A Reach is never
// changed, so it may be shared; what Narrow returns is narrower, and nothing makes one wider.
//
// An organization is within reach when its provider is, it is among the organizations, and one of the registries is its own;
// a registry when its organization is, and it is among the registries; a token when its registry is. Lists that were
// not narrowed do not count.
type Reach struct{ limits *limits } // nil: none

// ReachPart is a list that a Reach can be narrowed to. Its value is its name in a configuration.
type ReachPart string

// The parts of a Reach. Providers and accounts are named as in the configuration, organizations and registries by their ids.
const (
	ReachProviders     ReachPart = "providers"
	ReachAccounts      ReachPart = "accounts"
	ReachOrganizations ReachPart = "organizations"
	ReachRegistries    ReachPart = "registries"
)

// ReachParts are all parts, in the order in which people say them.
func ReachParts() []ReachPart {
	return []ReachPart{ReachProviders, ReachAccounts, ReachOrganizations, ReachRegistries}
}

// limits has for each part what is within reach; nil: that part is not narrowed.
type limits struct {
	providers, accounts       set[string]
	organizations, registries set[ID]
	// What follows from these two: whose registries they are, and the providers of all of it.
	holders set[ID]
	used    set[string]
}

type set[T comparable] map[T]bool

// holds tells whether v is in the set; nil holds everything.
func (s set[T]) holds(v T) bool { return s == nil || s[v] }

// and returns what is in s and among the values. It is never nil.
func (s set[T]) and(values []T) set[T] {
	both := set[T]{}
	for _, v := range values {
		if s.holds(v) {
			both[v] = true
		}
	}
	return both
}

// NewReach makes the Reach that a configuration says, by the names of its parts. It refuses to guess: nothing at all, a part
// that there is not, an empty list, and a damaged id are errors that say so.
func NewReach(said map[ReachPart][]string) (Reach, error) {
	if len(said) == 0 {
		return Reach{}, fmt.Errorf("it names nothing; say at least one of %s, or leave it out, and everything is within reach", partNames())
	}
	var r Reach
	for _, part := range slices.Sorted(maps.Keys(said)) {
		if len(said[part]) == 0 {
			return Reach{}, fmt.Errorf("%s is empty, and nothing would be within reach; name at least one, or leave %[1]s out", part)
		}
		var err error
		if r, err = r.Narrow(part, said[part]...); err != nil {
			return Reach{}, err
		}
	}
	return r, nil
}

// Narrow returns what is in r and among the things named; without any, that is nothing. A part that there is not, and an id
// that is none of its part, are errors; then, too, nothing is within the reach that comes with them.
func (r Reach) Narrow(part ReachPart, names ...string) (Reach, error) {
	nothing := Reach{&limits{providers: set[string]{}}}
	var l limits
	if r.limits != nil {
		l = *r.limits
	}
	var err error
	switch part {
	case ReachProviders:
		l.providers = l.providers.and(names)
	case ReachAccounts:
		l.accounts = l.accounts.and(names)
	case ReachOrganizations:
		l.organizations, err = narrowed(l.organizations, names, OrganizationKind, "an organization")
	case ReachRegistries:
		l.registries, err = narrowed(l.registries, names, RegistryKind, "a registry")
	default:
		err = fmt.Errorf("there is no %q; there are %s", part, partNames())
	}
	if err != nil {
		return nothing, err
	}
	l.follow()
	return Reach{&l}, nil
}

func narrowed(ids set[ID], names []string, kind IDKind, what string) (set[ID], error) {
	named := make([]ID, len(names))
	for i, name := range names {
		id, err := ParseID(name)
		if err != nil || id.Kind != kind {
			return nil, fmt.Errorf("%q is not the id of %s; take it from an `id` field of this server's answers", name, what)
		}
		named[i] = id
	}
	return ids.and(named), nil
}

// follow finds out what follows from organizations and registries.
func (l *limits) follow() {
	l.holders, l.used = nil, nil
	organizations := l.organizations
	if l.registries != nil {
		l.holders = set[ID]{}
		for id := range l.registries {
			l.holders[id.OfOrganization()] = true
		}
		organizations = organizations.and(slices.Collect(maps.Keys(l.holders)))
	}
	if organizations == nil {
		return
	}
	l.used = set[string]{}
	for id := range organizations {
		l.used[id.Provider] = true
	}
}

// Everywhere tells whether r is not narrowed at all.
func (r Reach) Everywhere() bool { return r.limits == nil }

// Sees tells whether what an id names is within reach, as far as the id tells. Which account reads an organization stands in no
// id, and in whose organization a person is not in that person's.
func (r Reach) Sees(id ID) bool {
	l := r.limits
	if l == nil {
		return true
	}
	if !l.providers.holds(id.Provider) {
		return false
	}
	switch id.Kind {
	case UserKind:
		return l.used.holds(id.Provider)
	case AccountKind:
		return l.accounts.holds(id.Native) && l.used.holds(id.Provider)
	case OrganizationKind:
		return l.organizations.holds(id) && l.holders.holds(id)
	case RegistryKind:
		return l.registries.holds(id) && l.organizations.holds(id.OfOrganization())
	case TokenKind:
		return r.Sees(id.OfRegistry())
	}
	return false
}

// Whole tells whether all that an account within reach sees is within reach, too.
func (r Reach) Whole() bool {
	return r.limits == nil || r.limits.organizations == nil && r.limits.registries == nil
}

// WholeOrganizations tells whether all of each organization within reach is within reach, too.
func (r Reach) WholeOrganizations() bool { return r.limits == nil || r.limits.registries == nil }

// Providers are the names that r is narrowed to, in no order; nil: it is not.
func (r Reach) Providers() []string {
	return r.named(func(l *limits) set[string] { return l.providers })
}

// Accounts are likewise.
func (r Reach) Accounts() []string { return r.named(func(l *limits) set[string] { return l.accounts }) }

func (r Reach) named(of func(*limits) set[string]) []string {
	if r.limits == nil || of(r.limits) == nil {
		return nil
	}
	return slices.AppendSeq([]string{}, maps.Keys(of(r.limits)))
}

// Equal tells whether two are the same part of everything, said in the same way.
func (r Reach) Equal(o Reach) bool {
	if r.limits == nil || o.limits == nil {
		return r.limits == o.limits
	}
	a, b := r.limits, o.limits
	return same(a.providers, b.providers) && same(a.accounts, b.accounts) &&
		same(a.organizations, b.organizations) && same(a.registries, b.registries)
}

func same[T comparable](a, b set[T]) bool { return (a == nil) == (b == nil) && maps.Equal(a, b) }

func partNames() string {
	names := make([]string, 0, 4)
	for _, part := range ReachParts() {
		names = append(names, string(part))
	}
	return strings.Join(names, ", ")
}
