package cache_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
)

// hasty is a view whose first load gives up after a second, and whose others bring what they should.
func hasty(c *cache.Cache, loads *atomic.Int64, changes ...func(*config)) *cache.View[string, int] {
	return numbers(c, nil, append(changes, func(c *config) {
		c.Load = func(context.Context, string) (int, error) {
			n := int(loads.Add(1))
			time.Sleep(time.Second)
			if n == 1 {
				return 0, errDown
			}
			return n, nil
		}
	})...)
}

func TestWhoJoinsAReluctantLoadIsNotLeftWithItsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int64
		v := hasty(newCache(t, cache.Options{}), &loads)
		first, second := make(chan cache.Entry[int], 1), make(chan cache.Entry[int], 1)
		go func() { first <- v.Get(cache.Reluctant(t.Context()), "a") }()
		synctest.Wait()
		go func() { second <- v.Get(cache.Reluctant(t.Context()), "a") }()
		entries := v.GetMany(t.Context(), []string{"b", "a"})
		expect(t, entries[0], 2)
		expect(t, entries[1], 3)
		expectError(t, <-first, errDown)
		expectError(t, <-second, errDown) // who is reluctant too does not try again
		if got := loads.Load(); got != 3 {
			t.Errorf("%d loads, want 3", got)
		}
	})
}

func TestAFailureIsToldOnceItWasMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		s.delay.Store(int64(time.Second))
		s.fail(errDown)
		v := numbers(newCache(t, cache.Options{}), s)
		go v.Get(cache.Reluctant(t.Context()), "a")
		synctest.Wait()
		expectError(t, v.Get(t.Context(), "a"), errDown)
		expectLoads(t, s, 2)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		go v.Get(cache.Reluctant(t.Context()), "a")
		synctest.Wait()
		expectError(t, v.Get(ctx, "a"), context.DeadlineExceeded)
		synctest.Wait()
		expectLoads(t, s, 3)
		time.Sleep(time.Second)
	})
}

// TestWhatARenewalReadsOnItsWayIsReluctant has a renewal read another view, where somebody waits for the same.
func TestWhatARenewalReadsOnItsWayIsReluctant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int64
		c := newCache(t, cache.Options{})
		names := hasty(c, &loads, func(c *config) { c.Name = "names" })
		var all atomic.Int64
		v := numbers(c, nil, func(c *config) {
			c.Load = func(ctx context.Context, key string) (int, error) {
				n := int(all.Add(1))
				if n == 1 {
					return n, nil
				}
				name := names.Get(ctx, key)
				return name.Value, name.Err
			}
		})
		expect(t, v.Get(t.Context(), "a"), 1)
		time.Sleep(fresh)
		v.Get(t.Context(), "a") // is renewed
		synctest.Wait()
		expect(t, names.Get(t.Context(), "a"), 2)
	})
}
