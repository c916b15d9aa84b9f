package eventlog

import (
	"context"
	"errors"

	"regtok/providers"
)

// Log keeps what was told, in the order in which it was told. All its methods are safe for concurrent use, by many
// processes where it is shared. Their errors are [ErrUnavailable], [ErrClosed], the context's, or a *providers.Error of
// the kind Invalid: with the field "after" where a cursor is damaged.
//
// There are two: [Memory] and [Redis].
type Log[E any] interface {
	// Append enters events, in their order. One whose id the log has already is not entered again. fresh tells which
	// were new, as far as is known: not where an answer was lost and the call made again. What failed may have been entered.
	Append(ctx context.Context, events []E) (fresh []bool, err error)
	// Read returns at most limit entries after a cursor.
	Read(ctx context.Context, after Cursor, limit int) (Page[E], error)
	// Find returns the event of that id; not ok: the log does not have it, or no longer.
	Find(ctx context.Context, id string) (entry Entry[E], ok bool, err error)
	// Bounds are the cursors before the first and after the last event that the log has.
	Bounds(ctx context.Context) (oldest, newest Cursor, err error)
	// Follow reads what is after a cursor and goes on with what is told from then on, with no hole and nothing twice in
	// between. It waits for nothing. Only what filter wants is handed out, nil: all; it is called often, for one event at a
	// time, must not wait and must not change anything. A Subscription has to be closed.
	Follow(after Cursor, filter func(*E) bool) (*Subscription[E], error)
	// Close ends all subscriptions and waits for what runs in the background. It closes no client.
	Close()
}

// ErrUnavailable says that a log or an index cannot be reached, or holds what cannot be read. Errors that wrap it say
// which, and hold no address and nothing of what was asked.
var ErrUnavailable = errors.New("the events are not available")

// ErrClosed says that a log was closed.
var ErrClosed = errors.New("the log of events is closed")

// Page is a part of a log.
type Page[E any] struct {
	// Gap is set when events are missing just before the entries.
	Gap     *Gap
	Entries []*Entry[E]
	// Next is the cursor after all that was looked at.
	Next Cursor
	// More tells whether there may be more after Next already.
	More bool

	next position
}

// Update is what a subscription hands out: an event, or that some are missing. One of them is nil.
type Update[E any] struct {
	Entry *Entry[E]
	Gap   *Gap
}

// whole refuses events that could not be read back.
func whole[E any](codec Codec[E], events []E) error {
	for i := range events {
		if !codec.Whole(&events[i]) {
			return providers.InvalidError("", "append events", "", "this is no event, or not a whole one")
		}
	}
	return nil
}
