package cache_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
)

func TestAReaderSeesWhatLandedSinceItLooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		landed := make(chan struct{})
		var keys atomic.Int64
		v := numbers(newCache(t, cache.Options{}), s, func(c *config) {
			c.Key = func(key string) cache.Key {
				if keys.Add(1)%2 == 0 { // the second reader has looked, and not boarded
					<-landed
				}
				return cache.Key{Scope: scope(key)}
			}
		})
		s.delay.Store(int64(time.Second))
		var late sync.WaitGroup
		early := func(want int) {
			began := time.Now()
			late.Go(func() {
				synctest.Wait()
				if got := v.Get(t.Context(), "a"); got.Value != want {
					t.Errorf("the late reader got %+v, want %d", got, want)
				}
			})
			v.Get(t.Context(), "a")
			time.Sleep(2*time.Second - time.Since(began))
			landed <- struct{}{}
			late.Wait()
			synctest.Wait()
		}
		early(1)
		time.Sleep(fresh - 2*time.Second + time.Second)
		early(1) // both find it stale; only the early one renews it
		time.Sleep(time.Second)
		expect(t, v.Get(t.Context(), "a"), 2)
		expectLoads(t, s, 2)
	})
}

func TestASlowOldLoadDoesNotReplaceANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s)
		s.delay.Store(int64(5 * time.Second))
		var reader sync.WaitGroup
		reader.Go(func() { expect(t, v.Get(t.Context(), "a"), 1) })
		time.Sleep(time.Second)
		v.Put("a", 70, c.Moment())
		reader.Wait()
		expect(t, v.Get(t.Context(), "a"), 70)
	})
}

func TestLoadsOfATenantAreBoundedAndHoldUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		var mu sync.Mutex
		running, most := 0, 0
		count := func(change int) {
			mu.Lock()
			defer mu.Unlock()
			running += change
			most = max(most, running)
		}
		v := numbers(newCache(t, cache.Options{Parallel: 4}), s, func(c *config) {
			c.Key = func(key string) cache.Key {
				tenant, item, _ := strings.Cut(key, "/")
				return cache.Key{Scope: cache.Scope{Tenant: tenant}, Item: item}
			}
			c.Load = func(ctx context.Context, key string) (int, error) {
				if strings.HasPrefix(key, "one") {
					count(1)
					defer count(-1)
				}
				return s.load(ctx, key)
			}
		})
		s.delay.Store(int64(time.Second))
		var keys []string
		for i := range 12 {
			keys = append(keys, fmt.Sprint("one/", i))
		}
		began := time.Now()
		var other sync.WaitGroup
		other.Go(func() {
			synctest.Wait()
			v.Get(t.Context(), "two/1")
			if waited := time.Since(began); waited != time.Second {
				t.Errorf("another tenant waited %v, want a second", waited)
			}
		})
		v.GetMany(t.Context(), keys)
		if waited := time.Since(began); waited != 3*time.Second || most != 4 {
			t.Errorf("12 loads of a second took %v, %d at once; want 3 s, 4 at once", waited, most)
		}
		other.Wait()
	})
}

func TestALoadThatReadsAnotherViewDoesNotQueueBehindItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{Parallel: 2})
		inner := &source{}
		inner.delay.Store(int64(time.Second))
		names := numbers(c, inner, func(c *config) { c.Name = "names" })
		outer := numbers(c, &source{}, func(c *config) {
			c.Load = func(ctx context.Context, key string) (int, error) {
				time.Sleep(time.Second)
				got := names.Get(ctx, "name")
				return got.Value, got.Err
			}
		})
		var early sync.WaitGroup
		early.Go(func() { outer.GetMany(t.Context(), []string{"a", "b"}) })
		synctest.Wait() // both turns are taken by those two
		early.Go(func() { expect(t, names.Get(t.Context(), "name"), 1) })
		synctest.Wait() // this one queues, and the two will wait for it
		began := time.Now()
		early.Wait()
		if waited := time.Since(began); waited != 2*time.Second {
			t.Errorf("it took %v, want 2 s", waited)
		}
		expectLoads(t, inner, 1)
	})
}

func TestQueuedLoadsForNobodyAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{Parallel: 1}), s)
		s.delay.Store(int64(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var reader sync.WaitGroup
		reader.Go(func() { v.Get(ctx, "a") })
		synctest.Wait() // the only turn is taken
		reader.Go(func() {
			time.Sleep(100 * time.Millisecond)
			if got := v.Get(t.Context(), "b"); got.Err != nil { // it waits on when the others have left
				t.Errorf("the reader who stayed got %v", got.Err)
			}
		})
		for _, entry := range v.GetMany(ctx, []string{"a", "b", "c", "d"}) {
			expectError(t, entry, context.DeadlineExceeded)
		}
		reader.Wait()
		synctest.Wait()
		expectLoads(t, s, 2) // the one that ran, and the one that somebody waits for
		if got := v.Get(t.Context(), "c"); got.Err != nil {
			t.Errorf("what was given up cannot be read again: %v", got.Err)
		}
	})
}

func TestOffKeepsNothingAndSharesLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{Off: true})
		s := &source{}
		v := numbers(c, s, func(c *config) { c.Negative = func(error) time.Duration { return time.Hour } })
		s.delay.Store(int64(time.Second))
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() { expect(t, v.Get(t.Context(), "a"), 1) })
		}
		readers.Wait()
		expect(t, v.Get(t.Context(), "a"), 2)
		v.Put("a", 70, c.Moment())
		if got, ok := v.Peek(t.Context(), "a"); ok {
			t.Errorf("there is %+v", got)
		}
		s.fail(errDown)
		expectError(t, v.Get(t.Context(), "a"), errDown)
		s.fail(nil)
		expect(t, v.Get(t.Context(), "a"), 4)
		c.Bump(t.Context(), scope("a"))
		expect(t, v.GetMany(t.Context(), []string{"a", "a"})[1], 5)
		if got := c.Stats(); got.Entries != 0 || got.Bytes != 0 {
			t.Errorf("it holds %d entries of %d bytes", got.Entries, got.Bytes)
		}
	})
}

func TestTheNearTierIsBoundedInBytes(t *testing.T) {
	c := newCache(t, cache.Options{Bytes: 100_000})
	s := &source{}
	v := numbers(c, s, func(c *config) { c.Size = func(int) int { return 1000 } })
	for i := range 1000 {
		v.Get(t.Context(), fmt.Sprint(i))
	}
	got := c.Stats()
	if got.Bytes > 100_000 || got.Entries > 100 || got.Entries < 30 {
		t.Errorf("holds %d entries of %d bytes, want what fits into 100,000", got.Entries, got.Bytes)
	}
	huge := numbers(c, s, func(c *config) { c.Name = "huge"; c.Size = func(int) int { return 1 << 40 } })
	if got := huge.Get(t.Context(), "a"); got.Err != nil {
		t.Errorf("a value larger than the tier: %v", got.Err)
	}
	if got := c.Stats().Bytes; got > 100_000 {
		t.Errorf("then holds %d bytes", got)
	}
}

func TestStatsCountEveryRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s)
		v.GetMany(t.Context(), []string{"a", "b", "a"})
		v.Get(t.Context(), "a")
		time.Sleep(fresh)
		v.Get(t.Context(), "a")
		synctest.Wait()
		s.fail(errGone)
		v.Get(t.Context(), "c")
		want := cache.ViewStats{Hits: 1, Stale: 1, Waits: 4, Loads: 4, Errors: 1}
		if got := c.Stats().Views["numbers"]; got != want || v.Stats() != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestAViewNeedsNoMoreThanItsConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s, func(c *config) { c.ServeStale, c.Stale = nil, time.Hour })
		expect(t, v.Get(t.Context(), "a"), 1)
		s.fail(errDown)
		time.Sleep(fresh)
		v.Get(t.Context(), "a")
		synctest.Wait()
		expectError(t, v.Get(t.Context(), "a"), errDown)
	})
}

func TestAViewNeedsAConfiguration(t *testing.T) {
	c := newCache(t, cache.Options{})
	numbers(c, &source{})
	tests := map[string]func(*config){
		"its name is taken": func(*config) {},
		"it has no name":    func(c *config) { c.Name = "" },
		"it has no key":     func(c *config) { c.Name, c.Key = "other", nil },
		"it has no load":    func(c *config) { c.Name, c.Load = "other", nil },
		"it has no timeout": func(c *config) { c.Name, c.Timeout = "other", 0 },
		"it has no age":     func(c *config) { c.Name, c.Fresh = "other", nil },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("nothing was panicked")
				}
			}()
			numbers(c, &source{}, change)
		})
	}
}
