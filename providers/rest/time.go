package rest

import (
	"bytes"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Time is a moment in a vendor's JSON, read by [ParseTime]. Null, "" and absent are the zero time.
type Time struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	text, err := jsontext.AppendUnquote(make([]byte, 0, len(time.RFC3339Nano)), data)
	if err != nil {
		return errTime
	}
	if len(text) == 0 {
		return nil
	}
	parsed, err := ParseTime(string(text))
	if err != nil {
		return err
	}
	t.Time = parsed
	return nil
}

// timeLayouts are the forms that vendors have been seen to write. A fraction of a second fits each of them.
var timeLayouts = [...]string{
	time.RFC3339,
	"2006-01-02T15:04:05",     // IONOS, now and then: the zone is left out and means UTC
	"2006-01-02 15:04:05 UTC", // Buildkite's access token; other zone names have no certain offset
}

// errTime does not quote the text: it is part of a response's body.
var errTime = errors.New("a time in no known form")

// ParseTime reads a vendor's time and returns it in UTC. It would rather fail than guess: a token whose end was
// misread is worse than none.
func ParseTime(text string) (time.Time, error) {
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		// A zone can carry the last hours of year 9999, or the first of year 0, out of what RFC 3339 can write.
		if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
			return time.Time{}, errTime
		}
		return t, nil
	}
	return time.Time{}, errTime
}
