package cachetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"regtok/cache"
)

// registeredFor is how long a process counts as a listener after it last said so.
const registeredFor = 3 * time.Second

// Memory is a far tier in memory, for tests: it can be spoiled, and so can the way to it. It tells bumps before Bump
// returns, so what it shows between processes is exact. It never forgets who is registered.
type Memory struct {
	mu          sync.Mutex
	values      map[cache.Key]held
	generations map[cache.Scope]generation
	leases      map[leased]time.Time // until when
	last        cache.Generation
	run         int // generations of another run do not count
	watchers    map[*Connection]*registration
	err         error
	deaf        bool
	calls       int
	fetched     int
}

type generation struct {
	cache.Generation
	run int
}

type held struct {
	value []byte
	until time.Time
}

type leased struct {
	key   cache.Key
	under cache.Generation
}

// registration is a process that listens.
type registration struct {
	watcher      cache.Watcher
	since, until time.Time
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory {
	return &Memory{
		values:      map[cache.Key]held{},
		generations: map[cache.Scope]generation{},
		leases:      map[leased]time.Time{},
		watchers:    map[*Connection]*registration{},
	}
}

// Connect makes the store of one more process.
func (m *Memory) Connect() cache.Store { return m.Dial() }

// Dial makes the store of one more process, which can be cut off alone.
func (m *Memory) Dial() *Connection { return &Connection{Memory: m} }

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

// Reconnect ends Cut, and tells the watchers that the store may have forgotten something.
func (m *Memory) Reconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf = false
	for _, w := range m.watchers {
		w.watcher.Lost()
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

// Restart begins another run, in which nothing counts that was there before, whatever is restored.
func (m *Memory) Restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.run++
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

// Fetched counts the questions that were not bare.
func (m *Memory) Fetched() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fetched
}

// Connection is one process's Memory.
type Connection struct {
	*Memory
	// Guarded by Memory's lock.
	cut, mute bool
}

var _ cache.Store = (*Connection)(nil)

// errCut is the error of a connection that is cut.
var errCut = errors.New("the connection is cut")

// Cut makes every call fail, and loses the messages to this process, until Mend. The others are told nothing: so dies a
// process, too.
func (c *Connection) Cut() { c.set(&c.cut, true) }

// Mute loses the messages to this process, until Mend.
func (c *Connection) Mute() { c.set(&c.mute, true) }

// Mend ends Cut and Mute.
func (c *Connection) Mend() {
	c.set(&c.cut, false)
	c.set(&c.mute, false)
}

func (c *Connection) set(what *bool, to bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*what = to
}

// GetMany implements cache.Store.
func (c *Connection) GetMany(ctx context.Context, questions []cache.Question) ([]cache.Found, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if err := c.trouble(ctx); err != nil {
		return nil, err
	}
	found := make([]cache.Found, len(questions))
	for i, question := range questions {
		c.number(question.Key.Scope)
		if found[i] = c.find(question.Key); question.Bare {
			found[i].Value = nil
		} else {
			c.fetched++
		}
	}
	return found, nil
}

func (c *Connection) find(key cache.Key) cache.Found {
	var found cache.Found
	if g := c.generations[key.Scope]; g.run == c.run {
		found.Generation = g.Generation
	}
	if h, ok := c.values[key]; ok && time.Now().Before(h.until) {
		found.Value = bytes.Clone(h.value)
	}
	return found
}

// trouble is why a call fails.
func (c *Connection) trouble(ctx context.Context) error {
	if c.cut {
		return errCut
	}
	return cmp.Or(c.err, ctx.Err())
}

// number gives the scope a generation unless it has one.
func (c *Connection) number(scope cache.Scope) {
	if g, ok := c.generations[scope]; !ok || g.run != c.run {
		c.last++
		c.generations[scope] = generation{cache.Generation(c.run)<<48 | c.last, c.run}
	}
}

// SetMany implements cache.Store.
func (c *Connection) SetMany(ctx context.Context, items []cache.Item) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return err
	}
	for _, item := range items {
		c.values[item.Key] = held{value: item.Value, until: time.Now().Add(item.For)}
		if item.Leased {
			delete(c.leases, leased{item.Key, item.Generation})
		}
	}
	return nil
}

// DeleteMany implements cache.Store.
func (c *Connection) DeleteMany(ctx context.Context, keys []cache.Key) error {
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

// LeaseMany implements cache.Store.
func (c *Connection) LeaseMany(ctx context.Context, claims []cache.Claim) ([]cache.Claimed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return nil, err
	}
	now, claimed := time.Now(), make([]cache.Claimed, len(claims))
	for i, claim := range claims {
		lease := leased{claim.Key, claim.Generation}
		claimed[i].Found = c.find(claim.Key)
		if claimed[i].Mine = !now.Before(c.leases[lease]); claimed[i].Mine {
			c.leases[lease] = now.Add(claim.For)
		}
	}
	return claimed, nil
}

// EndLease implements cache.Store.
func (c *Connection) EndLease(ctx context.Context, key cache.Key, under cache.Generation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return err
	}
	delete(c.leases, leased{key, under})
	return nil
}

// Remembers implements cache.Store: what was restored knows nothing of what was bumped since.
func (*Connection) Remembers() bool { return false }

// Bump implements cache.Store.
func (c *Connection) Bump(ctx context.Context, scopes ...cache.Scope) (heard <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.trouble(ctx); err != nil {
		return nil, err
	}
	for _, scope := range scopes {
		delete(c.generations, scope)
	}
	all, now := make(chan struct{}), time.Now()
	missing := false
	for other, registration := range c.watchers {
		switch {
		case other == c:
		case other.hears():
			for _, scope := range scopes {
				registration.watcher.Bumped(scope)
			}
		case now.Before(registration.until):
			missing = true
		}
	}
	if !missing {
		close(all)
	}
	return all, nil
}

// hears tells whether messages reach it. Memory is locked.
func (c *Connection) hears() bool { return !c.deaf && !c.cut && !c.mute && c.err == nil }

// Watch implements cache.Store.
func (c *Connection) Watch(ctx context.Context, w cache.Watcher) {
	defer c.leave(w)
	ticker := time.NewTicker(registeredFor / 3)
	defer ticker.Stop()
	for first := true; ctx.Err() == nil; first = false {
		c.register(w, first)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// register registers this process, or prolongs that.
func (c *Connection) register(w cache.Watcher, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first {
		w.Lost()
	}
	if !c.hears() {
		return
	}
	now := time.Now()
	current := c.watchers[c]
	if current == nil || !now.Before(current.until) {
		current = &registration{watcher: w, since: now}
		c.watchers[c] = current
	}
	current.until = now.Add(registeredFor)
	w.Registered(current.since, now.Add(registeredFor-registeredFor/6))
}

func (c *Connection) leave(w cache.Watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	w.Registered(now, now)
	if !c.cut {
		delete(c.watchers, c)
	}
}
