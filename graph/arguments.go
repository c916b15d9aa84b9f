package graph

import (
	"regtok/catalog"
	"regtok/graph/internal/model"
)

func pageOf(first int, after *string) catalog.PageRequest {
	return catalog.PageRequest{First: first, After: value(after)}
}

func organizationFilter(f *model.OrganizationFilter) catalog.OrganizationFilter {
	if f == nil {
		return catalog.OrganizationFilter{}
	}
	return catalog.OrganizationFilter{Providers: f.Providers, Search: value(f.Search)}
}

func registryFilter(f *model.RegistryFilter) catalog.RegistryFilter {
	if f == nil {
		return catalog.RegistryFilter{}
	}
	return catalog.RegistryFilter{
		Providers:       f.Providers,
		OrganizationIDs: values(f.OrganizationIds),
		Ecosystems:      f.Ecosystems,
		Search:          value(f.Search),
	}
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
