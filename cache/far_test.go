package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

// process is a cache over m, with a view, that listens to the others already.
func process(t *testing.T, m *cachetest.Memory, s *source, changes ...func(*config)) (*cache.Cache, *cache.View[string, int]) {
	c := newCache(t, cache.Options{Store: m.Connect(), NearFor: 5 * time.Second, Jitter: -1})
	v := numbers(c, s, changes...)
	synctest.Wait()
	return c, v
}

func TestManyKeysAreOneQuestionToTheFarTier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		keys := []string{"a", "b", "c", "d"}
		_, one := process(t, m, s)
		one.GetMany(t.Context(), keys[:3])
		synctest.Wait()
		_, two := process(t, m, s)
		before := m.Reads()
		if got := two.GetMany(t.Context(), keys); got[3].Err != nil {
			t.Error(got[3].Err)
		}
		if got := m.Reads() - before; got != 1 {
			t.Errorf("%d questions, want 1", got)
		}
		expectLoads(t, s, 4)
		if got := two.Stats(); got.Far != 3 || got.Waits != 4 {
			t.Errorf("got %+v, want 3 from afar of 4", got)
		}
		before = m.Reads()
		two.GetMany(t.Context(), keys)
		if got := m.Reads() - before; got != 0 {
			t.Errorf("%d questions for what is near by now, want none", got)
		}
		time.Sleep(fresh)
		before = m.Reads()
		two.GetMany(t.Context(), keys)
		synctest.Wait()
		if got := m.Reads() - before; got != 1 {
			t.Errorf("%d questions to renew all, want 1", got)
		}
		expectLoads(t, s, 8)
	})
}

// byTheKey is a Store that takes its time over each key.
type byTheKey struct {
	cache.Store
	each time.Duration
}

func (s byTheKey) GetMany(ctx context.Context, questions []cache.Question) ([]cache.Found, error) {
	select {
	case <-time.After(time.Duration(len(questions)) * s.each):
		return s.Store.GetMany(ctx, questions)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestVeryManyKeysAreNotOneQuestionThatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		keys := numbered(1000)
		one.GetMany(t.Context(), keys)
		synctest.Wait()
		time.Sleep(time.Second)
		store := byTheKey{m.Connect(), 300 * time.Microsecond}
		two := numbers(newCache(t, cache.Options{Store: store, Jitter: -1}), s)
		for i, got := range two.GetMany(t.Context(), keys) {
			if got.Err != nil || got.Cause != nil {
				t.Fatalf("%s: got %+v", keys[i], got)
			}
		}
		expectLoads(t, s, len(keys))
	})
}

func TestAStaleValueFromAfarIsServedAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		since := one.Get(t.Context(), "a").ObservedAt.Add(fresh)
		time.Sleep(fresh)
		_, two := process(t, m, s)
		s.delay.Store(int64(time.Second))
		began := time.Now()
		expectStale(t, two.Get(t.Context(), "a"), 1, since, nil)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("it was waited for, %v", waited)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		expect(t, two.Get(t.Context(), "a"), 2)
		_, three := process(t, m, s)
		expect(t, three.Get(t.Context(), "a"), 2)
		expectLoads(t, s, 2)
	})
}

func TestWhatIsNearIsServedWhenItIsNewerThanWhatIsAfar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, v := process(t, m, s)
		v.Get(t.Context(), "a")
		time.Sleep(time.Second)
		s.delay.Store(int64(time.Second))
		var reader sync.WaitGroup
		reader.Go(func() { expect(t, v.Get(cache.NoCache(t.Context()), "a"), 2) })
		synctest.Wait()
		m.Fail(errors.New("refused")) // the second value does not get there
		reader.Wait()
		synctest.Wait()
		m.Fail(nil)
		time.Sleep(5 * time.Second)
		expect(t, v.Get(t.Context(), "a"), 2)
		expectLoads(t, s, 2)
	})
}

func TestAPanicInDecodeIsItsReadersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		one.Get(t.Context(), "a")
		synctest.Wait()
		_, two := process(t, m, s, func(c *config) { c.Decode = func(string, []byte) (int, error) { panic("bug") } })
		if _, ok := errors.AsType[*cache.PanicError](two.Get(t.Context(), "a").Err); !ok {
			t.Error("the reader does not get the panic")
		}
	})
}

func TestARenewalThatPanicsLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		one.Get(t.Context(), "a")
		time.Sleep(fresh)
		_, two := process(t, m, s, func(c *config) {
			c.Fresh = func(n int) time.Duration {
				if n == 2 {
					panic("bug")
				}
				return fresh
			}
		})
		if got := two.Get(t.Context(), "a"); got.Value != 1 {
			t.Errorf("got %+v, want the stale value", got)
		}
		synctest.Wait()
		expect(t, two.Get(cache.NoCache(t.Context()), "a"), 3)
	})
}

func TestARenewalTakesWhatAnotherProcessRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		_, two := process(t, m, s)
		one.Get(t.Context(), "a")
		synctest.Wait()
		two.Get(t.Context(), "a")
		time.Sleep(fresh)
		for range 3 {
			one.Get(t.Context(), "a")
			synctest.Wait()
			two.Get(t.Context(), "a")
			synctest.Wait()
		}
		expect(t, one.Get(t.Context(), "a"), 2)
		expect(t, two.Get(t.Context(), "a"), 2)
		expectLoads(t, s, 2)
	})
}

