package transport

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Stream is one subscription under way. Its resolver finds it by StreamOf.
type Stream struct {
	streams *Streams
	count   *atomic.Int64
	ctx     context.Context
	cancel  context.CancelCauseFunc
	forget  func() bool

	resume string
	began  time.Time
	source Source // nil: it could not begin

	mu     sync.Mutex
	cursor string // all before it was handed out
	handed int
	slow   bool
}

// Source brings a stream's events. The goroutine that answers calls it, so that a subscriber who waits is one, and that is deep
// in nothing while it does.
type Source interface {
	// Next waits for an event, and leaves it where the resolver said it would be. Not ok: there are no more, or ctx is over.
	Next(ctx context.Context) (m Mark, ok bool)
	// Close is called once, when the stream is over.
	Close()
}

// Mark is what a transport has to know of an event.
type Mark struct {
	// Cursor is where to go on after it. Empty: where the caller was before it.
	Cursor string
	// At is when the event was due to be told. Zero: it tells of a gap.
	At time.Time
}

type streamKey struct{}

// StreamOf returns the stream that an operation is carried by, and nil when it is carried by none.
func StreamOf(ctx context.Context) *Stream {
	stream, _ := ctx.Value(streamKey{}).(*Stream)
	return stream
}

// Resume is where the caller wants to go on, as far as its transport tells: the last `id:` that a browser saw. Empty: it does
// not. It goes before what stands in the document.
func (s *Stream) Resume() string { return s.resume }

// Follow says what brings the events, and where the stream begins. It is to be called by the resolver.
func (s *Stream) Follow(source Source, cursor string) { s.source, s.cursor = source, cursor }

// bring waits for the next event. What could not begin has an answer all the same.
func (s *Stream) bring(ctx context.Context) (m Mark, ok bool) {
	if s.source == nil {
		return m, true
	}
	return s.source.Next(ctx)
}

// handOut notes that an event is on its way.
func (s *Stream) handOut(m Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handed++
	if m.Cursor != "" {
		s.cursor = m.Cursor
	}
	switch replayed := m.At.Before(s.began); {
	case m.At.IsZero():
		s.streams.gaps.Add(1)
	case replayed:
		s.streams.replayed.Add(1)
		s.streams.config.Observe(time.Since(m.At), true)
	default:
		s.streams.live.Add(1)
		s.streams.config.Observe(time.Since(m.At), false)
	}
}

// last is where the caller may go on.
func (s *Stream) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// leaves tells whether the end of the process has ended it.
func (s *Stream) leaves() bool { return errors.Is(context.Cause(s.ctx), errEnding) }

// tooSlow ends the stream because its caller does not read.
func (s *Stream) tooSlow() {
	s.mu.Lock()
	s.slow = true
	s.mu.Unlock()
	s.cancel(context.Canceled)
}

// close ends the stream, after its last answer.
func (s *Stream) close(transport string) {
	early := s.ctx.Err() != nil
	s.forget()
	s.cancel(nil)
	if s.source != nil {
		s.source.Close()
	}
	s.count.Add(-1)
	s.mu.Lock()
	defer s.mu.Unlock()
	how := "done"
	switch {
	case s.slow:
		how = "slow"
		s.streams.slow.Add(1)
	case s.leaves():
		how = "shutdown"
	case s.expired():
		how = "credential"
	case early:
		how = "left"
	}
	s.streams.config.Log.LogAttrs(s.ctx, slog.LevelInfo, "stream ended", slog.String("transport", transport), slog.String("how", how),
		slog.Int("events", s.handed), slog.Duration("after", time.Since(s.began)))
}
