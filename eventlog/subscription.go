package eventlog

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// mostQueued is how many events may wait for a reader that is away for longer than mostAway.
	mostQueued = 64
	mostAway   = time.Second
	pageSize   = 256
	// readAgain is how long a reader waits after its log could not be read.
	readAgain = 200 * time.Millisecond
)

// Subscription hands out the events of a log, one after another. It is for one goroutine at a time; Close is for all.
//
// While a reader is away, nothing waits for it but the log. Once it has kept up with the log, it is too slow when it comes
// back after more than a second, and more than 64 events that it wants came in that time: they are left out, and told as a
// gap. A reader that comes back sooner gets them all, however many there are.
type Subscription[E any] struct {
	feed   *feed[E]
	filter func(*E) bool
	wake   chan struct{} // has room for one
	closed atomic.Bool

	mu      sync.Mutex
	through position    // all up to here was handed out, or is not wanted
	waiting bool        // for what comes after through, and nothing else: the feed moves it on
	page    []*Entry[E] // of the log, before what the feed has
	next    position    // after the page
	kept    bool        // it kept up with the log at least once
	left    time.Time   // when Next was last done; zero: never
}

// Next waits for the next event. While the log cannot be read it waits, too. Its error is the context's, or ErrClosed.
func (s *Subscription[E]) Next(ctx context.Context) (Update[E], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.left = time.Now() }()
	if gap := s.lag(); gap != nil {
		return Update[E]{Gap: gap}, nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return Update[E]{}, err
		}
		if s.closed.Load() {
			return Update[E]{}, ErrClosed
		}
		if entry := s.take(); entry != nil {
			return Update[E]{Entry: entry}, nil
		}
		if s.waiting {
			s.pause(ctx, nil)
			continue
		}
		gap, err := s.turn(ctx)
		if gap != nil {
			return Update[E]{Gap: gap}, nil
		}
		if err != nil {
			s.pause(ctx, time.After(readAgain))
		}
	}
}

// Cursor is the position to go on from later: all that came before was handed out, or is not wanted.
func (s *Subscription[E]) Cursor() Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.through.cursor()
}

// Close ends the subscription; a Next that waits returns ErrClosed.
func (s *Subscription[E]) Close() {
	s.feed.drop(s)
	s.end()
}

func (s *Subscription[E]) end() {
	s.closed.Store(true)
	s.rouse()
}

// take takes the next wanted event out of what is at hand. Without any, it notes whether the end was reached.
func (s *Subscription[E]) take() *Entry[E] {
	for len(s.page) > 0 {
		entry := s.page[0]
		s.page = s.page[1:]
		if s.wants(entry) {
			s.through = entry.at
			return entry
		}
	}
	s.page = nil
	if s.through.before(s.next) {
		s.through = s.next
	}
	tail := s.feed.tail.Load()
	if !tail.reaches(s.through) {
		return nil
	}
	for _, entry := range tail.after(s.through) {
		s.through = entry.at
		if s.wants(entry) {
			s.waiting = false
			return entry
		}
	}
	s.kept, s.waiting = true, true
	return nil
}

func (s *Subscription[E]) wants(entry *Entry[E]) bool {
	return s.filter == nil || s.filter(&entry.Event)
}

// turn reads the page of the log that the feed does not have.
func (s *Subscription[E]) turn(ctx context.Context) (*Gap, error) {
	after := s.through
	s.mu.Unlock()
	page, err := s.feed.read(ctx, after, pageSize)
	s.mu.Lock()
	if err != nil {
		return nil, err
	}
	s.page, s.next = page.Entries, page.next
	if page.Gap != nil {
		s.through, _ = page.Gap.ResumesAt.position()
		return page.Gap, nil
	}
	if !page.More && len(page.Entries) == 0 {
		// The feed is behind the log, or has not begun: it says so when it is not.
		s.through, s.kept = page.next, true
		s.waiting = !s.feed.tail.Load().passed(s.through)
	}
	return nil, nil
}

// lag finds out whether the reader is too slow, and lets it go on at the end of what there is.
func (s *Subscription[E]) lag() *Gap {
	if !s.kept || s.left.IsZero() || time.Since(s.left) <= mostAway {
		return nil
	}
	tail := s.feed.tail.Load()
	if tail.reaches(s.through) {
		queued := 0
		for _, entry := range tail.after(s.through) {
			if s.wants(entry) {
				queued++
			}
		}
		if queued <= mostQueued {
			return nil
		}
	}
	if tail == nil || tail.newest.epoch != s.through.epoch || !s.through.before(tail.newest) {
		return nil
	}
	gap := &Gap{Reason: Lagged, After: s.through.cursor(), ResumesAt: tail.newest.cursor()}
	s.through, s.next, s.page = tail.newest, tail.newest, nil
	return gap
}

// pause waits until there is something new, or over.
func (s *Subscription[E]) pause(ctx context.Context, over <-chan time.Time) {
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-s.wake:
	case <-over:
	case <-ctx.Done():
	}
}

// offer tells the subscription what is new in the feed, whose tail has it by now.
func (s *Subscription[E]) offer(news []*Entry[E], newest position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting {
		return // it will find it
	}
	for _, entry := range news {
		if s.through.before(entry.at) && s.wants(entry) {
			s.waiting = false
			s.rouse()
			return
		}
	}
	if s.through.before(newest) {
		s.through = newest
	}
}

// again makes the subscription look for itself.
func (s *Subscription[E]) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = false
	s.rouse()
}

func (s *Subscription[E]) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
