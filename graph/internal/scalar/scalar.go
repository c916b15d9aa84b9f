// Package scalar says how the schema's scalars look on the wire. Zero values are null.
package scalar

import (
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"regtok/eventlog"
	"regtok/providers"
)

// MarshalID writes an id.
func MarshalID(id providers.ID) graphql.Marshaler {
	if id.IsZero() {
		return graphql.Null
	}
	return graphql.MarshalString(id.String())
}

// UnmarshalID reads an id. What is no id of ours is the zero ID, which names nothing: it is the field's matter to refuse it,
// because one damaged id in a list must not take the others with it.
func UnmarshalID(v any) (providers.ID, error) {
	text, ok := v.(string)
	if !ok {
		text = fmt.Sprint(v) // GraphQL lets an ID be written as a number
	}
	id, _ := providers.ParseID(text) // the zero ID on failure
	return id, nil
}

// MarshalDateTime writes a moment in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return graphql.Null
	}
	return graphql.MarshalString(t.UTC().Format(time.RFC3339Nano))
}

// timestamp is RFC 3339, of which time.Parse alone takes more: hours of one digit, commas, zones of more than a day.
var timestamp = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// UnmarshalDateTime reads RFC 3339 with a zone.
func UnmarshalDateTime(v any) (time.Time, error) {
	if text, ok := v.(string); ok && timestamp.MatchString(text) {
		t, err := time.Parse(time.RFC3339, text)
		if year := t.UTC().Year(); err == nil && 0 <= year && year <= 9999 {
			return t, nil
		}
	}
	return time.Time{}, invalid("a DateTime is RFC 3339 with a zone, for example \"2026-03-01T12:00:00Z\"")
}

// MarshalEventCursor writes a position among events.
func MarshalEventCursor(c eventlog.Cursor) graphql.Marshaler { return graphql.MarshalString(string(c)) }

// UnmarshalEventCursor takes any text. A damaged cursor is the log's matter to refuse.
func UnmarshalEventCursor(v any) (eventlog.Cursor, error) {
	text, ok := v.(string)
	if !ok {
		return "", invalid("an EventCursor is a text that this server gave out")
	}
	return eventlog.Cursor(text), nil
}

// MarshalSecret writes a secret. It is revealed when the answer is written, and nowhere before.
func MarshalSecret(s providers.Secret) graphql.Marshaler {
	if s.Empty() {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { graphql.MarshalString(s.Reveal()).MarshalGQL(w) })
}

// UnmarshalSecret is there because gqlgen asks for it; no input has a secret.
func UnmarshalSecret(any) (providers.Secret, error) {
	return providers.Secret{}, invalid("a Secret is given out and never taken")
}

// MarshalURL writes an absolute URL.
func MarshalURL(u string) graphql.Marshaler {
	if u == "" {
		return graphql.Null
	}
	return graphql.MarshalString(u)
}

// UnmarshalURL is there because gqlgen asks for it; no input has a URL.
func UnmarshalURL(v any) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", invalid("a URL is a string")
	}
	return text, nil
}

func invalid(message string) error {
	return &providers.Error{Kind: providers.Invalid, Message: message}
}
