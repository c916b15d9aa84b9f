package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"regtok/auth"
)

// requiresDirective is @requires of the schema: the resolver runs only for callers who hold the permission.
func requiresDirective(ctx context.Context, _ any, next graphql.Resolver, permission auth.Permission) (any, error) {
	if err := requires(ctx, permission); err != nil {
		return nil, err
	}
	return next(ctx)
}

// requires is an error unless the caller holds the permission.
func requires(ctx context.Context, permission auth.Permission) error {
	if auth.FromContext(ctx).May(permission) {
		return nil
	}
	return &permissionError{permission}
}

// permissionError says which permission the caller lacks.
type permissionError struct{ permission auth.Permission }

func (e *permissionError) Error() string {
	return "this needs the permission " + string(e.permission) + ", which you do not have"
}