func TestTheNearTierIsBelievedForAWhileAndConfirmedWithoutALoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s, func(c *config) { c.Encode, c.Decode = nil, nil })
		v.Get(t.Context(), "a")
		v.Put("primed", 70, c.Moment())
		expect(t, v.Get(t.Context(), "primed"), 70)
		reads := m.Reads()
		time.Sleep(5*time.Second - instant)
		expect(t, v.Get(t.Context(), "a"), 1)
		if got := m.Reads(); got != reads {
			t.Errorf("the far tier was asked %d times within NearFor", got-reads)
		}
		time.Sleep(instant)
		expect(t, v.Get(t.Context(), "a"), 1)
		expect(t, v.Get(t.Context(), "a"), 1)
		if got := m.Reads(); got != reads+1 {
			t.Errorf("the far tier was asked %d times after NearFor, want once", got-reads)
		}
		expectLoads(t, s, 1)
		expect(t, v.Get(t.Context(), "primed"), 2) // nothing confirms what was put
	})
}

func TestWhoInsistsInVainDoesNotGetWhatWasBumpedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, _ := process(t, m, s)
		_, v := process(t, m, s)
		v.Get(t.Context(), "a")
		m.Cut()
		c.Bump(t.Context(), scope("a"))
		s.fail(errDown)
		time.Sleep(time.Second)
		expectError(t, v.Get(cache.NoCache(t.Context()), "a"), errDown)
	})
}

func TestWhoInsistsInVainGetsWhatIsAfar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		first := one.Get(t.Context(), "a")
		synctest.Wait()
		s.fail(errDown)
		_, two := process(t, m, s)
		time.Sleep(time.Second)
		expectStale(t, two.Get(cache.NoCache(t.Context()), "a"), 1, first.ObservedAt, errDown)
	})
}

func TestWhatIsFoundAfarDoesNotSatisfyWhoInsists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, one := process(t, m, s)
		one.Get(t.Context(), "a")
		synctest.Wait()
		_, two := process(t, m, s)
		time.Sleep(time.Second)
		ctx := cache.NoCache(t.Context())
		time.Sleep(time.Second)
		expect(t, two.Get(t.Context(), "a"), 1)
		expect(t, two.Get(ctx, "a"), 2)
	})
}

func TestAnOldLoadDoesNotReplaceWhatIsNewerAfar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s)
		s.delay.Store(int64(time.Second))
		go v.Get(t.Context(), "a")
		synctest.Wait()
		c.Bump(t.Context(), scope("a"))
		s.delay.Store(0)
		expect(t, v.Get(t.Context(), "a"), 2)
		time.Sleep(2 * time.Second)
		_, other := process(t, m, s)
		expect(t, other.Get(t.Context(), "a"), 2)
		expectLoads(t, s, 2)
	})
}

func TestWhatIsTooOldAfarIsAMiss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, v := process(t, m, s)
		v.Get(t.Context(), "a")
		time.Sleep(2 * time.Minute)
		_, impatient := process(t, m, s, func(c *config) { c.Stale = time.Minute })
		expect(t, impatient.Get(t.Context(), "a"), 2)
	})
}

func TestWhatIsGoneUpstreamIsDeletedAfar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		_, v := process(t, m, s)
		v.Get(t.Context(), "a")
		time.Sleep(fresh)
		s.fail(errGone)
		_, two := process(t, m, s)
		two.Get(t.Context(), "a") // stale, and renewed in vain
		synctest.Wait()
		if got := m.Values(); got != 0 {
			t.Errorf("%d values are left", got)
		}
		expectError(t, two.Get(t.Context(), "a"), errGone)
	})
}

func TestProcessesDoNotRenewAllAtTheSameMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := cachetest.NewMemory()
		for _, test := range []struct {
			name    string
			options cache.Options
			share   float64
		}{
			{"with a store", cache.Options{Store: m.Connect()}, 0.1},
			{"as it was asked for", cache.Options{Store: m.Connect(), Jitter: 0.5}, 0.5},
			{"alone, where nobody else renews", cache.Options{Jitter: 0.5}, 0},
			{"where nobody wants it", cache.Options{Store: m.Connect(), Jitter: -1}, 0},
		} {
			v := numbers(newCache(t, test.options), &source{})
			synctest.Wait()
			least, most := fresh, fresh
			for i := range 1000 {
				got := v.Get(t.Context(), fmt.Sprint(test.name, i))
				time.Sleep(2 * fresh)
				life := v.Get(t.Context(), fmt.Sprint(test.name, i)).StaleSince.Sub(got.ObservedAt)
				least, most = min(least, life), max(most, life)
				synctest.Wait()
			}
			spread := time.Duration(test.share * float64(fresh))
			if least < fresh-spread || most > fresh+spread || most-least < spread*19/10 {
				t.Errorf("%s: values were fresh for %v to %v, want about %v ± %v", test.name, least, most, fresh, spread)
			}
		}
	})
}
