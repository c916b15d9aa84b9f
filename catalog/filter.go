package catalog

import (
	"slices"
	"strings"
	"time"

	"regtok/providers"
)

// OrganizationFilter chooses organizations. All conditions must hold; nil ones do; an empty list matches nothing.
type OrganizationFilter struct {
	Providers []string
	Search    string
}

// Match tells whether o passes.
func (f OrganizationFilter) Match(o *Organization) bool {
	return among(f.Providers, o.ID.Provider) && found(f.Search, o.Name, o.Slug, o.ID.Native)
}

// RegistryFilter chooses registries, as OrganizationFilter does organizations.
type RegistryFilter struct {
	Providers       []string
	OrganizationIDs []providers.ID
	Ecosystems      []string
	Search          string
}

// Match tells whether r passes.
func (f RegistryFilter) Match(r *Registry) bool {
	return among(f.Providers, r.ID.Provider) &&
		among(f.OrganizationIDs, r.ID.OfOrganization()) &&
		among(f.Ecosystems, r.Ecosystem) &&
		found(f.Search, r.Name, r.Slug, r.ID.Native, r.Description)
}

// nothing tells that no registry can pass, so that none need be read.
func (f RegistryFilter) nothing() bool {
	return none(f.Providers) || none(f.OrganizationIDs) || none(f.Ecosystems)
}

// TokenFilter chooses tokens, as OrganizationFilter does organizations.
type TokenFilter struct {
	Providers       []string
	OrganizationIDs []providers.ID
	RegistryIDs     []providers.ID
	CreatedByIDs    []providers.ID
	States          []TokenState
	Search          string
	Created, Due    Range
	// DueWithin: due between now and then. Nil: no condition.
	DueWithin *time.Duration
	// NeverDue: true, only those never due; false, only those due some day. Nil: no condition.
	NeverDue *bool
	Scope    *ScopeFilter
}

// nothing tells that no token can pass, so that none need be read.
func (f TokenFilter) nothing() bool {
	return none(f.Providers) || none(f.OrganizationIDs) || none(f.RegistryIDs) || none(f.CreatedByIDs) || none(f.States)
}

// Range is a span of time from From, included, to To, excluded. A zero end is open.
type Range struct{ From, To time.Time }

// ScopeFilter matches a scope that fits all given properties; empty ones fit.
type ScopeFilter struct{ Type, Name, Action string }

// Matcher makes the test of one moment: whether a token passes. Lists are long, so it looks at nothing that has no
// condition.
func (f TokenFilter) Matcher(now time.Time) func(*Token) bool {
	var tests []func(*Token) bool
	test := func(wanted bool, passes func(*Token) bool) {
		if wanted {
			tests = append(tests, passes)
		}
	}
	search := strings.ToLower(f.Search)
	var soon Range
	if f.DueWithin != nil {
		soon = Range{From: now, To: now.Add(*f.DueWithin)}
	}
	test(f.Providers != nil, func(t *Token) bool { return among(f.Providers, t.ID.Provider) })
	test(f.OrganizationIDs != nil, func(t *Token) bool { return among(f.OrganizationIDs, t.ID.OfOrganization()) })
	test(f.RegistryIDs != nil, func(t *Token) bool { return among(f.RegistryIDs, t.ID.OfRegistry()) })
	test(f.CreatedByIDs != nil, func(t *Token) bool { return t.CreatedBy != nil && among(f.CreatedByIDs, t.CreatedBy.ID) })
	test(f.DueWithin != nil, func(t *Token) bool { return soon.holds(t.DueAt) })
	test(f.Due != Range{}, func(t *Token) bool { return f.Due.holds(t.DueAt) })
	test(f.NeverDue != nil, func(t *Token) bool { return *f.NeverDue == t.DueAt.IsZero() })
	test(f.Created != Range{}, func(t *Token) bool { return f.Created.holds(t.CreatedAt) })
	test(f.States != nil, func(t *Token) bool { return among(f.States, t.State(now)) })
	test(f.Scope != nil, func(t *Token) bool { return slices.ContainsFunc(t.Scopes, f.Scope.match) })
	test(search != "", func(t *Token) bool { return found(search, t.Name, t.ID.Native, t.Username) })
	return func(t *Token) bool {
		for _, passes := range tests {
			if !passes(t) {
				return false
			}
		}
		return true
	}
}

// providers are the names of those that can have what passes; nil: all.
func (f TokenFilter) providers() []string {
	if f.CreatedByIDs == nil {
		return f.Providers
	}
	names := []string{}
	for _, id := range f.CreatedByIDs {
		if among(f.Providers, id.Provider) {
			names = append(names, id.Provider)
		}
	}
	return names
}

// holds tells whether a moment lies in the span. No moment lies only in the span that is open at both ends.
func (r Range) holds(t time.Time) bool {
	if t.IsZero() {
		return r.From.IsZero() && r.To.IsZero()
	}
	return (r.From.IsZero() || !t.Before(r.From)) && (r.To.IsZero() || t.Before(r.To))
}

func (f ScopeFilter) match(s providers.Scope) bool {
	return (f.Type == "" || f.Type == s.Type) &&
		(f.Name == "" || f.Name == s.Name) &&
		(f.Action == "" || slices.Contains(s.Actions, f.Action))
}

// none tells that a list was given, and has nothing in it.
func none[T any](wanted []T) bool { return wanted != nil && len(wanted) == 0 }

func among[T comparable](wanted []T, v T) bool {
	return wanted == nil || slices.Contains(wanted, v)
}

// found tells whether a text occurs in one of the fields, in any case.
func found(search string, fields ...string) bool {
	if search == "" {
		return true
	}
	search = strings.ToLower(search)
	return slices.ContainsFunc(fields, func(field string) bool {
		return strings.Contains(strings.ToLower(field), search)
	})
}
