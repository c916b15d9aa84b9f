package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"regtok/auth"
	"regtok/catalog"
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

// TokenExpiryEvents is a page of the log. A filter that little passes does not make it read all of it at once.
func (r queryResolver) TokenExpiryEvents(ctx context.Context, first int, after *eventlog.Cursor, filter *model.TokenFilter) (*model.TokenExpiryEventConnection, error) {
	wanted, err := r.askedEvents(ctx, filter, nil)
	if err != nil {
		return nil, err
	}
	if err := catalog.TokensByName(false).Check(catalog.PageRequest{First: first}); err != nil {
		return nil, err
	}
	list := &model.TokenExpiryEventConnection{Start: value(after), End: value(after), More: true}
	for range mostReads {
		page, err := r.events.Log.Read(ctx, list.End, readAtOnce)
		if err != nil {
			return nil, err
		}
		if page.Gap != nil && len(list.Items) > 0 {
			return list, nil // the next page tells of it
		}
		if page.Gap != nil {
			list.Missing = page.Gap
		}
		for _, entry := range page.Entries {
			if !wanted(&entry.Event) {
				continue
			}
			if reaches, err := r.catalog.Reaches(ctx, entry.Event.Subject.Token); !reaches || err != nil {
				if err != nil {
					return nil, err
				}
				continue
			}
			if len(list.Items) == first {
				return list, nil // it ends with its last item
			}
			list.Items = append(list.Items, r.shown(&entry.Event, entry.Cursor))
			list.End = entry.Cursor
		}
		list.End = page.Next
		if !page.More {
			list.More = false
			return list, nil
		}
	}
	return list, nil
}

const (
	readAtOnce = 500 // entries of the log
	mostReads  = 20  // for one page
)

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
	if err := requires(ctx, auth.EventsRead); err != nil {
		return nil, err
	}
	if r.events == nil {
		return nil, nil
	}
	entry, ok, err := r.events.Log.Find(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	if reaches, err := r.catalog.Reaches(ctx, entry.Event.Subject.Token); err != nil || !reaches {
		return nil, err
	}
	return r.shown(&entry.Event, entry.Cursor), nil
}

// textOf is the text that the argument of the current field has at a place in its list, or that it is itself. Ids of events
// are nothing but text: the argument's own type has no room for them.
func textOf(ctx context.Context, argument string, place int) string {
	given := graphql.GetFieldContext(ctx).Field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)[argument]
	switch list := given.(type) {
	case []any:
		given = list[place]
	case []string:
		given = list[place]
	}
	text, _ := given.(string)
	return text
}
