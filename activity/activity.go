// Package activity tells who did what to which token: what was done through this server, with its caller, and what was found
// otherwise when a registry was read, with nobody.
//
// A [Log] keeps what was told. An [Index] keeps what tokens were like when they were last seen or written, as far as it takes to
// notice that they are otherwise, and never a secret. A [Trail] uses both: it hears of what was done and of what was read.
package activity

import (
	"crypto/rand"
	"slices"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// Kind is what happened to a token.
type Kind string

// The kinds of what happens.
const (
	Created  Kind = "CREATED"
	Changed  Kind = "CHANGED"
	Replaced Kind = "REPLACED" // its whole state was put
	Rotated  Kind = "ROTATED"  // a new token was made to take its place
	Deleted  Kind = "DELETED"
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{Created, Changed, Replaced, Rotated, Deleted} }

// Event is something that happened to a token. Its time is whole milliseconds in UTC.
type Event struct {
	ID   string
	Kind Kind
	// OccurredAt is when the provider said that it was done, or, without an Actor, when the list was asked for that shows it.
	OccurredAt time.Time
	// Actor is the caller of this server who did it; empty: it was seen, and was not done through this server.
	Actor string
	// Changed are the properties that Actor set, or that were found otherwise, for Changed; empty for the other kinds. Each one
	// once, in the order of the schema; it is shared.
	Changed []providers.TokenField
	// RotatedTo is the token that takes its place, for Rotated; zero for the other kinds.
	RotatedTo providers.ID
	Subject   eventlog.Subject
}

// idKind tells an event's id from the ids of other things.
const idKind = 'a'

// IsEventID tells whether an id is an event's, as far as can be seen. No other thing of this server has such an id.
func IsEventID(id string) bool { return eventlog.IsID(idKind, id) }

// newID is the id of something that was done: doing the same again is another event.
func newID() string { return eventlog.NewID(idKind, []byte(rand.Text())) }

// whole tells whether an event has all that it needs, in the form in which it can be written down.
func (e *Event) whole() bool {
	rotated := e.RotatedTo.IsZero() || e.Kind == Rotated && eventlog.OfToken(e.RotatedTo)
	return IsEventID(e.ID) && slices.Contains(Kinds(), e.Kind) && eventlog.WholeTime(e.OccurredAt) && e.Actor == eventlog.Cut(e.Actor) &&
		slices.Equal(ordered(e.Changed), e.Changed) && rotated && e.Subject.Whole()
}

// ordered are properties of tokens, each one once and in the order of the schema.
func ordered(fields []providers.TokenField) []providers.TokenField {
	var all []providers.TokenField
	for _, field := range [...]providers.TokenField{providers.FieldName, providers.FieldExpiry, providers.FieldScopes, providers.FieldEnabled} {
		if slices.Contains(fields, field) {
			all = append(all, field)
		}
	}
	return all
}
