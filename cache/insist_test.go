package cache_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

func TestReadersWhoInsistShareTheNextLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s)
		s.delay.Store(int64(time.Second))
		var readers sync.WaitGroup
		for i := range 50 {
			time.Sleep(time.Millisecond)
			readers.Go(func() {
				want := 1
				if i > 0 {
					want = 2 // the first load began before they came
				}
				expect(t, v.Get(cache.NoCache(t.Context()), "a"), want)
			})
		}
		readers.Wait()
		expectLoads(t, s, 2)
	})
}

func TestWhoInsistsDoesNotGetWhatWasAskedForBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s)
		s.delay.Store(int64(time.Second))
		var reader sync.WaitGroup
		reader.Go(func() { expect(t, v.Get(t.Context(), "a"), 1) })
		time.Sleep(time.Millisecond)
		expect(t, v.Get(cache.NoCache(t.Context()), "a"), 2)
		reader.Wait()
		expect(t, v.Get(t.Context(), "a"), 2)
	})
}

// slowStore answers GetMany after a second.
type slowStore struct{ cache.Store }

func (s slowStore) GetMany(ctx context.Context, questions []cache.Question) ([]cache.Found, error) {
	time.Sleep(time.Second)
	return s.Store.GetMany(ctx, questions)
}

func TestWhoInsistsDoesNotJoinWhoAsksTheFarTier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		one.Get(t.Context(), "a")
		synctest.Wait()
		c := newCache(t, cache.Options{Store: slowStore{m.Connect()}, StoreTimeout: time.Minute})
		v := numbers(c, s)
		time.Sleep(time.Second)
		insisting := cache.NoCache(t.Context())
		time.Sleep(time.Second)
		var reader sync.WaitGroup
		reader.Go(func() { expect(t, v.Get(t.Context(), "a"), 1) })
		synctest.Wait()
		expect(t, v.Get(insisting, "a"), 2)
		reader.Wait()
	})
}

func TestALoadThatInsistsDoesNotWaitForOneThatQueuesBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{Parallel: 1})
		names := numbers(c, &source{}, func(c *config) { c.Name = "names" })
		outer := numbers(c, &source{}, func(c *config) {
			c.Load = func(ctx context.Context, key string) (int, error) {
				time.Sleep(time.Second)
				got := names.Get(cache.NoCache(ctx), "name")
				return got.Value, got.Err
			}
		})
		var readers sync.WaitGroup
		readers.Go(func() { expect(t, outer.Get(t.Context(), "a"), 1) })
		synctest.Wait()
		readers.Go(func() { expect(t, names.Get(t.Context(), "name"), 2) }) // queues for the only turn
		began := time.Now()
		readers.Wait()
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("it took %v, want a second", waited)
		}
	})
}
