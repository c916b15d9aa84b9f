// Package expiry tells what happens to tokens as their ends come near: each step once, whoever notices it, and to
// everybody who listens, whatever fails meanwhile.
//
// A [Rule] makes steps out of readings and the clock. An [Index] keeps what the rule has to remember of each token. A
// [Log] keeps what was told, for those who listen and for those who come back. [Record] brings index and log together so
// that a process may die at any moment. A [Watcher] hears of tokens, waits for times, and uses all of these. Nothing here knows
// where readings come from: that is up to a [Source].
package expiry

import (
	"time"

	"regtok/eventlog"
)

// Kind is what a step is.
type Kind string

// The kinds of steps. What comes after each: see [Rule].
const (
	Threshold Kind = "THRESHOLD" // so long before its date
	Expired   Kind = "EXPIRED"   // the date came
	Extended  Kind = "EXTENDED"  // a date that was announced is further away now
	Withdrawn Kind = "WITHDRAWN" // a date that was announced will not come
)

// DueSource says which clock makes a token due.
type DueSource string

// The clocks that make a token due.
const (
	ByProvider DueSource = "PROVIDER" // deletes the token when its date comes
	ByPolicy   DueSource = "POLICY"   // lets it live on
)

// Event is one step towards the end of a token's life. Its times are whole milliseconds in UTC.
type Event struct {
	// ID is the same for the same step, whoever noticed it and however often.
	ID   string
	Kind Kind
	// Threshold is which one, for [Threshold]. For [Extended] and [Withdrawn] it is the one that was told last, and is
	// taken back; 0: the date itself was.
	Threshold time.Duration
	// OccurredAt is when it was due to be told, or, for [Extended] and [Withdrawn], when it was seen.
	OccurredAt time.Time
	// DueAt is the date that this is about: the new one for [Extended], the one that is taken back for [Withdrawn].
	DueAt     time.Time
	DueSource DueSource
	// Was is the date that was announced before it was extended; zero for the other kinds.
	Was     time.Time
	Subject Subject
}

// Subject is what a token was, for those who read of it when it is gone.
type Subject = eventlog.Subject

// ceil is the first whole millisecond that is not before t, in UTC: nothing is due before its time.
func ceil(t time.Time) time.Time {
	whole := time.UnixMilli(t.UnixMilli()).UTC()
	if t.After(whole) {
		whole = whole.Add(time.Millisecond)
	}
	return whole
}
