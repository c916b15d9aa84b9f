// Package scalar says how the schema's scalars look on the wire. Zero values are null.
package scalar

import (
	"fmt"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/sosodev/duration"

	"regtok/providers"
)

// MarshalID writes an id.
func MarshalID(id providers.ID) graphql.Marshaler {
	if id.IsZero() {
		return graphql.Null
	}
	return graphql.MarshalString(id.String())
}

// UnmarshalID reads an id. What is no id of ours names nothing, so it is NotFound.
func UnmarshalID(v any) (providers.ID, error) {
	text, ok := v.(string)
	if !ok {
		text = fmt.Sprint(v) // GraphQL lets an ID be written as a number
	}
	id, err := providers.ParseID(text)
	if err != nil {
		return providers.ID{}, &providers.Error{Kind: providers.NotFound, Err: err,
			Message: "the id is damaged, or not one that this server gave out; take ids from the `id` fields of its answers"}
	}
	return id, nil
}

// MarshalDateTime writes a moment in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return graphql.Null
	}
	return graphql.MarshalString(t.UTC().Format(time.RFC3339Nano))
}

// UnmarshalDateTime reads RFC 3339 with a zone.
func UnmarshalDateTime(v any) (time.Time, error) {
	if text, ok := v.(string); ok {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, invalid("a DateTime is RFC 3339 with a zone, for example \"2026-03-01T12:00:00Z\"")
}

// MarshalDuration writes a span of time with days of 24 hours.
func MarshalDuration(d time.Duration) graphql.Marshaler {
	return graphql.MarshalString(duration.Format(d))
}

// UnmarshalDuration reads ISO 8601. Years and months are refused, because their length varies.
func UnmarshalDuration(v any) (time.Duration, error) {
	text, ok := v.(string)
	if ok && len(text) <= 64 {
		d, err := duration.Parse(text)
		if err == nil && d.Years == 0 && d.Months == 0 && within(d.Weeks*7+d.Days, d.Hours, d.Minutes, d.Seconds) {
			return d.ToTimeDuration(), nil
		}
	}
	return 0, invalid("a Duration is ISO 8601 in weeks, days, hours, minutes and seconds, for example \"P30D\" or \"PT12H\", and at most 100 years")
}

// within tells whether a span fits into time.Duration.
func within(days, hours, minutes, seconds float64) bool {
	return days+hours/24+minutes/1440+seconds/86400 <= 36500
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
