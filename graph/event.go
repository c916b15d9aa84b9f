package graph

import (
	"context"

	"regtok/activity"
	"regtok/auth"
	"regtok/eventlog"
	"regtok/expiry"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

type tokenExpiryEventResolver struct{ *resolver }

// Token is what each token is now.
func (r tokenExpiryEventResolver) Token(ctx context.Context, events []*model.TokenExpiryEvent) ([]*model.Token, error) {
	ids := make([]providers.ID, len(events))
	for i, e := range events {
		ids[i] = e.Event.Subject.Token
	}
	return entriesOf(loader.For(ctx).Tokens(ctx, ids), tokenNode)
}

// TokenExpiryEvents is a page of the log.
func (r queryResolver) TokenExpiryEvents(ctx context.Context, first int, after *eventlog.Cursor, filter *model.TokenFilter) (*model.TokenExpiryEventConnection, error) {
	wanted, err := r.askedEvents(ctx, filter, nil)
	if err != nil {
		return nil, err
	}
	page, err := pastOf(ctx, asking[expiry.Event]{r.resolver, r.events.Log, wanted, expirySubject}, first, after, r.shown)
	if err != nil {
		return nil, err
	}
	return &model.TokenExpiryEventConnection{EventPage: page}, nil
}

func expirySubject(e *expiry.Event) *eventlog.Subject { return &e.Subject }

// shown is an event as the schema has it.
func (r *resolver) shown(e *expiry.Event, cursor eventlog.Cursor) *model.TokenExpiryEvent {
	return &model.TokenExpiryEvent{Event: e, Cursor: cursor, Driver: r.driver(e.Subject.Token.Provider)}
}

// driver finds a provider by its name. What it is called is known as long as this server speaks to it. It is never copied:
// each of very many subscribers would have their own.
func (r *resolver) driver(name string) *providers.Driver {
	drivers := r.catalog.Drivers()
	for i := range drivers {
		if drivers[i].Name == name {
			return &drivers[i]
		}
	}
	return &providers.Driver{Name: name, Title: name}
}

// eventNamed finds an event by its id.
func (r queryResolver) eventNamed(ctx context.Context, id string) (model.Node, error) {
	if activity.IsEventID(id) {
		return r.activityNamed(ctx, id)
	}
	if err := requires(ctx, auth.EventsRead); err != nil || r.events == nil {
		return nil, err
	}
	entry, err := found(ctx, asking[expiry.Event]{r.resolver, r.events.Log, nil, expirySubject}, id)
	if err != nil || entry == nil {
		return nil, err
	}
	return r.shown(&entry.Event, entry.Cursor), nil
}
