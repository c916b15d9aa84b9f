package ionos

import (
	"context"
	"errors"
	"net/url"

	"regtok/providers"
	"regtok/providers/rest"
)

// Users lists the users of the contract. The Cloud API shows them to owners and administrators.
func (a *adapter) Users(
	ctx context.Context, organization providers.ID, page providers.PageRequest,
) (providers.Page[providers.User], error) {
	const op = "list users"
	key := func(u providers.User) providers.ID { return u.ID }
	return providers.ReadPage(op, organization, key, page, func() ([]providers.User, error) {
		return a.users(ctx, op, organization)
	})
}

// users reads all users of the contract.
func (a *adapter) users(ctx context.Context, op string, organization providers.ID) ([]providers.User, error) {
	if err := a.check(ctx, op, organization, providers.OrganizationKind); err != nil {
		return nil, err
	}
	call := rest.Get(op, "um", "users")
	call.Query = withProperties()
	items, err := listByOffset[user](ctx, a.cloudAPI, call)
	if err != nil {
		return nil, a.hidden(ctx, err)
	}
	users := make([]providers.User, 0, len(items))
	for _, item := range items {
		users = append(users, item.domain())
	}
	return users, nil
}

// User returns one user. Who is no administrator sees only themselves.
func (a *adapter) User(ctx context.Context, organization, id providers.ID) (providers.User, error) {
	const op = "get user"
	if !valid(id, providers.UserKind) {
		return providers.User{}, providers.NotFoundError(name, op)
	}
	if err := a.check(ctx, op, organization, providers.OrganizationKind); err != nil {
		return providers.User{}, err
	}
	call := rest.Get(op, "um", "users", id.Native)
	call.Query = withProperties()
	var got user
	if _, err := a.cloudAPI.Do(ctx, call, &got); err != nil {
		return providers.User{}, a.hidden(ctx, err)
	}
	if !sameID(got.ID, id.Native) {
		return providers.User{}, a.cloudAPI.Nonsense(call, "another person than asked for")
	}
	return got.domain(), nil
}

// hidden turns a refusal of the credential by the Cloud API alone into what it means: the account is good, and may not
// see people.
func (a *adapter) hidden(ctx context.Context, err error) error {
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Kind != providers.Unauthorized || a.acceptedElsewhere(ctx, err) != nil {
		return err
	}
	refused := *e
	refused.Kind = providers.Forbidden
	return &refused
}

// withProperties asks the Cloud API for more than bare references.
func withProperties() url.Values { return url.Values{"depth": {"1"}} }
