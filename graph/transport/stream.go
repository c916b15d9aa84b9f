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
	running sync.WaitGroup

	resume string
	began  time.Time
	marks  chan Mark // of answers that were not asked for yet: at most one that waits, and one that its resolver wants to hand out

	mu     sync.Mutex
	cursor string // all before it was handed out
	handed int
	slow   bool
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

// Begin says where the stream begins.
func (s *Stream) Begin(cursor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor = cursor
}

// Mark says what the next event is that the resolver hands out. It is to be called once for each, before that.
func (s *Stream) Mark(ctx context.Context, m Mark) {
	select {
	case s.marks <- m:
	case <-ctx.Done():
	}
}

// Go runs what brings the events. The stream is over when that has returned, which it has to when its context ends.
func (s *Stream) Go(run func()) { s.running.Go(run) }

// handOut notes that an answer is on its way, and returns its mark.
func (s *Stream) handOut() Mark {
	var m Mark
	select {
	case m = <-s.marks:
	default:
		return m // it tells of a failure
	}
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
	return m
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

// close ends the stream, and waits for its resolver.
func (s *Stream) close(transport string) {
	early := s.ctx.Err() != nil
	s.forget()
	s.cancel(nil)
	s.running.Wait()
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
	case early:
		how = "left"
	}
	s.streams.config.Log.LogAttrs(s.ctx, slog.LevelInfo, "stream ended", slog.String("transport", transport), slog.String("how", how),
		slog.Int("events", s.handed), slog.Duration("after", time.Since(s.began)))
}
