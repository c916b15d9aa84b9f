package eventlog

import (
	"context"
	"math/rand/v2"
	"sync"
)

// Memory is a log that lasts as long as its process. It keeps the last events, so many and of so many bytes, and forgets those
// before them.
type Memory[E any] struct {
	feed *feed[E]

	mu   sync.Mutex // one appends at a time
	ids  map[string]*Entry[E]
	last position
}

var _ Log[struct{}] = (*Memory[struct{}])(nil)

// How much a log in memory keeps.
const (
	MemoryEvents = 100_000
	MemoryBytes  = 64 << 20
)

// NewMemory makes an empty log that keeps at most so many events and about so many bytes; 0: [MemoryEvents] and
// [MemoryBytes].
func NewMemory[E any](codec Codec[E], events, bytes int) *Memory[E] {
	if events <= 0 {
		events = MemoryEvents
	}
	if bytes <= 0 {
		bytes = MemoryBytes
	}
	m := &Memory[E]{ids: map[string]*Entry[E]{}, last: position{epoch: newEpoch()}}
	m.feed = &feed[E]{codec: codec, most: events, mostBytes: bytes, read: m.read}
	m.feed.reset(m.last)
	return m
}

// newEpoch begins a life of a log.
func newEpoch() epoch { return epoch(1 + rand.Uint64N(1<<63)) }

// Append implements Log.
func (m *Memory[E]) Append(ctx context.Context, events []E) (fresh []bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := whole(m.feed.codec, events); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh = make([]bool, len(events))
	var news []*Entry[E]
	for i, e := range events {
		id := m.feed.codec.ID(&e)
		if m.ids[id] != nil {
			continue
		}
		fresh[i] = true
		m.last.seq++
		entry := &Entry[E]{Event: e, Cursor: m.last.cursor(), at: m.last}
		m.ids[id] = entry
		news = append(news, entry)
	}
	for _, entry := range m.feed.publish(news) {
		delete(m.ids, m.feed.codec.ID(&entry.Event))
	}
	return fresh, nil
}

// Read implements Log.
func (m *Memory[E]) Read(ctx context.Context, after Cursor, limit int) (Page[E], error) {
	at, err := after.position()
	if err != nil {
		return Page[E]{}, err
	}
	return m.read(ctx, at, limit)
}

func (m *Memory[E]) read(ctx context.Context, after position, limit int) (Page[E], error) {
	if err := ctx.Err(); err != nil {
		return Page[E]{}, err
	}
	tail := m.feed.tail.Load()
	var page Page[E]
	if !tail.reaches(after) {
		if after != (position{}) {
			page.Gap = &Gap{Reason: ExpiredCursor, After: after.cursor(), ResumesAt: tail.from.cursor()}
		}
		after = tail.from
	}
	found := tail.after(after)
	page.More = len(found) > limit
	count := min(len(found), max(limit, 0))
	page.Entries, page.next = found[:count:count], after
	if count > 0 {
		page.next = page.Entries[count-1].at
	}
	page.Next = page.next.cursor()
	return page, nil
}

// Find implements Log.
func (m *Memory[E]) Find(ctx context.Context, id string) (entry Entry[E], ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return Entry[E]{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if found := m.ids[id]; found != nil {
		return *found, true, nil
	}
	return Entry[E]{}, false, nil
}

// Bounds implements Log.
func (m *Memory[E]) Bounds(ctx context.Context) (oldest, newest Cursor, err error) {
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	tail := m.feed.tail.Load()
	return tail.from.cursor(), tail.newest.cursor(), nil
}

// Follow implements Log.
func (m *Memory[E]) Follow(after Cursor, filter func(*E) bool) (*Subscription[E], error) {
	return m.feed.follow(after, filter)
}

// Close implements Log.
func (m *Memory[E]) Close() { m.feed.close() }
