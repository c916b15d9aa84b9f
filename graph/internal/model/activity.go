package model

import (
	"regtok/activity"
	"regtok/eventlog"
	"regtok/providers"
)

// TokenActivityEvent is something that happened to a token.
type TokenActivityEvent struct {
	*activity.Event
	// Cursor is the position after it.
	Cursor eventlog.Cursor
	// Driver is that of the token's provider, for all events the same.
	Driver *providers.Driver
}

// Position is where it is in its log.
func (e *TokenActivityEvent) Position() eventlog.Cursor { return e.Cursor }

// Actor is null where nobody of this server did it.
func (e *TokenActivityEvent) Actor() *string { return orNull(&e.Event.Actor) }

// RotatedToID is null for all kinds but one.
func (e *TokenActivityEvent) RotatedToID() *providers.ID {
	if e.RotatedTo.IsZero() {
		return nil
	}
	return &e.RotatedTo
}

// Subject is what the token was.
func (e *TokenActivityEvent) Subject() *TokenSubject {
	return &TokenSubject{&e.Event.Subject, e.Driver}
}

// TokenActivityEventConnection is a page of events.
type TokenActivityEventConnection struct{ EventPage[*TokenActivityEvent] }

// Edges are the page's items with their cursors.
func (c *TokenActivityEventConnection) Edges() []*TokenActivityEventEdge {
	edges := make([]*TokenActivityEventEdge, len(c.Items))
	for i, item := range c.Items {
		edges[i] = &TokenActivityEventEdge{Cursor: item.Cursor, Node: item}
	}
	return edges
}

// IsTokenActivityUpdate marks what the subscription sends, for the schema's union.
func (*TokenActivityEvent) IsTokenActivityUpdate() {}
func (*EventGap) IsTokenActivityUpdate()           {}

// IsNode marks what node can find.
func (*TokenActivityEvent) IsNode() {}
