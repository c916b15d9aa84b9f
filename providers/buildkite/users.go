package buildkite

import (
	"context"

	"regtok/providers"
	"regtok/providers/rest"
)

// Users lists the members of an organization. Besides its scope that takes the permission to see its teams.
func (a *adapter) Users(
	ctx context.Context, organization providers.ID, page providers.PageRequest,
) (providers.Page[providers.User], error) {
	const op = "list users"
	if !valid(organization, providers.OrganizationKind) {
		return providers.Page[providers.User]{}, providers.NotFoundError(name, op)
	}
	key := func(u providers.User) providers.ID { return u.ID }
	return providers.ReadPage(op, organization, key, page, func() ([]providers.User, error) {
		return a.users(ctx, op, organization)
	})
}

// users reads all members of an organization.
func (a *adapter) users(ctx context.Context, op string, organization providers.ID) ([]providers.User, error) {
	var users []providers.User
	err := a.read(ctx, op, organization, func(at address) error {
		call := rest.Get(op, at.members()...)
		call.Query = firstPage()
		call.RequiredScope = readOrganizations
		items, err := list[user](ctx, a, call)
		if err != nil {
			return err
		}
		users = make([]providers.User, 0, len(items))
		for _, item := range items {
			users = append(users, item.domain())
		}
		return nil
	})
	return users, err
}

// User returns one member of an organization.
func (a *adapter) User(ctx context.Context, organization, id providers.ID) (providers.User, error) {
	const op = "get user"
	if !valid(organization, providers.OrganizationKind) || !valid(id, providers.UserKind) {
		return providers.User{}, providers.NotFoundError(name, op)
	}
	var member user
	err := a.read(ctx, op, organization, func(at address) error {
		call := rest.Get(op, at.members(id.Native)...)
		call.RequiredScope = readOrganizations
		member = user{}
		if _, err := a.do(ctx, call, &member); err != nil {
			return err
		}
		if member.ID != id.Native {
			return a.api.Nonsense(call, "another person than asked for")
		}
		return nil
	})
	if err != nil {
		return providers.User{}, err
	}
	return member.domain(), nil
}
