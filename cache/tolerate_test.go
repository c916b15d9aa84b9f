package cache_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

func TestWhoToleratesAnAgeCausesNoRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s)
		since := v.Get(t.Context(), "a").ObservedAt.Add(fresh)
		ctx := cache.Tolerate(t.Context(), time.Minute)
		time.Sleep(time.Minute)
		expectStale(t, v.Get(ctx, "a"), 1, since, nil)
		expectStale(t, v.GetMany(ctx, []string{"a"})[0], 1, since, nil)
		synctest.Wait()
		expectLoads(t, s, 1)
		time.Sleep(instant)
		expectStale(t, v.Get(ctx, "a"), 1, since, nil)
		synctest.Wait()
		expectLoads(t, s, 2) // it was older than that
	})
}

func TestWhoToleratesAnAgeGetsNothingThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s, func(c *config) { c.Negative = func(error) time.Duration { return time.Second } })
		ctx := cache.Tolerate(t.Context(), 24*time.Hour)
		expect(t, v.Get(ctx, "a"), 1)
		c.Bump(t.Context(), scope("a"))
		expect(t, v.Get(ctx, "a"), 2)
		time.Sleep(instant)
		expect(t, v.Get(cache.NoCache(ctx), "a"), 3)
		time.Sleep(fresh + stale)
		expect(t, v.Get(ctx, "a"), 4)
		s.fail(errGone)
		expectError(t, v.Get(ctx, "b"), errGone)
		s.fail(nil)
		time.Sleep(time.Second)
		expect(t, v.Get(ctx, "b"), 6)
	})
}

func TestWhoToleratesAnAgeHearsNothingOfRenewalsThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s)
		since := v.Get(t.Context(), "a").ObservedAt.Add(fresh)
		ctx := cache.Tolerate(t.Context(), time.Minute)
		time.Sleep(fresh)
		s.fail(errDown)
		v.Get(t.Context(), "a")
		synctest.Wait()
		expectStale(t, v.Get(t.Context(), "a"), 1, since, errDown)
		expectStale(t, v.Get(ctx, "a"), 1, since, nil)
		expectStale(t, v.GetMany(ctx, []string{"a"})[0], 1, since, nil)
		time.Sleep(time.Minute)
		expectStale(t, v.Get(ctx, "a"), 1, since, errDown) // it is older than that
	})
}

func TestWhatIsFoundAfarIsToleratedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		since := one.Get(t.Context(), "a").ObservedAt.Add(fresh)
		time.Sleep(fresh)
		_, two := process(t, m, s)
		expectStale(t, two.Get(cache.Tolerate(t.Context(), time.Minute), "a"), 1, since, nil)
		synctest.Wait()
		expectLoads(t, s, 1)
	})
}

func TestToleranceIsNobodyElses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		one.Get(t.Context(), "a")
		time.Sleep(fresh)
		slow := &idle{Store: m.Connect()}
		c := newCache(t, cache.Options{Store: slow, StoreTimeout: time.Minute, Jitter: -1})
		two := numbers(c, s)
		synctest.Wait()
		var readers sync.WaitGroup
		for _, ctx := range []context.Context{cache.Tolerate(t.Context(), time.Hour), t.Context(), cache.Tolerate(t.Context(), time.Hour)} {
			readers.Go(func() { two.Get(ctx, "a") })
			synctest.Wait() // all share a flight
		}
		readers.Wait()
		synctest.Wait()
		expectLoads(t, s, 2)
	})
}

// idle takes a second to read.
type idle struct{ cache.Store }

func (s *idle) GetMany(ctx context.Context, questions []cache.Question) ([]cache.Found, error) {
	time.Sleep(time.Second)
	return s.Store.GetMany(ctx, questions)
}

func TestALoadKnowsWhetherItIsCovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var covered []bool
		s := &source{}
		note := func(c *config) {
			c.Load = func(ctx context.Context, key string) (int, error) {
				covered = append(covered, cache.Covered(ctx))
				return s.load(ctx, key)
			}
		}
		c := newCache(t, cache.Options{})
		v := numbers(c, s, note)
		last := func(what string, want bool) {
			t.Helper()
			synctest.Wait()
			if got := covered[len(covered)-1]; got != want {
				t.Errorf("%s: it is covered: %t, want %t", what, got, want)
			}
		}
		v.Get(t.Context(), "a")
		last("nothing is kept", false)
		time.Sleep(fresh)
		v.Get(t.Context(), "a")
		last("a renewal", true)
		time.Sleep(instant)
		v.Get(cache.NoCache(t.Context()), "a")
		last("somebody insists", false)
		c.Bump(t.Context(), scope("a"))
		v.Get(t.Context(), "a")
		last("what was kept has ended", false)
		bare := numbers(c, s, note, func(c *config) { c.Name, c.ServeStale = "bare", nil })
		bare.Get(t.Context(), "a")
		time.Sleep(fresh)
		bare.Get(t.Context(), "a")
		last("no failure may be covered", false)
	})
}

