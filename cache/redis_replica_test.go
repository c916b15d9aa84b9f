package cache_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/cache"
	"regtok/redistest"
)

// lines is a log that is read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// replica is a process with a cache over Redis. Versions of everything are counted by what all replicas read.
type replica struct {
	*cache.Cache
	view *cache.View[string, int64]
	log  lines
}

func (r *replica) listens() bool { return r.Stats().Listens }

// newReplica asks Redis about everything, as if the near tier had just ceased to be believed, and waits so long.
func newReplica(t *testing.T, server *redistest.Server, timeout time.Duration, upstream *atomic.Int64) *replica {
	return newReplicaOf(t, connect(t, server), timeout, upstream)
}

func newReplicaOf(t *testing.T, client redis.UniversalClient, timeout time.Duration, upstream *atomic.Int64) *replica {
	r := &replica{}
	r.Cache = newCache(t, cache.Options{
		Store: cache.NewRedis(client, "test:"), NearFor: time.Nanosecond, Jitter: -1, StoreTimeout: timeout,
		Report: reports(&r.log),
	})
	r.view = cache.NewView(r.Cache, cache.Config[string, int64]{
		Name:    "versions",
		Key:     func(key string) cache.Key { return cache.Key{Scope: scope("all"), Item: cache.Join(key)} },
		Load:    func(context.Context, string) (int64, error) { return upstream.Load(), nil },
		Timeout: 10 * time.Second,
		Fresh:   func(int64) time.Duration { return time.Hour },
		Encode: func(_ string, n int64) ([]byte, error) {
			return fmt.Append(nil, n, strings.Repeat(" of many", 200)), nil
		},
		Decode: func(_ string, b []byte) (n int64, err error) {
			_, err = fmt.Sscan(string(b), &n)
			return n, err
		},
	})
	return r
}

// answers checks that key is at the version, and is told in time whatever Redis does.
func (r *replica) answers(t *testing.T, key string, version int64) {
	t.Helper()
	began := time.Now()
	got := r.view.Get(t.Context(), key)
	if got.Err != nil || got.Value != version || !got.StaleSince.IsZero() {
		t.Errorf("%s: got %+v, want version %d", key, got, version)
	}
	if took := time.Since(began); took > 2*time.Second { // 0.3 s, on a machine that has time
		t.Errorf("%s took %v", key, took)
	}
}

// values is what the names of values match: after their scope they go on with a length.
const values = "*}[0-9]*"

const (
	// brief is how long Redis is waited for where it does not answer: longer than the 50 ms that are usual, because a
	// machine that is busy with tests may take as long for a good answer.
	brief = 250 * time.Millisecond
	// patience is for a Redis that answers.
	patience = 10 * time.Second
)

// eventually waits for what another goroutine, or another process, is about to do.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
