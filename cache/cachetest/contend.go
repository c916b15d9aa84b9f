package cachetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"regtok/cache"
)

const (
	contended = 6 // keys, two of a scope
	writes    = 150
)

// contest is writers and readers of a few keys let loose on each other. Every reading is checked: a reader of a
// process gets nothing older than what was written, and bumped in that process, before the reader came.
type contest struct {
	*stage
	processes []*cache.Cache
	views     []*cache.View[int, int64]
	upstream  [contended]atomic.Int64
	told      [][contended]atomic.Int64 // by process
}

func (s *stage) contend(processes ...*cache.Cache) {
	c := &contest{stage: s, processes: processes, told: make([][contended]atomic.Int64, len(processes))}
	for _, process := range processes {
		c.views = append(c.views, c.versions(process))
	}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for key := range contended {
		writers.Go(func() { c.write(key) })
	}
	for n := range 8 {
		readers.Go(func() { c.read(n%len(processes), done) })
	}
	writers.Wait()
	close(done)
	readers.Wait()
	for key := range contended {
		for _, v := range c.views {
			eventually(s.T, "the last version is read", func() bool { return v.Get(s.ctx, key).Value == writes })
		}
	}
}

// versions is a view of numbers that only grow. Some are stale at once.
func (c *contest) versions(process *cache.Cache) *cache.View[int, int64] {
	return cache.NewView(process, cache.Config[int, int64]{
		Name: "versions",
		Key: func(key int) cache.Key {
			return cache.Key{Scope: contendedScope(key), Item: cache.Join(strconv.Itoa(key))}
		},
		Load:    func(_ context.Context, key int) (int64, error) { return c.upstream[key].Load(), nil },
		Timeout: time.Minute,
		Fresh:   func(int64) time.Duration { return time.Duration(rand.IntN(2)) * time.Hour },
		Stale:   time.Hour,
		Encode:  func(_ int, n int64) ([]byte, error) { return strconv.AppendInt(nil, n, 10), nil },
		Decode:  func(_ int, b []byte) (int64, error) { return strconv.ParseInt(string(b), 10, 64) },
	})
}

func contendedScope(key int) cache.Scope { return scopeOf(fmt.Sprintf("contended %d/", key/2)) }

func (c *contest) write(key int) {
	for version := range int64(writes) {
		process := rand.IntN(len(c.processes))
		c.upstream[key].Store(version + 1)
		c.processes[process].Bump(c.ctx, contendedScope(key))
		c.told[process][key].Store(version + 1)
	}
}

func (c *contest) read(process int, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		keys := rand.Perm(contended)[:1+rand.IntN(contended)]
		var least [contended]int64
		for key := range least {
			least[key] = c.told[process][key].Load()
		}
		ctx := c.ctx
		if rand.IntN(10) == 0 {
			ctx = cache.NoCache(ctx)
		}
		for i, entry := range c.views[process].GetMany(ctx, keys) {
			if entry.Err != nil || entry.Value < least[keys[i]] {
				c.Errorf("key %d: got version %d, %v; want %d or later", keys[i], entry.Value, entry.Err, least[keys[i]])
				return
			}
		}
	}
}
