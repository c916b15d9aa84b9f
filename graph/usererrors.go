package graph

import (
	"cmp"
	"slices"
	"time"

	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/providers"
)

// userErrors are what a caller can mend, in the schema's types. What was wrong with the thing that the input named is
// told where the input named it.
func (r *resolver) userErrors(problems []catalog.Problem, n named) []model.UserError {
	list := make([]model.UserError, len(problems))
	for i, p := range problems {
		if slices.Equal(p.Path, n.path[:1]) {
			p.Path = n.path
			if p.Kind == providers.NotFound {
				p.Message = cmp.Or(n.wrong, p.Message)
			}
		}
		list[i] = r.userError(p)
	}
	return list
}

func (r *resolver) userError(p catalog.Problem) model.UserError {
	driver, _ := r.catalog.Driver(p.Provider) // where the schema wants one, the catalog has named it
	provider := &model.Provider{Driver: driver}
	switch p.Kind {
	case providers.Invalid:
		return &model.InvalidInputError{Code: p.Kind, Message: p.Message, Path: p.Path}
	case providers.NotFound:
		return &model.NotFoundError{Code: p.Kind, Message: p.Message, Path: p.Path}
	case providers.Conflict:
		return &model.ConflictError{Code: p.Kind, Message: p.Message, Path: p.Path, CurrentVersion: unlessZero(p.CurrentVersion)}
	case providers.Unsupported:
		return &model.UnsupportedError{Code: p.Kind, Message: p.Message, Path: p.Path, Provider: provider, Field: unlessZero(p.Field)}
	case providers.Forbidden:
		return &model.ForbiddenError{
			Code: p.Kind, Message: p.Message, Path: p.Path, Provider: provider, RequiredScope: unlessZero(p.RequiredScope),
		}
	case providers.RateLimited:
		return &model.RateLimitedError{
			Code: p.Kind, Message: p.Message, Path: p.Path, Provider: provider,
			RetryAfter: unlessZero(max(model.WholeSeconds(p.RetryAfter), time.Second)),
		}
	case providers.Unavailable:
		return &model.UnavailableError{
			Code: p.Kind, Message: p.Message, Path: p.Path, Provider: provider, RetryAfter: unlessZero(model.WholeSeconds(p.RetryAfter)),
		}
	default: // there is no other kind but this one, and if there were, looking first would do no harm
		return &model.OutcomeUnknownError{Code: providers.OutcomeUnknown, Message: p.Message, Path: p.Path, Provider: provider}
	}
}

// unlessZero is null for the zero value.
func unlessZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
