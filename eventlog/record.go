package eventlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// What is kept is JSON, with its version first. A name that is not known, or not written as it would be here, is refused:
// what a later version means by it cannot be guessed.

// ErrUnreadable says that what is kept was not written here. It is an ErrUnavailable.
var ErrUnreadable = fmt.Errorf("%w: what is kept there cannot be read", ErrUnavailable)

// Latest is the last date that can be written down; what is later counts as never.
func Latest() time.Time { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }

var latest = Latest().UnixMilli()

// Moment is a time in milliseconds; 0: none.
type Moment int64

// MomentOf is a time as it is written down.
func MomentOf(t time.Time) Moment {
	if t.IsZero() {
		return 0
	}
	return Moment(t.UnixMilli())
}

// Time is the time that was written down, in UTC.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// InReach tells whether a moment is one that has a year of at most four digits.
func (m Moment) InReach() bool { return int64(m) >= -latest && int64(m) <= latest }

// WholeTime tells whether a time is written down as it is.
func WholeTime(t time.Time) bool {
	m := MomentOf(t)
	return m != 0 && m.InReach() && m.Time().Equal(t) && t.Location() == time.UTC
}

// Strictly reads what would be written in the same way, and is not longer than most bytes.
func Strictly[T any](text []byte, most int) (record T, err error) {
	if len(text) > most {
		return record, ErrUnreadable
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return record, ErrUnreadable
	}
	if again, err := json.Marshal(record); err != nil || !bytes.Equal(again, text) {
		return record, ErrUnreadable
	}
	return record, nil
}
