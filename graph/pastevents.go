package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"regtok/activity"
	"regtok/catalog"
	"regtok/eventlog"
	"regtok/expiry"
	"regtok/graph/internal/model"
)

// asking is what somebody wants of a log.
type asking[E any] struct {
	*resolver
	log     eventlog.Log[E]
	wanted  func(*E) bool // as far as the event alone tells, and their reach with it
	subject func(*E) *eventlog.Subject
}

const (
	readAtOnce = 500 // entries of the log
	mostReads  = 20  // for one page
)

// pastOf is a page of a log. A filter that little passes does not make it read all of it at once.
func pastOf[E any, T interface{ Position() eventlog.Cursor }](
	ctx context.Context, a asking[E], first int, after *eventlog.Cursor, shown func(*E, eventlog.Cursor) T,
) (list model.EventPage[T], err error) {
	if err := catalog.TokensByName(false).Check(catalog.PageRequest{First: first}); err != nil {
		return list, err
	}
	list = model.EventPage[T]{Start: value(after), End: value(after), More: true}
	for range mostReads {
		page, err := a.log.Read(ctx, list.End, readAtOnce)
		if err != nil {
			return list, err
		}
		if page.Gap != nil && len(list.Items) > 0 {
			return list, nil // the next page tells of it
		}
		if page.Gap != nil {
			list.Missing = page.Gap
		}
		for _, entry := range page.Entries {
			passes, err := a.passes(ctx, &entry.Event)
			if err != nil {
				return list, err
			}
			if !passes {
				continue
			}
			if len(list.Items) == first {
				return list, nil // it ends with its last item
			}
			list.Items = append(list.Items, shown(&entry.Event, entry.Cursor))
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

// passes tells whether an event is wanted, and within reach.
func (a asking[E]) passes(ctx context.Context, e *E) (bool, error) {
	if a.wanted != nil && !a.wanted(e) {
		return false, nil
	}
	return a.catalog.Reaches(ctx, a.subject(e).Token)
}

// found is the event of an id; nil: there is none, or it is out of reach.
func found[E any](ctx context.Context, a asking[E], id string) (*eventlog.Entry[E], error) {
	entry, ok, err := a.log.Find(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	if passes, err := a.passes(ctx, &entry.Event); err != nil || !passes {
		return nil, err
	}
	return &entry, nil
}

// isEventID tells whether an id is that of an event of any kind.
func isEventID(id string) bool { return expiry.IsEventID(id) || activity.IsEventID(id) }

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
