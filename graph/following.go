package graph

import (
	"context"
	"errors"
	"time"

	"regtok/eventlog"
	"regtok/graph/transport"
	"regtok/providers"
)

// begins is where a subscriber begins to follow a log: a browser that comes back, where it was cut off; else after a cursor, or where
// the log ends.
func begins[E any](ctx context.Context, log eventlog.Log[E], after *eventlog.Cursor) (*transport.Stream, eventlog.Cursor, error) {
	stream := transport.StreamOf(ctx)
	switch {
	case stream == nil:
		return nil, "", errors.New("a subscription runs without a stream")
	case stream.Resume() != "":
		return stream, eventlog.Cursor(stream.Resume()), nil
	case after != nil:
		return stream, *after, nil
	}
	_, end, err := log.Bounds(ctx)
	return stream, end, err
}

// following brings the events of a log to one subscriber, as updates U.
type following[E, U any] struct {
	*resolver
	subject func(*E) *eventlog.Subject
	event   func(*E, eventlog.Cursor) (U, transport.Mark)
	gap     func(*eventlog.Gap) U

	start   eventlog.Cursor
	current []E             // of the present state, what is still to be told
	id      func(*E) string // nil where there is no present state
	told    map[string]bool // ids of that, which the log may tell again
	log     *eventlog.Subscription[E]
	updates chan U // has room for the one that is asked for
}

// begins is where a caller goes on who has heard nothing yet. The present state is then to be told again.
func (f *following[E, U]) begins() string {
	if len(f.current) > 0 {
		return ""
	}
	return string(f.start)
}

// Next implements transport.Source. Most of its time it waits: what takes room on the stack is left to others.
func (f *following[E, U]) Next(ctx context.Context) (transport.Mark, bool) {
	if len(f.current) > 0 {
		return f.present(), true
	}
	for {
		update, err := f.log.Next(ctx)
		if err != nil {
			return transport.Mark{}, false // the stream is over, or the process ends
		}
		if entry := update.Entry; entry != nil && (f.again(&entry.Event) || !f.reaches(ctx, f.subject(&entry.Event).Token)) {
			continue
		}
		return f.tell(update), true
	}
}

// again tells whether an event was told as part of the present state. It is not, a second time.
func (f *following[E, U]) again(e *E) bool {
	if len(f.told) == 0 || !f.told[f.id(e)] {
		return false
	}
	delete(f.told, f.id(e))
	return true
}

// reaches tells whether a token is within the subscriber's reach. It waits until that can be told, as it would for the log.
func (f *following[E, U]) reaches(ctx context.Context, token providers.ID) bool {
	for {
		reaches, err := f.catalog.Reaches(ctx, token)
		if err == nil {
			return reaches
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Second):
		}
	}
}

func (f *following[E, U]) tell(update eventlog.Update[E]) transport.Mark {
	if gap := update.Gap; gap != nil {
		f.updates <- f.gap(gap)
		return transport.Mark{Cursor: string(gap.ResumesAt)}
	}
	shown, mark := f.event(&update.Entry.Event, update.Entry.Cursor)
	f.updates <- shown
	return mark
}

// present is the next event of the present state. Only with the last of it may the caller go on where the log is followed:
// before that, some of it would be missing.
func (f *following[E, U]) present() transport.Mark {
	e := &f.current[0]
	f.current = f.current[1:]
	if f.told == nil {
		f.told = map[string]bool{}
	}
	f.told[f.id(e)] = true
	shown, mark := f.event(e, f.start)
	mark.Cursor = ""
	if len(f.current) == 0 {
		f.current, mark.Cursor = nil, string(f.start)
	}
	f.updates <- shown
	return mark
}

// Close implements transport.Source.
func (f *following[E, U]) Close() { f.log.Close() }
