package eventlog

import (
	"context"
	"sync"
	"sync/atomic"
)

// feed hands the end of a log to all subscriptions of a process.
type feed[E any] struct {
	codec Codec[E]
	// read reads from the log what the tail does not have.
	read func(ctx context.Context, after position, limit int) (Page[E], error)
	// most and mostBytes bound the tail.
	most, mostBytes int

	tail atomic.Pointer[tail[E]] // nil: nothing is known of the log

	mu       sync.Mutex // one changes the tail at a time
	bytes    int        // of the tail, about
	followed map[*Subscription[E]]struct{}
	closed   bool
}

// follow adds a subscription.
func (f *feed[E]) follow(after Cursor, filter func(*E) bool) (*Subscription[E], error) {
	through, err := after.position()
	if err != nil {
		return nil, err
	}
	s := &Subscription[E]{feed: f, filter: filter, wake: make(chan struct{}, 1), through: through}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrClosed
	}
	if f.followed == nil {
		f.followed = map[*Subscription[E]]struct{}{}
	}
	f.followed[s] = struct{}{}
	return s, nil
}

func (f *feed[E]) drop(s *Subscription[E]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.followed, s)
}

// publish adds what comes after the tail, and returns what fell out of it.
func (f *feed[E]) publish(news []*Entry[E]) (dropped []*Entry[E]) {
	if len(news) == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.tail.Load()
	next := &tail[E]{from: old.from, newest: news[len(news)-1].at, entries: append(old.entries, news...)}
	for _, entry := range news {
		f.bytes += f.size(entry)
	}
	drop := 0
	for len(next.entries)-drop > f.most || f.bytes > f.mostBytes && drop < len(next.entries) {
		f.bytes -= f.size(next.entries[drop])
		next.from = next.entries[drop].at
		drop++
	}
	dropped, next.entries = next.entries[:drop], next.entries[drop:]
	f.tail.Store(next)
	for s := range f.followed {
		s.offer(news, next.newest)
	}
	return dropped
}

// reset begins a new tail at a position: what was there before has to be read from the log.
func (f *feed[E]) reset(at position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes = 0
	f.tail.Store(&tail[E]{from: at, newest: at})
	for s := range f.followed {
		s.again()
	}
}

func (f *feed[E]) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for s := range f.followed {
		s.end()
	}
	clear(f.followed)
}

// size is about how many bytes of memory an entry takes.
func (f *feed[E]) size(e *Entry[E]) int {
	const fixed = 400
	return fixed + len(e.Cursor) + f.codec.Size(&e.Event)
}
