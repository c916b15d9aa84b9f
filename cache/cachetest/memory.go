package cachetest

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"time"

	"regtok/cache"
)

// Memory is a far tier in memory, for tests: it can be spoiled. It tells bumps before Bump returns, so what it
// shows between processes is exact.
type Memory struct {
	mu          sync.Mutex
	values      map[cache.Key]held
	generations map[cache.Scope]cache.Generation
	leases      map[leased]time.Time // until when
	last        cache.Generation
	watchers    map[*connection]watcher
	err         error
	deaf        bool
	calls       int
}

type held struct {
	value []byte
	until time.Time
}

type leased struct {
	key   cache.Key
	under cache.Generation
}

type watcher struct {
	bumped func(cache.Scope)
	lost   func()
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory {
	return &Memory{
		values:      map[cache.Key]held{},
		generations: map[cache.Scope]cache.Generation{},
		leases:      map[leased]time.Time{},
		watchers:    map[*connection]watcher{},
	}
}

// Connect makes the store of one more process.
func (m *Memory) Connect() cache.Store { return &connection{m} }

// Fail makes every call return err; nil: no more.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Cut loses all messages until Reconnect.
func (m *Memory) Cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf = true
}

// Reconnect ends Cut, and tells the watchers that they may have missed messages.
func (m *Memory) Reconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf = false
	for _, w := range m.watchers {
		w.lost()
	}
}

// Flush loses everything, generations too.
func (m *Memory) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.values)
	clear(m.generations)
	clear(m.leases)
}

// Save remembers everything as it is, for restore to bring back, as a Redis does that starts from an older copy.
func (m *Memory) Save() (restore func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	values, generations := maps.Clone(m.values), maps.Clone(m.generations)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.values, m.generations = maps.Clone(values), maps.Clone(generations)
	}
}

// Spoil replaces every value by what change makes of it.
func (m *Memory) Spoil(change func(cache.Key, []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, h := range m.values {
		h.value = change(key, bytes.Clone(h.value))
		m.values[key] = h
	}
}

// Values counts what is held.
func (m *Memory) Values() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.values)
}

// Reads counts the calls of GetMany.
func (m *Memory) Reads() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// connection is one process's Memory.
type connection struct{ *Memory }

var _ cache.Store = (*connection)(nil)

func (c *connection) GetMany(ctx context.Context, keys []cache.Key) ([]cache.Found, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if err := c.trouble(ctx); err != nil {
		return nil, err
	}
	found := make([]cache.Found, len(keys))
	for i, key := range keys {
		c.number(key.Scope)
		found[i] = c.find(key)
	}
	return found, nil
}

func (c *connection) find(key cache.Key) cache.Found {
	found := cache.Found{Generation: c.generations[key.Scope]}
	if h, ok := c.values[key]; ok && time.Now().Before(h.until) {
		found.Value = bytes.Clone(h.value)
	}
	return found
}

// trouble is why a call fails.
func (c *connection) trouble(ctx context.Context) error {
	if c.err != nil {
		return c.err
	}
	return ctx.Err()
}

// number gives the scope a generation unless it has one.
func (c *connection) number(scope cache.Scope) {
	if c.generations[scope] == 0 {
		c.last++
		c.generations[scope] = c.last
	}
}

func (c *connection) SetMany(ctx context.Context, items []cache.Item) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return err
	}
	for _, item := range items {
		c.values[item.Key] = held{value: item.Value, until: time.Now().Add(item.For)}
	}
	return nil
}

func (c *connection) DeleteMany(ctx context.Context, keys []cache.Key) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return err
	}
	for _, key := range keys {
		delete(c.values, key)
	}
	return nil
}

func (c *connection) Lease(ctx context.Context, key cache.Key, under cache.Generation, life time.Duration) (found cache.Found, mine bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return found, false, err
	}
	now, lease := time.Now(), leased{key, under}
	if mine = !now.Before(c.leases[lease]); mine {
		c.leases[lease] = now.Add(life)
	}
	return c.find(key), mine, nil
}

func (c *connection) EndLease(ctx context.Context, key cache.Key, under cache.Generation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return err
	}
	delete(c.leases, leased{key, under})
	return nil
}

func (c *connection) Bump(ctx context.Context, scopes ...cache.Scope) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return err
	}
	for _, scope := range scopes {
		delete(c.generations, scope)
		for other, watcher := range c.watchers {
			if other != c && !c.deaf {
				watcher.bumped(scope)
			}
		}
	}
	return nil
}

func (c *connection) Watch(ctx context.Context, bumped func(cache.Scope), lost func()) {
	c.mu.Lock()
	c.watchers[c] = watcher{bumped, lost}
	lost()
	c.mu.Unlock()
	<-ctx.Done()
	c.mu.Lock()
	delete(c.watchers, c)
	c.mu.Unlock()
}
