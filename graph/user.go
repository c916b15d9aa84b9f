package graph

import (
	"context"

	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

type userResolver struct{ *resolver }

func (r userResolver) Tokens(ctx context.Context, users []*model.User, first int, after *string, filter *model.TokenFilter, orderBy model.TokenOrder) ([]*model.TokenConnection, error) {
	asked, err := r.askedTokens(first, after, filter, orderBy)
	if err != nil {
		return nil, err
	}
	return sideBySide(users, func(_ int, u *model.User) (*model.TokenConnection, error) {
		own := asked
		own.filter.CreatedByIDs = narrowed(asked.filter.CreatedByIDs, u.User.ID)
		own.filter.Providers = narrowed(asked.filter.Providers, u.User.ID.Provider)
		return r.tokens(ctx, own)
	})
}

// people are the users that something names, as far as they may be read. One that its provider tells all about costs
// nothing; one that may not be read is shown with what is known.
func (r *resolver) people(ctx context.Context, n int, told func(i int) (known, *providers.User)) ([]*model.User, error) {
	users := make([]*model.User, n)
	enough := onlyKnown(ctx)
	var wanted []catalog.Person
	var places []int
	for i := range n {
		where, user := told(i)
		if user == nil {
			continue
		}
		users[i] = userNode(&catalog.User{User: *user, Account: where.account})
		if !user.Complete && !enough {
			wanted, places = append(wanted, catalog.Person{Organization: where.organization, ID: user.ID}), append(places, i)
		}
	}
	if len(wanted) == 0 {
		return users, nil
	}
	load := loader.For(ctx).Users
	if n > 1 || inList(ctx) { // others are wanted, or will be: by another field of the same siblings, for one
		load = loader.For(ctx).UsersFromLists
	}
	errs := make([]error, n)
	for i, entry := range load(ctx, wanted) {
		switch providers.KindOf(entry.Err) {
		case "":
			if errs[places[i]] = entry.Err; entry.Err == nil {
				users[places[i]] = userNode(entry.Value)
			}
		case providers.NotFound, providers.Forbidden:
		default:
			users[places[i]], errs[places[i]] = nil, entry.Err
		}
	}
	return users, batchErrors(errs)
}
