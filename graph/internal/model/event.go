package model

import (
	"time"

	"regtok/catalog"
	"regtok/eventlog"
	"regtok/expiry"
	"regtok/providers"
)

// TokenExpiryEvent is a step towards a token's end.
type TokenExpiryEvent struct {
	*expiry.Event
	// Cursor is the position after it.
	Cursor eventlog.Cursor
	// Driver is that of the token's provider, for all events the same.
	Driver *providers.Driver
}

// Position is where it is in its log.
func (e *TokenExpiryEvent) Position() eventlog.Cursor { return e.Cursor }

// Threshold is null where the date itself is meant.
func (e *TokenExpiryEvent) Threshold() *time.Duration {
	if e.Event.Threshold == 0 {
		return nil
	}
	return &e.Event.Threshold
}

// DueSource is the clock that sets the date.
func (e *TokenExpiryEvent) DueSource() catalog.DueSource { return catalog.DueSource(e.Event.DueSource) }

// Subject is what the token was.
func (e *TokenExpiryEvent) Subject() *TokenSubject { return &TokenSubject{&e.Event.Subject, e.Driver} }

// TokenSubject is a token as recorded in an event.
type TokenSubject struct {
	*eventlog.Subject
	driver *providers.Driver
}

// TokenID is the token's id.
func (s *TokenSubject) TokenID() providers.ID { return s.Token }

// RegistryID is its registry's.
func (s *TokenSubject) RegistryID() providers.ID { return s.Token.OfRegistry() }

// OrganizationID is its organization's.
func (s *TokenSubject) OrganizationID() providers.ID { return s.Token.OfOrganization() }

// Provider is where it is, or was.
func (s *TokenSubject) Provider() *Provider { return &Provider{*s.driver} }

// CreatedBy is null when it was not told.
func (s *TokenSubject) CreatedBy() *string { return orNull(&s.Subject.CreatedBy) }

// EventGap says that events are missing.
type EventGap struct{ *eventlog.Gap }

// After is null where the gap reaches back to the beginning.
func (g *EventGap) After() *eventlog.Cursor {
	if g.Gap.After == "" {
		return nil
	}
	return &g.Gap.After
}

// TokenExpiryEventConnection is a page of events.
type TokenExpiryEventConnection struct{ EventPage[*TokenExpiryEvent] }

// Edges are the page's items with their cursors.
func (c *TokenExpiryEventConnection) Edges() []*TokenExpiryEventEdge {
	edges := make([]*TokenExpiryEventEdge, len(c.Items))
	for i, item := range c.Items {
		edges[i] = &TokenExpiryEventEdge{Cursor: item.Cursor, Node: item}
	}
	return edges
}

// IsTokenExpiryUpdate marks what the subscription sends, for the schema's union.
func (*TokenExpiryEvent) IsTokenExpiryUpdate() {}
func (*EventGap) IsTokenExpiryUpdate()         {}

// IsNode marks what node can find.
func (*TokenExpiryEvent) IsNode() {}
