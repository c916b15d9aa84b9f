package cache_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

func TestAFailureFromBeforeABumpSpoilsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s)
		s.delay.Store(int64(time.Second))
		var reader sync.WaitGroup
		reader.Go(func() { expectError(t, v.Get(t.Context(), "a"), errDown) })
		synctest.Wait()
		c.Bump(t.Context(), scope("a"))
		v.Put("a", 70, c.Moment())
		s.fail(errDown)
		reader.Wait()
		expect(t, v.Get(t.Context(), "a"), 70)
	})
}

func TestAFailureDoesNotEndWhatWasAskedForLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{})
		s := &source{}
		v := numbers(c, s)
		s.delay.Store(int64(time.Second))
		s.fail(errGone)
		var reader sync.WaitGroup
		reader.Go(func() { expectError(t, v.Get(t.Context(), "a"), errGone) })
		time.Sleep(time.Millisecond)
		v.Put("a", 70, c.Moment())
		reader.Wait()
		expect(t, v.Get(t.Context(), "a"), 70)
	})
}

func TestARememberedFailureCoversNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := numbers(newCache(t, cache.Options{}), s, func(c *config) {
			c.Negative = func(error) time.Duration { return time.Hour }
		})
		s.fail(errGone)
		expectError(t, v.Get(t.Context(), "a"), errGone)
		s.fail(errDown)
		time.Sleep(time.Second)
		expectError(t, v.Get(cache.NoCache(t.Context()), "a"), errDown)
	})
}

func TestCloseEndsLoadsAndWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Options{Parallel: 1})
		s := &source{}
		v := numbers(c, s, func(c *config) { c.Timeout = time.Hour })
		v.Get(t.Context(), "kept")
		time.Sleep(fresh)
		s.delay.Store(int64(time.Hour))
		v.Get(t.Context(), "kept") // renews in the background
		var readers sync.WaitGroup
		for _, key := range []string{"running or queued", "queued", "queued too"} {
			readers.Go(func() { expectError(t, v.Get(t.Context(), key), cache.ErrClosed) })
		}
		synctest.Wait()
		began := time.Now()
		c.Close()
		c.Close()
		readers.Wait()
		if waited := time.Since(began); waited != 0 {
			t.Errorf("closing took %v", waited)
		}
		expectError(t, v.Get(t.Context(), "late"), cache.ErrClosed)
	})
}

func TestAClosedCacheStillHasWhatIsKeptNear(t *testing.T) {
	c := cache.New(cache.Options{})
	v := numbers(c, &source{})
	v.Get(t.Context(), "a")
	c.Close()
	expect(t, v.Get(t.Context(), "a"), 1)
}

func TestNothingThatGoesWrongInAViewLeavesReadersWaiting(t *testing.T) {
	tests := map[string]func(*config){
		"a panic in Load": func(c *config) { c.Load = func(context.Context, string) (int, error) { panic("bug") } },
		"a Load that exits": func(c *config) {
			c.Load = func(context.Context, string) (int, error) { runtime.Goexit(); return 0, nil }
		},
		"a panic in Fresh": func(c *config) { c.Fresh = func(int) time.Duration { panic("bug") } },
		"a panic in Size":  func(c *config) { c.Size = func(int) int { panic("bug") } },
		"a panic in Negative": func(c *config) {
			c.Load = func(context.Context, string) (int, error) { return 0, errDown }
			c.Negative = func(error) time.Duration { panic("bug") }
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			v := numbers(newCache(t, cache.Options{}), &source{}, change)
			var readers sync.WaitGroup
			for range 3 {
				readers.Go(func() {
					if got := v.Get(t.Context(), "a"); got.Err == nil || got.Value != 0 {
						t.Errorf("got %+v, want an error", got)
					}
				})
			}
			readers.Wait()
		})
	}
}

func TestWhatGoesWrongWithOneValueSpoilsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		keys := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		_, one := process(t, m, s)
		want := one.GetMany(t.Context(), keys)
		synctest.Wait()
		_, two := process(t, m, s, func(c *config) {
			decode := c.Decode
			c.Decode = func(key string, b []byte) (int, error) {
				switch key {
				case "a", "b", "c", "d":
					runtime.Goexit()
				case "e":
					panic("bug")
				}
				return decode(key, b)
			}
		})
		for i, got := range two.GetMany(t.Context(), keys) {
			if spoilt := i < 5; spoilt != (got.Err != nil) || !spoilt && got.Value != want[i].Value {
				t.Errorf("%s: got %+v", keys[i], got)
			}
		}
		expectLoads(t, s, len(keys))
	})
}

func TestAPanicInKeyIsItsCallersOwn(t *testing.T) {
	v := numbers(newCache(t, cache.Options{}), &source{}, func(c *config) {
		c.Key = func(key string) cache.Key {
			if key == "bad" {
				panic("bug")
			}
			return cache.Key{Scope: scope(key)}
		}
	})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("nothing was panicked")
			}
		}()
		v.GetMany(t.Context(), []string{"a", "bad"})
	}()
	expect(t, v.Get(t.Context(), "a"), 1)
}

func TestAPanicThatNobodyWaitsForIsLoggedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &source{}
		var bug atomic.Bool
		v := numbers(newCache(t, cache.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}), s, func(c *config) {
			c.ServeStale = func(error) bool { return true }
			c.Load = func(ctx context.Context, key string) (int, error) {
				if bug.Load() {
					panic("a bug")
				}
				return s.load(ctx, key)
			}
		})
		v.Get(t.Context(), "a")
		bug.Store(true)
		time.Sleep(fresh)
		v.Get(t.Context(), "a")
		synctest.Wait()
		told, ok := errors.AsType[*cache.PanicError](v.Get(t.Context(), "a").Cause)
		if !ok || told.View != "numbers" || told.Value != "a bug" {
			t.Errorf("told %+v, want the panic", told)
		}
		if got, want := told.Error(), "cache: loading numbers panicked: a bug"; got != want {
			t.Errorf("the error reads %q, want %q", got, want)
		}
		for _, want := range []string{"a bug", "numbers", "faults_test.go"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q: %s", want, log.String())
			}
		}
	})
}