func TestALoadInheritsNoTolerance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		inner := &source{}
		names := numbers(c, inner, func(c *config) { c.Name = "names" })
		outer := numbers(c, &source{}, func(c *config) {
			c.Load = func(ctx context.Context, key string) (int, error) {
				got := names.Get(ctx, "name")
				return got.Value, got.Err
			}
		})
		names.Get(t.Context(), "name")
		time.Sleep(fresh)
		outer.Get(cache.Tolerate(t.Context(), time.Hour), "a")
		synctest.Wait()
		expectLoads(t, inner, 2)
	})
}

func TestWhoToleratesAnAgeCausesNoLoadWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		connection := m.Dial()
		v := numbers(newCache(t, cache.Options{Store: connection, Jitter: -1}), s)
		since := v.Get(t.Context(), "a").ObservedAt.Add(fresh)
		synctest.Wait()
		connection.Cut()
		time.Sleep(time.Minute)
		ctx := cache.Tolerate(t.Context(), 2*time.Minute)
		for range 3 {
			expectStale(t, v.Get(ctx, "a"), 1, since, cache.ErrUnconfirmed)
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		expectLoads(t, s, 1)
		if got := v.Get(t.Context(), "a"); got.Value != 2 {
			t.Errorf("who tolerates nothing got %+v, want it read anew", got)
		}
	})
}

func TestWhatIsToleratedIsNotDecodedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		var decoded atomic.Int64
		counted := func(c *config) {
			decode := c.Decode
			c.Decode = func(key string, b []byte) (int, error) {
				decoded.Add(1)
				return decode(key, b)
			}
		}
		v := numbers(newCache(t, cache.Options{Store: m.Connect(), Jitter: -1}), s, counted)
		_, other := process(t, m, s)
		ctx := cache.Tolerate(t.Context(), time.Hour)
		expect(t, v.Get(ctx, "a"), 1)
		time.Sleep(time.Minute)
		v.Get(ctx, "a")
		time.Sleep(time.Minute)
		if v.Get(ctx, "a"); decoded.Load() != 0 {
			t.Errorf("decoded %d times, want never: it is there", decoded.Load())
		}
		expect(t, other.Get(cache.NoCache(t.Context()), "a"), 2)
		synctest.Wait()
		time.Sleep(time.Second)
		expect(t, v.Get(ctx, "a"), 2)
		if decoded.Load() != 1 {
			t.Errorf("decoded %d times, want once: another has read it anew", decoded.Load())
		}
	})
}

// TestWhatAStoreHasForgottenIsServedAsOld has a store begin another run: nobody can tell what was bumped before that, and
// what is near stands in, said to be old, until somebody has read it anew.
func TestWhatAStoreHasForgottenIsServedAsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s)
		_, other := process(t, m, s)
		since := v.Get(t.Context(), "a").ObservedAt.Add(fresh)
		time.Sleep(time.Minute)
		m.Restart()
		time.Sleep(5 * time.Second)
		ctx := cache.Tolerate(t.Context(), time.Hour)
		for range 2 {
			expectStale(t, v.Get(ctx, "a"), 1, since, cache.ErrForgotten)
			entries, kept := v.Look(ctx, []string{"a"})
			if !kept[0] {
				t.Fatal("a look finds nothing")
			}
			expectStale(t, entries[0], 1, since, cache.ErrForgotten)
			time.Sleep(5 * time.Second)
		}
		expectLoads(t, s, 1)
		s.fail(errDown)
		expectStale(t, v.Get(t.Context(), "a"), 1, since, errDown) // who tolerates nothing has it read anew
		s.fail(nil)
		expectLoads(t, s, 2)
		expect(t, other.Get(t.Context(), "a"), 3)
		synctest.Wait()
		time.Sleep(5 * time.Second)
		expect(t, v.Get(ctx, "a"), 3)
		c.Bump(t.Context(), scope("a"))
		m.Restart()
		time.Sleep(5 * time.Second)
		expect(t, v.Get(ctx, "a"), 4) // what this process has ended is not brought back
	})
}
