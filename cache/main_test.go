package cache_test

import (
	"context"
	"errors"
	"flag"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"regtok/cache"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // most wait more than they work
		panic(err)
	}
	logging.Disable() // a client of Redis would tell each fault
	goleak.VerifyTestMain(m)
}

const (
	fresh = 30 * time.Second
	stale = 10 * time.Minute
	// instant is the least time there is.
	instant = time.Nanosecond
)

var (
	errDown = errors.New("down")
	errGone = errors.New("gone")
)

// source is an upstream of numbered answers: each load returns the next number, after delay.
type source struct {
	delay atomic.Int64
	count atomic.Int64
	mu    sync.Mutex
	err   error
}

func (s *source) load(ctx context.Context, _ string) (int, error) {
	n := int(s.count.Add(1))
	select {
	case <-time.After(time.Duration(s.delay.Load())):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return n, s.err
}

func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *source) loads() int { return int(s.count.Load()) }

func newCache(t *testing.T, options cache.Options) *cache.Cache {
	c := cache.New(options)
	t.Cleanup(c.Close)
	return c
}

type config = cache.Config[string, int]

// numbers is a view of s in which every key has a scope of its own.
func numbers(c *cache.Cache, s *source, changes ...func(*config)) *cache.View[string, int] {
	config := config{
		Name:       "numbers",
		Key:        func(key string) cache.Key { return cache.Key{Scope: scope(key)} },
		Load:       s.load,
		Timeout:    10 * time.Second,
		Fresh:      func(int) time.Duration { return fresh },
		Stale:      stale,
		ServeStale: func(err error) bool { return errors.Is(err, errDown) },
		Encode:     func(_ string, n int) ([]byte, error) { return []byte{byte(n)}, nil },
		Decode: func(_ string, b []byte) (int, error) {
			if len(b) != 1 {
				return 0, errors.New("not one byte")
			}
			return int(b[0]), nil
		},
	}
	for _, change := range changes {
		change(&config)
	}
	return cache.NewView(c, config)
}

func scope(key string) cache.Scope { return cache.Scope{Tenant: "tenant", Name: cache.Join(key)} }

// expect checks for a value that is fresh.
func expect(t *testing.T, got cache.Entry[int], want int) {
	t.Helper()
	if got.Value != want || got.Err != nil || !got.StaleSince.IsZero() || got.Cause != nil {
		t.Errorf("got %+v, want %d, fresh", got, want)
	}
}

// expectStale checks for a value that is stale since then.
func expectStale(t *testing.T, got cache.Entry[int], want int, since time.Time, cause error) {
	t.Helper()
	if got.Value != want || got.Err != nil || !got.StaleSince.Equal(since) || !errors.Is(got.Cause, cause) {
		t.Errorf("got %+v, want %d, stale since %v because of %v", got, want, since, cause)
	}
}

func expectError(t *testing.T, got cache.Entry[int], want error) {
	t.Helper()
	if !errors.Is(got.Err, want) || got.Value != 0 {
		t.Errorf("got %+v, want the error %v", got, want)
	}
}

func expectLoads(t *testing.T, s *source, want int) {
	t.Helper()
	if got := s.loads(); got != want {
		t.Errorf("%d loads, want %d", got, want)
	}
}
