package cache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
)

func TestAValueIsFreshThenStaleThenGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s)
		s.delay.Store(int64(2 * time.Second))
		began := time.Now()
		first := v.Get(t.Context(), "a")
		observed := began.Add(2 * time.Second)
		if !first.ObservedAt.Equal(observed) {
			t.Errorf("observed at %v, want when the load finished, %v", first.ObservedAt, observed)
		}
		time.Sleep(fresh - instant)
		expect(t, v.Get(t.Context(), "a"), 1)
		time.Sleep(instant)
		expectStale(t, v.Get(t.Context(), "a"), 1, observed.Add(fresh), nil)
		time.Sleep(time.Second)
		expectStale(t, v.Get(t.Context(), "a"), 1, observed.Add(fresh), nil)
		expectLoads(t, s, 2)
		time.Sleep(time.Second)
		synctest.Wait()
		second := v.Get(t.Context(), "a")
		expect(t, second, 2)
		time.Sleep(fresh + stale - instant)
		expectStale(t, v.Get(t.Context(), "a"), 2, second.ObservedAt.Add(fresh), nil)
		time.Sleep(time.Minute + fresh + stale)
		expect(t, v.Get(t.Context(), "a"), 4)
		expectLoads(t, s, 4)
	})
}

func TestAGoneValueIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s)
		v.Get(t.Context(), "a")
		time.Sleep(fresh + stale)
		expect(t, v.Get(t.Context(), "a"), 2)
	})
}

func TestAFailedRenewalIsTriedAgainAfterAPause(t *testing.T) {
	tests := []struct {
		name     string
		negative time.Duration
		pause    time.Duration
	}{
		{"of a second at least", 0, time.Second},
		{"of as long as the error is remembered", 20 * time.Second, 20 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &source{}
				v := numbers(newCache(t, cache.Options{}), s, func(c *config) {
					c.Negative = func(error) time.Duration { return test.negative }
				})
				since := v.Get(t.Context(), "a").ObservedAt.Add(fresh)
				s.fail(errDown)
				time.Sleep(fresh)
				expectStale(t, v.Get(t.Context(), "a"), 1, since, nil)
				synctest.Wait()
				for range 10 {
					expectStale(t, v.Get(t.Context(), "a"), 1, since, errDown)
				}
				time.Sleep(test.pause - instant)
				expectStale(t, v.Get(t.Context(), "a"), 1, since, errDown)
				expectLoads(t, s, 2)
				time.Sleep(instant)
				s.fail(nil)
				expectStale(t, v.Get(t.Context(), "a"), 1, since, errDown)
				synctest.Wait()
				expect(t, v.Get(t.Context(), "a"), 3)
			})
		})
	}
}

func TestAFailureEndsWhatItMustNotBeCoveredWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s)
		v.Get(t.Context(), "a")
		s.fail(errGone)
		time.Sleep(fresh)
		v.Get(t.Context(), "a")
		synctest.Wait()
		if got, ok := v.Peek(t.Context(), "a"); ok {
			t.Errorf("still there: %+v", got)
		}
		expectError(t, v.Get(t.Context(), "a"), errGone)
	})
}

func TestAFailureIsRememberedForItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		s.fail(errGone)
		v := numbers(newCache(t, cache.Options{}), s, func(c *config) {
			c.Negative = func(error) time.Duration { return 5 * time.Second }
		})
		first := v.Get(t.Context(), "a")
		expectError(t, first, errGone)
		time.Sleep(5*time.Second - instant)
		again := v.Get(t.Context(), "a")
		expectError(t, again, errGone)
		if !again.ObservedAt.Equal(first.ObservedAt) || !again.StaleSince.IsZero() {
			t.Errorf("got %+v, want what was observed at %v", again, first.ObservedAt)
		}
		expectLoads(t, s, 1)
		s.fail(nil)
		time.Sleep(instant)
		expect(t, v.Get(t.Context(), "a"), 2)
	})
}

func TestARememberedFailureEndsWithABump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		s.fail(errGone)
		v := numbers(c, s, func(c *config) { c.Negative = func(error) time.Duration { return time.Hour } })
		expectError(t, v.Get(t.Context(), "a"), errGone)
		s.fail(nil)
		c.Bump(t.Context(), scope("a"))
		expect(t, v.Get(t.Context(), "a"), 2)
	})
}

func TestALoadEndsAtItsOwnDeadlineOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s)
		s.delay.Store(int64(8 * time.Second))
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		expectError(t, v.Get(hurried, "a"), context.DeadlineExceeded)
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("the hurried reader waited %v, want its second", waited)
		}
		expect(t, v.Get(t.Context(), "a"), 1)
		if waited := time.Since(began); waited != 8*time.Second {
			t.Errorf("the value came after %v, want 8 s: the first load goes on", waited)
		}

		s.delay.Store(int64(time.Minute))
		began = time.Now()
		expectError(t, v.Get(t.Context(), "b"), context.DeadlineExceeded)
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("a silent upstream held its reader for %v, want Timeout, 10 s", waited)
		}
	})
}

func TestReadersAtTheirDeadlineKeepWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s, func(c *config) {
			c.Load = func(ctx context.Context, key string) (int, error) {
				if key == "slow" {
					<-ctx.Done()
					return 0, ctx.Err()
				}
				return s.load(ctx, key)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		entries := v.GetMany(ctx, []string{"slow", "a"})
		expectError(t, entries[0], context.DeadlineExceeded)
		expect(t, entries[1], 1)
	})
}

func TestPutPrimesUnlessABumpCameSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s)
		since := c.Moment()
		time.Sleep(time.Second)
		v.Put("a", 70, since)
		got := v.Get(t.Context(), "a")
		expect(t, got, 70)
		if !got.ObservedAt.Equal(time.Now()) {
			t.Errorf("observed at %v, want now, %v", got.ObservedAt, time.Now())
		}
		c.Bump(t.Context(), scope("a"), scope("b"))
		v.Put("a", 71, since)
		v.Put("b", 72, since)
		v.Put("c", 73, since)
		expect(t, v.Get(t.Context(), "a"), 1)
		expect(t, v.Get(t.Context(), "b"), 2)
		expect(t, v.Get(t.Context(), "c"), 73)
		v.Put("a", 74, since) // older than what was loaded
		expect(t, v.Get(t.Context(), "a"), 1)
		v.Put("a", 75, c.Moment())
		expect(t, v.Get(t.Context(), "a"), 75)
	})
}

func TestWhatABumpForbidsToPutReplacesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		v := numbers(c, &source{})
		since := c.Moment()
		c.Bump(t.Context(), scope("a"))
		expect(t, v.Get(t.Context(), "a"), 1)
		v.Put("a", 70, since)
		expect(t, v.Get(t.Context(), "a"), 1)
	})
}

func TestPeekAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s)
		if got, ok := v.Peek(t.Context(), "a"); ok {
			t.Errorf("an empty view has %+v", got)
		}
		first := v.Get(t.Context(), "a")
		got, _ := v.Peek(t.Context(), "a")
		expect(t, got, 1)
		time.Sleep(fresh)
		got, _ = v.Peek(t.Context(), "a")
		expectStale(t, got, 1, first.ObservedAt.Add(fresh), nil)
		if got, ok := v.Peek(cache.NoCache(t.Context()), "a"); ok {
			t.Errorf("who insists finds %+v", got)
		}
		c.Bump(t.Context(), scope("a"))
		if got, ok := v.Peek(t.Context(), "a"); ok {
			t.Errorf("after a bump there is %+v", got)
		}
		synctest.Wait()
		expectLoads(t, s, 1)
	})
}
