package cache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
	"regtok/redistest"
)

// narrow is a store that takes values slowly: one call after the other, each for so long.
type narrow struct {
	*cachetest.Connection
	takes atomic.Int64
	turn  chan struct{}
	calls atomic.Int64
}

func newNarrow(m *cachetest.Memory, takes time.Duration) *narrow {
	n := &narrow{Connection: m.Dial(), turn: make(chan struct{}, 1)}
	n.takes.Store(int64(takes))
	return n
}

func (n *narrow) SetMany(ctx context.Context, items []cache.Item) error {
	n.calls.Add(1)
	select {
	case n.turn <- struct{}{}:
		defer func() { <-n.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-time.After(time.Duration(n.takes.Load())):
		return n.Connection.SetMany(ctx, items)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func keysOf(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	return keys
}

func TestAllOfAColdFanOutGetsToASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := cachetest.NewMemory()
		store := newNarrow(m, 200*time.Millisecond)
		c := newCache(t, cache.Options{Store: store, Parallel: 120})
		s := &source{}
		s.delay.Store(int64(time.Second))
		v := numbers(c, s)
		if took := during(func() { v.GetMany(t.Context(), keysOf(120)) }); took != time.Second {
			t.Errorf("the readers waited %v for loads of a second", took)
		}
		time.Sleep(time.Second)
		if got := m.Values(); got != 120 {
			t.Errorf("%d of 120 values are in the store", got)
		}
		if got := store.calls.Load(); got > 3 {
			t.Errorf("it took %d calls", got)
		}
		if got := c.Stats(); got.StoreErrors > 0 || got.StoreFails {
			t.Errorf("got %+v, want no trouble", got)
		}
	})
}

func TestAllOfAColdFanOutGetsToARedisThatPauses(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	const reads = time.Second // how long the store is waited for
	c := newCache(t, cache.Options{Store: cache.NewRedis(connect(t, server), "test:"), Parallel: 120, StoreTimeout: reads})
	var loads atomic.Int64
	all := make(chan struct{})
	v := numbers(c, &source{}, func(config *config) {
		config.Timeout = patience
		config.Load = func(context.Context, string) (int, error) {
			if loads.Add(1) == 120 {
				command("CLIENT", "PAUSE", int(reads.Milliseconds())*3/2, "WRITE")(t, server, meddler)
				close(all)
			}
			<-all
			return 1, nil
		}
	})
	v.GetMany(t.Context(), keysOf(120))
	eventually(t, "all 120 values are in Redis", func() bool { return len(meddler.Keys(t.Context(), values).Val()) == 120 })
}

func TestAStoreThatTakesNothingIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newNarrow(cachetest.NewMemory(), time.Hour)
		c := newCache(t, cache.Options{Store: store})
		v := numbers(c, &source{})
		for i := range 100 {
			v.Get(t.Context(), fmt.Sprint(i))
			time.Sleep(100 * time.Millisecond)
		}
		// Three calls of two seconds, then one after each second of rest.
		if got := store.calls.Load(); got < 4 || got > 5 {
			t.Errorf("%d calls in ten seconds, want 4 or 5", got)
		}
		if !c.Stats().StoreFails {
			t.Error("nothing fails, by its figures")
		}
		if took := during(c.Close); took > 2*time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

func TestWhatWaitsForASlowStoreIsBoundedAndTheOldestIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := cachetest.NewMemory()
		store := newNarrow(m, time.Second)
		c := newCache(t, cache.Options{Store: store})
		noise := make([]byte, 1<<20)
		_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
		v := numbers(c, &source{}, func(c *config) {
			c.Encode = func(string, int) ([]byte, error) { return noise, nil }
			c.Decode = func(string, []byte) (int, error) { return -1, nil }
		})
		for i := range 40 {
			v.Get(t.Context(), fmt.Sprint(i))
			synctest.Wait()
		}
		store.takes.Store(0)
		time.Sleep(2 * time.Second)
		if got, left := m.Values(), c.Stats().StoreErrors; got != 1+15 || left != 40-16 {
			t.Errorf("%d of 40 MiB are in the store, and %d were left out; want 16 and 24", got, left)
		}
		_, other := process(t, m, &source{}, func(c *config) { c.Decode = func(string, []byte) (int, error) { return -1, nil } })
		expect(t, other.Get(t.Context(), "39"), -1)
		expect(t, other.Get(t.Context(), "1"), 1)
	})
}

func TestWhatEndedBeforeItGotToTheStoreIsNotThere(t *testing.T) {
	for name, test := range map[string]struct {
		under int // how many are in a call already
		end   func(t *testing.T, c *cache.Cache, v *cache.View[string, int], s *source)
	}{
		"it waited, and its scope was bumped": {1, func(t *testing.T, c *cache.Cache, _ *cache.View[string, int], _ *source) {
			c.Bump(t.Context(), scope("a"))
		}},
		"it waited, and is gone":        {1, gone},
		"it was under way, and is gone": {0, gone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, s := cachetest.NewMemory(), &source{}
				store := newNarrow(m, time.Second)
				c := newCache(t, cache.Options{Store: store})
				v := numbers(c, s)
				for i := range test.under {
					v.Get(t.Context(), fmt.Sprint("before ", i))
					synctest.Wait()
				}
				v.Get(t.Context(), "a")
				synctest.Wait()
				test.end(t, c, v, s)
				time.Sleep(5 * time.Second)
				if got, calls := m.Values(), store.calls.Load(); got != test.under || calls != 1 {
					t.Errorf("%d values are in the store after %d calls, want %d after 1", got, calls, test.under)
				}
			})
		})
	}
}

func gone(t *testing.T, _ *cache.Cache, v *cache.View[string, int], s *source) {
	s.fail(errGone)
	time.Sleep(instant)
	expectError(t, v.Get(cache.NoCache(t.Context()), "a"), errGone)
}

func TestALeaseEndsWithWhatWasLoadedUnderIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := cachetest.NewMemory()
		other := m.Connect()
		v := numbers(newCache(t, cache.Options{Store: newNarrow(m, time.Second)}), &source{})
		v.Get(t.Context(), "a")
		under := generationOf(t, other, "a")
		claims := []cache.Claim{{Key: farKey("a"), Generation: under, For: time.Second}}
		if claimed, err := other.LeaseMany(t.Context(), claims); err != nil || claimed[0].Mine {
			t.Error("another process may load what is on its way to the store")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if claimed, err := other.LeaseMany(t.Context(), claims); err != nil || !claimed[0].Mine || len(claimed[0].Value) == 0 {
			t.Errorf("the store says %+v, %v: want the lease and a value", claimed, err)
		}
	})
}
