package graph

import (
	"context"
	"slices"
	"time"

	"regtok/activity"
	"regtok/auth"
	"regtok/catalog"
	"regtok/eventlog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/graph/transport"
	"regtok/providers"
)

type tokenActivityEventResolver struct{ *resolver }

// Token is what each token is now.
func (r tokenActivityEventResolver) Token(ctx context.Context, events []*model.TokenActivityEvent) ([]*model.Token, error) {
	ids := make([]providers.ID, len(events))
	for i, e := range events {
		ids[i] = e.Event.Subject.Token
	}
	return entriesOf(loader.For(ctx).Tokens(ctx, ids), tokenNode)
}

// TokenActivityEvents is a page of the log.
func (r queryResolver) TokenActivityEvents(
	ctx context.Context, first int, after *eventlog.Cursor, filter *model.TokenActivityFilter,
) (*model.TokenActivityEventConnection, error) {
	asked, err := r.askedActivity(ctx, filter)
	if err != nil {
		return nil, err
	}
	page, err := pastOf(ctx, asked, first, after, r.shownActivity)
	if err != nil {
		return nil, err
	}
	return &model.TokenActivityEventConnection{EventPage: page}, nil
}

// TokenActivity follows the log. The stream asks for each event, which is then in the channel.
func (r subscriptionResolver) TokenActivity(
	ctx context.Context, filter *model.TokenActivityFilter, after *eventlog.Cursor,
) (<-chan model.TokenActivityUpdate, error) {
	asked, err := r.askedActivity(ctx, filter)
	if err != nil {
		return nil, err
	}
	stream, start, err := begins(ctx, asked.log, after)
	if err != nil {
		return nil, err
	}
	f := &following[activity.Event, model.TokenActivityUpdate]{
		resolver: r.resolver, subject: asked.subject, start: start, updates: make(chan model.TokenActivityUpdate, 1),
		event: func(e *activity.Event, cursor eventlog.Cursor) (model.TokenActivityUpdate, transport.Mark) {
			return r.shownActivity(e, cursor), transport.Mark{Cursor: string(cursor), At: e.OccurredAt}
		},
		gap: func(gap *eventlog.Gap) model.TokenActivityUpdate { return &model.EventGap{Gap: gap} },
	}
	if f.log, err = asked.log.Follow(start, asked.wanted); err != nil {
		return nil, err
	}
	stream.Follow(f, string(start))
	return f.updates, nil
}

// shownActivity is an event as the schema has it.
func (r *resolver) shownActivity(e *activity.Event, cursor eventlog.Cursor) *model.TokenActivityEvent {
	return &model.TokenActivityEvent{Event: e, Cursor: cursor, Driver: r.driver(e.Subject.Token.Provider)}
}

// activityNamed finds an event by its id.
func (r queryResolver) activityNamed(ctx context.Context, id string) (model.Node, error) {
	if err := requires(ctx, auth.ActivityRead); err != nil || r.activity == nil {
		return nil, err
	}
	entry, err := found(ctx, asking[activity.Event]{r.resolver, r.activity, nil, activitySubject}, id)
	if err != nil || entry == nil {
		return nil, err
	}
	return r.shownActivity(&entry.Event, entry.Cursor), nil
}

func activitySubject(e *activity.Event) *eventlog.Subject { return &e.Subject }

// askedActivity is what a caller wants of the trail, and may know of as far as an id tells.
func (r *resolver) askedActivity(ctx context.Context, f *model.TokenActivityFilter) (a asking[activity.Event], err error) {
	if r.activity == nil {
		return a, &providers.Error{Kind: providers.Unsupported, Message: "this server is set up to tell no events"}
	}
	reach := catalog.ReachOf(ctx)
	a = asking[activity.Event]{r, r.activity, func(e *activity.Event) bool { return reach.Sees(e.Subject.Token) }, activitySubject}
	if f == nil {
		return a, nil
	}
	tokens := &model.TokenFilter{ // an event is looked at as a token that was created when it occurred
		Providers: f.Providers, OrganizationIds: f.OrganizationIds, RegistryIds: f.RegistryIds, Search: f.Search, Created: f.Occurred,
	}
	if _, err := r.askedTokens(1, nil, tokens, model.TokenOrder{}); err != nil {
		return a, err
	}
	ids := values(f.TokenIds)
	if err := mustBeAll(ids, providers.TokenKind, "filter.tokenIds"); err != nil {
		return a, err
	}
	matches := tokenFilter(tokens).Matcher(time.Time{})
	a.wanted = func(e *activity.Event) bool {
		return reach.Sees(e.Subject.Token) &&
			(f.Kinds == nil || slices.Contains(f.Kinds, e.Kind)) &&
			(f.Actors == nil || slices.Contains(f.Actors, e.Actor) && e.Actor != "") &&
			(f.HasActor == nil || *f.HasActor == (e.Actor != "")) &&
			(f.TokenIds == nil || slices.Contains(ids, e.Subject.Token)) &&
			matches(&catalog.Token{Token: providers.Token{ID: e.Subject.Token, Name: e.Subject.Name, CreatedAt: e.OccurredAt}})
	}
	return a, nil
}
