// Package cachetest is the suite of package cache: what holds for a view alone, and over any [cache.Store], between
// processes too. A new Store is tested by one call of [Run].
package cachetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"regtok/cache"
)

// Backend makes an empty far tier and returns what connects one more process to it.
type Backend func(t *testing.T) (connect func() cache.Store)

// Run runs the suite over stores of a backend; nil: on a view alone. No case depends on the time that passes, but
// for values whose short life in the store is waited out.
func Run(t *testing.T, backend Backend) {
	for _, c := range viewCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			c.run(newStage(t, backend))
		})
	}
	if backend == nil {
		return
	}
	for _, c := range replicaCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			c.run(newStage(t, backend))
		})
	}
	for _, c := range storeCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, backend(t))
		})
	}
}

type stageCase struct {
	name string
	run  func(*stage)
}

// stage is what a case plays on: an upstream, and any number of processes that read it.
type stage struct {
	*testing.T
	ctx      context.Context
	connect  func() cache.Store
	upstream *upstream
}

func newStage(t *testing.T, backend Backend) *stage {
	s := &stage{T: t, ctx: t.Context(), connect: func() cache.Store { return nil }, upstream: newUpstream()}
	if backend != nil {
		s.connect = backend(t)
	}
	return s
}

// nearFor is how long a process believes its near tier, and a bump waits for one that does not hear.
const nearFor = time.Second

// leaseFor is longer than a busy machine takes to let readers wait for each other.
const leaseFor = time.Minute

// process starts a cache of its own, which hears of the others' bumps.
func (s *stage) process() *cache.Cache {
	s.Helper()
	options := cache.Options{NearFor: nearFor, StoreTimeout: 10 * time.Second, LeaseFor: leaseFor}
	options.Store = s.connect()
	c := cache.New(options)
	s.Cleanup(c.Close)
	if options.Store != nil {
		eventually(s.T, "the process listens", func() bool { return c.Stats().Listens })
	}
	return c
}

type (
	view   = cache.View[string, []byte]
	config = cache.Config[string, []byte]
)

// view makes a view of the upstream: fresh for an hour, stale for another. Keys are "scope/item".
func (s *stage) view(c *cache.Cache, changes ...func(*config)) *view {
	config := config{
		Name:       "things",
		Key:        func(key string) cache.Key { return cache.Key{Scope: scopeOf(key), Item: cache.Join(key)} },
		Load:       s.upstream.load,
		Timeout:    time.Minute,
		Fresh:      func([]byte) time.Duration { return time.Hour },
		Stale:      time.Hour,
		ServeStale: func(err error) bool { return errors.Is(err, errDown) },
		Size:       func(b []byte) int { return len(b) },
		Encode:     func(_ string, b []byte) ([]byte, error) { return b, nil },
		Decode:     func(_ string, b []byte) ([]byte, error) { return b, nil },
	}
	for _, change := range changes {
		change(&config)
	}
	return cache.NewView(c, config)
}

func scopeOf(key string) cache.Scope {
	name, _, _ := strings.Cut(key, "/")
	return cache.Scope{Tenant: "tenant", Name: cache.Join(name)}
}

// staleAtOnce makes values stale the moment they are loaded.
func staleAtOnce(c *config) { c.Fresh = func([]byte) time.Duration { return 0 } }

// goneAtOnce makes values useless the moment they are loaded.
func goneAtOnce(c *config) { staleAtOnce(c); c.Stale = 0 }

var (
	errDown = errors.New("upstream is down")
	errGone = errors.New("no such thing")
)

// upstream answers from a map, counts the loads, and can hold them up.
type upstream struct {
	mu     sync.Mutex
	values map[string]string
	errs   map[string]error
	loads  map[string]int
	begun  chan string   // gets the key of each load held up; nil: none is
	gate   chan struct{} // held up until this is closed
}

func newUpstream() *upstream {
	return &upstream{values: map[string]string{}, errs: map[string]error{}, loads: map[string]int{}}
}

// load reads the value first and is held up then, like an answer that is slow to arrive.
func (u *upstream) load(ctx context.Context, key string) ([]byte, error) {
	u.mu.Lock()
	u.loads[key]++
	value, err, begun, gate := u.values[key], u.errs[key], u.begun, u.gate
	u.mu.Unlock()
	if begun != nil {
		begun <- key
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return []byte(value), err
}

func (u *upstream) set(key, value string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.values[key] = value
	delete(u.errs, key)
}

func (u *upstream) fail(key string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.errs[key] = err
}

// hold holds up the loads from now on, until release is called; begun tells of each.
func (u *upstream) hold() (begun <-chan string, release func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.begun, u.gate = make(chan string, 1000), make(chan struct{})
	gate := u.gate
	return u.begun, func() {
		u.mu.Lock()
		u.begun = nil
		u.mu.Unlock()
		close(gate)
	}
}

func (s *stage) loads(key string, want int) {
	s.Helper()
	s.upstream.mu.Lock()
	defer s.upstream.mu.Unlock()
	if got := s.upstream.loads[key]; got != want {
		s.Errorf("%q was loaded %d times, want %d", key, got, want)
	}
}

// is checks for a fresh value.
func (s *stage) is(entry cache.Entry[[]byte], want string) {
	s.Helper()
	if string(entry.Value) != want || entry.Err != nil || !entry.StaleSince.IsZero() {
		s.Errorf("got %q, error %v, stale since %v; want %q, fresh", entry.Value, entry.Err, entry.StaleSince, want)
	}
}

// stale checks for a stale value.
func (s *stage) stale(entry cache.Entry[[]byte], want string, cause error) {
	s.Helper()
	if string(entry.Value) != want || entry.Err != nil || entry.StaleSince.IsZero() || !errors.Is(entry.Cause, cause) {
		s.Errorf("got %q, error %v, stale since %v because of %v; want %q, stale because of %v",
			entry.Value, entry.Err, entry.StaleSince, entry.Cause, want, cause)
	}
}

// eventually waits for what another goroutine, or another process, is about to do.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
