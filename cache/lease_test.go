package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

// farKey is where numbers keeps what it has of key in the far tier.
func farKey(key string) cache.Key {
	return cache.Key{Scope: scope(key), Item: cache.Join("numbers", "")}
}

// generationOf is a key's now.
func generationOf(t *testing.T, store cache.Store, key string) cache.Generation {
	t.Helper()
	found, err := store.GetMany(t.Context(), []cache.Question{{Key: farKey(key)}})
	if err != nil {
		t.Fatal(err)
	}
	return found[0].Generation
}

// dead is a process that took the lease of a key and says no more.
func dead(t *testing.T, store cache.Store, key string, life time.Duration) {
	t.Helper()
	claim := cache.Claim{Key: farKey(key), Generation: generationOf(t, store, key), For: life}
	if claimed, err := store.LeaseMany(t.Context(), []cache.Claim{claim}); err != nil || !claimed[0].Mine {
		t.Fatalf("the lease is its own: %v, %v", claimed, err)
	}
}

// during reports how long do took.
func during(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

func TestWhoMissesWhileAnotherLoadsTakesWhatThatBrings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		s.delay.Store(int64(time.Second))
		var readers sync.WaitGroup
		for range 4 {
			_, v := process(t, m, s)
			for range 25 {
				readers.Go(func() {
					if took := during(func() { expect(t, v.Get(t.Context(), "a"), 1) }); took > time.Second+75*time.Millisecond {
						t.Errorf("it took %v", took)
					}
				})
			}
		}
		readers.Wait()
		expectLoads(t, s, 1)
	})
}

func TestARenewalIsOneProcesss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		one.Get(t.Context(), "a")
		synctest.Wait()
		_, two := process(t, m, s)
		two.Get(t.Context(), "a")
		time.Sleep(fresh)
		s.delay.Store(int64(time.Second))
		one.Get(t.Context(), "a")
		two.Get(t.Context(), "a")
		time.Sleep(2 * time.Second)
		expect(t, one.Get(t.Context(), "a"), 2)
		expect(t, two.Get(t.Context(), "a"), 2)
		expectLoads(t, s, 2)
	})
}

func TestADeadProcesssLeaseIsWaitedForAndTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, v := process(t, m, s)
		dead(t, m.Connect(), "a", time.Second)
		took := during(func() { expect(t, v.Get(t.Context(), "a"), 1) })
		if took < time.Second || took > time.Second+75*time.Millisecond {
			t.Errorf("it took %v, want a second and a little", took)
		}
	})
}

func TestASlowProcesssLeaseIsNotWaitedForForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct{ timeout, want time.Duration }{
			"as long as a lease lasts":       {10 * time.Second, 3 * time.Second},
			"no longer than a load may take": {time.Second, time.Second},
		} {
			m, s := cachetest.NewMemory(), &source{}
			_, v := process(t, m, s, func(c *config) { c.Timeout = test.timeout })
			dead(t, m.Connect(), "a", time.Hour)
			took := during(func() { expect(t, v.Get(t.Context(), "a"), 1) })
			if took < test.want || took > test.want+75*time.Millisecond {
				t.Errorf("%s: it took %v, want %v", name, took, test.want)
			}
		}
	})
}

func TestAFailureLetsTheNextProcessLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, failing, s := cachetest.NewMemory(), &source{}, &source{}
		failing.fail(errDown)
		failing.delay.Store(int64(time.Second))
		_, one := process(t, m, failing)
		_, two := process(t, m, s)
		var reader sync.WaitGroup
		reader.Go(func() { expectError(t, one.Get(t.Context(), "a"), errDown) })
		synctest.Wait()
		if took := during(func() { expect(t, two.Get(t.Context(), "a"), 1) }); took > time.Second+75*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		reader.Wait()
	})
}

func TestWhoInsistsWaitsForNoLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, v := process(t, m, s)
		dead(t, m.Connect(), "a", time.Hour)
		if took := during(func() { expect(t, v.Get(cache.NoCache(t.Context()), "a"), 1) }); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestWhoComesAfterABumpWaitsForNoLoadFromBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		c, two := process(t, m, s)
		s.delay.Store(int64(2 * time.Second))
		var early sync.WaitGroup
		early.Go(func() { one.Get(t.Context(), "a") })
		synctest.Wait()
		early.Go(func() { two.Get(t.Context(), "a") }) // waits for the first
		synctest.Wait()
		c.Bump(t.Context(), scope("a"))
		s.delay.Store(0)
		took := during(func() {
			if got := two.Get(t.Context(), "a"); got.Value == 1 || got.Err != nil {
				t.Errorf("got %+v, from before the bump", got)
			}
		})
		if took != 0 {
			t.Errorf("it took %v", took)
		}
		early.Wait()
		synctest.Wait()
		for _, v := range []*cache.View[string, int]{one, two} {
			if got := v.Get(t.Context(), "a"); got.Value == 1 {
				t.Errorf("got %+v, from before the bump", got)
			}
		}
	})
}

func TestWhoWaitsForALeaseLeavesWhenNobodyWaitsForHim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s)
		dead(t, m.Connect(), "a", time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		expectError(t, v.Get(ctx, "a"), context.DeadlineExceeded)
		time.Sleep(time.Minute)
		expectLoads(t, s, 0)
		var reader sync.WaitGroup
		reader.Go(func() { expectError(t, v.Get(t.Context(), "a"), cache.ErrClosed) })
		synctest.Wait()
		if took := during(c.Close); took > time.Millisecond {
			t.Errorf("closing took %v", took)
		}
		reader.Wait()
	})
}

// leaseless is a store that has no leases to give.
type leaseless struct{ cache.Store }

func (leaseless) LeaseMany(context.Context, []cache.Claim) ([]cache.Claimed, error) {
	return nil, errors.New("refused")
}

func TestAStoreThatGivesNoLeaseIsLoadedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c := newCache(t, cache.Options{Store: leaseless{m.Connect()}})
		v := numbers(c, s)
		synctest.Wait()
		for i, key := range []string{"a", "b", "c", "d"} {
			if took := during(func() { expect(t, v.Get(t.Context(), key), i+1) }); took != 0 {
				t.Errorf("it took %v", took)
			}
		}
		synctest.Wait()
		if got := m.Values(); got != 4 {
			t.Errorf("%d values are shared, want 4", got)
		}
		if got := c.Stats().StoreErrors; got != 3 {
			t.Errorf("the store was asked %d times in vain, want 3", got)
		}
	})
}

// busy is a store that makes one call for leases at a time, each in as long as a machine that is busy may take.
type busy struct {
	cache.Store
	turn  chan struct{}
	calls *atomic.Int64
}

func (b busy) LeaseMany(ctx context.Context, claims []cache.Claim) ([]cache.Claimed, error) {
	b.calls.Add(1)
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	time.Sleep(5 * time.Millisecond)
	return b.Store.LeaseMany(ctx, claims)
}

func TestManyColdKeysAreClaimedInFewCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		s.delay.Store(int64(time.Second))
		keys := make([]string, 300)
		for i := range keys {
			keys[i] = fmt.Sprint(i)
		}
		var calls atomic.Int64
		var readers sync.WaitGroup
		for range 2 {
			c := newCache(t, cache.Options{Store: busy{m.Connect(), make(chan struct{}, 1), &calls}, Parallel: len(keys)})
			v := numbers(c, s, func(c *config) {
				c.Encode = func(_ string, n int) ([]byte, error) { return []byte(strconv.Itoa(n)), nil }
				c.Decode = func(_ string, b []byte) (int, error) { return strconv.Atoi(string(b)) }
			})
			synctest.Wait()
			readers.Go(func() {
				for _, got := range v.GetMany(t.Context(), keys) {
					if got.Err != nil {
						t.Errorf("got %+v", got)
					}
				}
			})
			time.Sleep(100 * time.Millisecond)
			if got := calls.Swap(0); got > 25 {
				t.Errorf("%d calls for %d keys", got, len(keys))
			}
		}
		readers.Wait()
		expectLoads(t, s, len(keys))
	})
}
