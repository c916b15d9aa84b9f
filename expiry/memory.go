package expiry

import (
	"context"
	"math/rand/v2"
	"sync"
)

// Memory is a log that lasts as long as its process. It keeps the last events, so many and of so many bytes, and forgets those
// before them.
type Memory struct {
	feed *feed

	mu   sync.Mutex // one appends at a time
	ids  map[string]*Entry
	last position
}

var _ Log = (*Memory)(nil)

// How much a log in memory keeps.
const (
	MemoryEvents = 100_000
	MemoryBytes  = 64 << 20
)

// NewMemory makes an empty log that keeps at most so many events and about so many bytes; 0: [MemoryEvents] and
// [MemoryBytes].
func NewMemory(events, bytes int) *Memory {
	if events <= 0 {
		events = MemoryEvents
	}
	if bytes <= 0 {
		bytes = MemoryBytes
	}
	m := &Memory{ids: map[string]*Entry{}, last: position{epoch: newEpoch()}}
	m.feed = &feed{most: events, mostBytes: bytes, read: m.read}
	m.feed.reset(m.last)
	return m
}

// newEpoch begins a life of a log.
func newEpoch() epoch { return epoch(1 + rand.Uint64N(1<<63)) }

// Append implements Log.
func (m *Memory) Append(ctx context.Context, events []Event) (fresh []bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := whole(events); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh = make([]bool, len(events))
	var news []*Entry
	for i, e := range events {
		if m.ids[e.ID] != nil {
			continue
		}
		fresh[i] = true
		m.last.seq++
		entry := &Entry{Event: e, Cursor: m.last.cursor(), at: m.last}
		m.ids[e.ID] = entry
		news = append(news, entry)
	}
	for _, entry := range m.feed.publish(news) {
		delete(m.ids, entry.ID)
	}
	return fresh, nil
}

// Read implements Log.
func (m *Memory) Read(ctx context.Context, after Cursor, limit int) (Page, error) {
	at, err := after.position()
	if err != nil {
		return Page{}, err
	}
	return m.read(ctx, at, limit)
}

func (m *Memory) read(ctx context.Context, after position, limit int) (Page, error) {
	if err := ctx.Err(); err != nil {
		return Page{}, err
	}
	tail := m.feed.tail.Load()
	var page Page
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
func (m *Memory) Find(ctx context.Context, id string) (entry Entry, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if found := m.ids[id]; found != nil {
		return *found, true, nil
	}
	return Entry{}, false, nil
}

// Bounds implements Log.
func (m *Memory) Bounds(ctx context.Context) (oldest, newest Cursor, err error) {
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	tail := m.feed.tail.Load()
	return tail.from.cursor(), tail.newest.cursor(), nil
}

// Follow implements Log.
func (m *Memory) Follow(after Cursor, filter func(*Event) bool) (*Subscription, error) {
	return m.feed.follow(after, filter)
}

// Close implements Log.
func (m *Memory) Close() { m.feed.close() }
