// Package eventlog keeps what was told of tokens, in the order in which it was told: each event once, for those who listen and
// for those who come back with a cursor.
//
// What an event is, is up to the room that tells it, which writes it down by a [Codec]. Each kind of event has a [Log] of its
// own; all of them have the same rules.
package eventlog

// Codec writes the events of a log down, and reads them. It is shared by all who use the log.
type Codec[E any] interface {
	// ID names an event: one that was told is not told again.
	ID(*E) string
	// Whole tells whether an event has all that it needs, in the form in which it can be written down, and its own id.
	Whole(*E) bool
	// Encode writes a whole event down, and Decode reads what Encode wrote, and refuses everything else.
	Encode(*E) []byte
	Decode(text []byte) (E, error)
	// Size is about how many bytes of memory an event takes.
	Size(*E) int
}

// Cursor is a position in a log, opaque and url-safe: what comes after it is what was told later. The empty cursor is the
// beginning of what a log still has.
type Cursor string

// Entry is an event in a log. It is shared: nobody may change it.
type Entry[E any] struct {
	Event E
	// Cursor is the position just after the event.
	Cursor Cursor
	at     position
}

// GapReason says why events are missing.
type GapReason string

// The reasons for gaps.
const (
	// ExpiredCursor: the log no longer has, or cannot read, what came after the cursor.
	ExpiredCursor GapReason = "EXPIRED_CURSOR"
	// Lagged: the reader was too slow.
	Lagged GapReason = "LAGGED"
)

// Gap says that events between two positions are missing.
type Gap struct {
	Reason GapReason
	// After is the last position before the gap, and ResumesAt the first one behind it.
	After, ResumesAt Cursor
}
