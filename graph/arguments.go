package graph

import (
	"cmp"
	"fmt"
	"unicode/utf8"

	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/providers"
)

// asked is what a caller wants of a list. It makes sense: what does not is refused before anything is read.
type asked[F, T any] struct {
	filter F
	order  catalog.Order[T]
	page   catalog.PageRequest
}

func (a asked[F, T]) checked() (asked[F, T], error) { return a, a.order.Check(a.page) }

func (r *resolver) askedOrganizations(first int, after *string, f *model.OrganizationFilter) (asked[catalog.OrganizationFilter, *catalog.Organization], error) {
	a := asked[catalog.OrganizationFilter, *catalog.Organization]{order: catalog.OrganizationsByName(), page: pageOf(first, after)}
	if f != nil {
		a.filter = catalog.OrganizationFilter{Providers: f.Providers, Search: value(f.Search)}
	}
	if err := cmp.Or(r.mustKnow(a.filter.Providers), mustBeShort(a.filter.Search)); err != nil {
		return a, err
	}
	return a.checked()
}

func (r *resolver) askedRegistries(first int, after *string, f *model.RegistryFilter, o model.RegistryOrder) (asked[catalog.RegistryFilter, *catalog.Registry], error) {
	a := asked[catalog.RegistryFilter, *catalog.Registry]{order: registryOrder(o), page: pageOf(first, after)}
	if f != nil {
		a.filter = catalog.RegistryFilter{
			Providers:       f.Providers,
			OrganizationIDs: values(f.OrganizationIds),
			Ecosystems:      f.Ecosystems,
			Search:          value(f.Search),
		}
	}
	if err := cmp.Or(r.mustKnow(a.filter.Providers), mustBeShort(a.filter.Search)); err != nil {
		return a, err
	}
	if err := mustBeAll(a.filter.OrganizationIDs, providers.OrganizationKind, "filter.organizationIds"); err != nil {
		return a, err
	}
	return a.checked()
}

func (r *resolver) askedTokens(first int, after *string, f *model.TokenFilter, o model.TokenOrder) (asked[catalog.TokenFilter, *catalog.Token], error) {
	a := asked[catalog.TokenFilter, *catalog.Token]{filter: tokenFilter(f), order: tokenOrder(o), page: pageOf(first, after)}
	if err := cmp.Or(r.mustKnow(a.filter.Providers), mustBeShort(a.filter.Search)); err != nil {
		return a, err
	}
	if err := mustBeAll(a.filter.OrganizationIDs, providers.OrganizationKind, "filter.organizationIds"); err != nil {
		return a, err
	}
	if err := mustBeAll(a.filter.RegistryIDs, providers.RegistryKind, "filter.registryIds"); err != nil {
		return a, err
	}
	if err := mustBeAll(a.filter.CreatedByIDs, providers.UserKind, "filter.createdByIds"); err != nil {
		return a, err
	}
	return a.checked()
}

func askedUsers(first int, after *string) (asked[struct{}, *catalog.User], error) {
	return asked[struct{}, *catalog.User]{order: catalog.UsersByName(), page: pageOf(first, after)}.checked()
}

func pageOf(first int, after *string) catalog.PageRequest {
	return catalog.PageRequest{First: first, After: value(after)}
}

func tokenFilter(f *model.TokenFilter) catalog.TokenFilter {
	if f == nil {
		return catalog.TokenFilter{}
	}
	filter := catalog.TokenFilter{
		Providers:       f.Providers,
		OrganizationIDs: values(f.OrganizationIds),
		RegistryIDs:     values(f.RegistryIds),
		CreatedByIDs:    values(f.CreatedByIds),
		States:          f.States,
		Search:          value(f.Search),
		Created:         timeRange(f.Created),
		Due:             timeRange(f.Due),
		DueWithin:       f.DueWithin,
		NeverDue:        f.NeverDue,
	}
	if s := f.Scope; s != nil {
		filter.Scope = &catalog.ScopeFilter{Type: value(s.Type), Name: value(s.Name), Action: value(s.Action)}
	}
	return filter
}

func timeRange(r *model.DateTimeRange) catalog.Range {
	if r == nil {
		return catalog.Range{}
	}
	return catalog.Range{From: value(r.From), To: value(r.To)}
}

func registryOrder(o model.RegistryOrder) catalog.Order[*catalog.Registry] {
	desc := o.Direction == model.OrderDirectionDesc
	if o.Field == model.RegistryOrderFieldCreatedAt {
		return catalog.RegistriesByCreation(desc)
	}
	return catalog.RegistriesByName(desc)
}

func tokenOrder(o model.TokenOrder) catalog.Order[*catalog.Token] {
	desc := o.Direction == model.OrderDirectionDesc
	switch o.Field {
	case model.TokenOrderFieldName:
		return catalog.TokensByName(desc)
	case model.TokenOrderFieldCreatedAt:
		return catalog.TokensByCreation(desc)
	case model.TokenOrderFieldUpdatedAt:
		return catalog.TokensByUpdate(desc)
	}
	return catalog.TokensByDue(desc)
}

// mustKnow refuses names of providers that do not exist: a misspelt one would look like an empty list.
func (r *resolver) mustKnow(names []string) error {
	for i, name := range names {
		if err := r.catalog.KnowsProvider(name); err != nil {
			err.Field = fmt.Sprintf("filter.providers[%d]", i)
			return err
		}
	}
	return nil
}

// longestSearch is in characters. Each thing of a list, and each event, is compared with what is looked for.
const longestSearch = 255

// mustBeShort refuses to look for more than any name has.
func mustBeShort(search string) error {
	if utf8.RuneCountInString(search) <= longestSearch {
		return nil
	}
	return &providers.Error{Kind: providers.Invalid, Field: "filter.search", Message: fmt.Sprintf("search has at most %d characters", longestSearch)}
}

// mustBe refuses an id of another kind of thing: there is no such registry, token or user.
func mustBe(id providers.ID, kind providers.IDKind, argument string) error {
	if message := notOneOf(kind, id); message != "" {
		return &providers.Error{Kind: providers.NotFound, Field: argument, Message: message}
	}
	return nil
}

const damagedID = "the id is damaged, or not one that this server gave out; take ids from the `id` fields of its answers"

// notOneOf tells what is wrong with an id that shall be of a kind of thing, for people; empty: nothing.
func notOneOf(kind providers.IDKind, id providers.ID) string {
	switch {
	case id.Kind == kind:
		return ""
	case id.IsZero():
		return damagedID
	default:
		return fmt.Sprintf("the id is not one of %s; `node` tells what it is", oneOf(kind))
	}
}

// damaged refuses what is no id of this server.
func damaged(argument string) error {
	return &providers.Error{Kind: providers.NotFound, Field: argument, Message: damagedID}
}

func mustBeAll(ids []providers.ID, kind providers.IDKind, argument string) error {
	for i, id := range ids {
		if err := mustBe(id, kind, fmt.Sprintf("%s[%d]", argument, i)); err != nil {
			return err
		}
	}
	return nil
}

func oneOf(kind providers.IDKind) string {
	switch kind {
	case providers.OrganizationKind:
		return "an organization"
	case providers.RegistryKind:
		return "a registry"
	case providers.TokenKind:
		return "a token"
	}
	return "a user"
}

// values are what list's elements point at; nil stays nil.
func values[T any](list []*T) []T {
	if list == nil {
		return nil
	}
	plain := make([]T, len(list))
	for i, p := range list {
		plain[i] = *p
	}
	return plain
}

// value is what p points at, and the zero value for nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
