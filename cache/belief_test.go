package cache_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

// cutOff is a process with a value that is near, which cannot reach the store, and that nobody waits for any more.
func cutOff(t *testing.T, m *cachetest.Memory, s *source, changes ...func(*config)) (*cachetest.Connection, *cache.View[string, int]) {
	connection := m.Dial()
	c := newCache(t, cache.Options{Store: connection, Jitter: -1})
	v := numbers(c, s, changes...)
	synctest.Wait()
	expect(t, v.Get(t.Context(), "a"), 1)
	synctest.Wait()
	connection.Cut()
	time.Sleep(3 * time.Second)
	return connection, v
}

func TestWhoIsCutOffSaysWhatIsOldAndLoadsAnewNoOftenerThanEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		began := time.Now()
		_, v := cutOff(t, cachetest.NewMemory(), s)
		// Others may have ended it since.
		expectStale(t, v.Get(t.Context(), "a"), 1, began, cache.ErrUnconfirmed)
		expectLoads(t, s, 1)
		time.Sleep(fresh)
		got := v.Get(t.Context(), "a")
		expect(t, got, 2)
		expectStale(t, v.Get(t.Context(), "a"), 2, got.ObservedAt, cache.ErrUnconfirmed)
		expect(t, v.Get(cache.NoCache(t.Context()), "a"), 3)
		expectLoads(t, s, 3)
	})
}

func TestWhoIsCutOffServesWhatIsKeptWhenALoadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		connection, v := cutOff(t, cachetest.NewMemory(), s, func(c *config) {
			c.Negative = func(error) time.Duration { return 5 * time.Second }
			c.Fresh = func(int) time.Duration { return 2 * time.Second }
		})
		since := time.Now().Add(-time.Second)
		s.fail(errDown)
		for range 2 {
			expectStale(t, v.Get(t.Context(), "a"), 1, since, errDown)
			expectLoads(t, s, 2) // it is not repeated at once
			time.Sleep(4 * time.Second)
		}
		s.fail(nil)
		time.Sleep(time.Second)
		expect(t, v.Get(t.Context(), "a"), 3)
		connection.Mend()
		time.Sleep(2 * time.Second)
		v.Get(t.Context(), "a")
		synctest.Wait()
		expect(t, v.Get(t.Context(), "a"), 4)
	})
}

func TestAFailureThatMustNotBeCoveredIsToldByWhoIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		_, v := cutOff(t, cachetest.NewMemory(), s, func(c *config) { c.Fresh = func(int) time.Duration { return 2 * time.Second } })
		s.fail(errGone)
		expectError(t, v.Get(t.Context(), "a"), errGone)
		s.fail(nil)
		expect(t, v.Get(t.Context(), "a"), 3)
	})
}

func TestWhoIsNotRegisteredAsksEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		connection := m.Dial()
		connection.Mute()
		v := numbers(newCache(t, cache.Options{Store: connection, Jitter: -1}), s)
		synctest.Wait()
		for range 3 {
			before := m.Reads()
			expect(t, v.Get(t.Context(), "a"), 1)
			if got := m.Reads() - before; got != 1 {
				t.Errorf("the store was asked %d times, want once", got)
			}
		}
		connection.Mend()
		time.Sleep(time.Second)
		synctest.Wait()         // it is registered at that moment
		v.Get(t.Context(), "a") // what was known before does not count
		before := m.Reads()
		expect(t, v.Get(t.Context(), "a"), 1)
		if got := m.Reads() - before; got != 0 {
			t.Errorf("the store was asked %d times by who is registered, want never", got)
		}
		expectLoads(t, s, 1)
	})
}

func TestAConfirmationFetchesNoValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, one := process(t, m, s)
		_, two := process(t, m, s)
		keys := []string{"a", "b", "c"}
		one.GetMany(t.Context(), keys)
		synctest.Wait()
		time.Sleep(5 * time.Second)
		fetched, reads := m.Fetched(), m.Reads()
		for i, got := range one.GetMany(t.Context(), keys) {
			if got.Err != nil || got.ObservedAt.Equal(time.Now()) {
				t.Errorf("%s: got %+v", keys[i], got)
			}
		}
		if m.Fetched() != fetched || m.Reads() != reads+1 {
			t.Errorf("%d values were fetched by %d questions, want none by one", m.Fetched()-fetched, m.Reads()-reads)
		}
		c.Bump(t.Context(), scope("a"))
		two.Get(t.Context(), "a")
		synctest.Wait()
		time.Sleep(5 * time.Second)
		expect(t, one.Get(t.Context(), "a"), 4) // which another has loaded since
		expectLoads(t, s, 4)
	})
}

func TestAReaderBoardsNoFlightThatIsTooOldToKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		connection := m.Dial()
		v := numbers(newCache(t, cache.Options{Store: connection, Jitter: -1}), s)
		c, _ := process(t, m, s)
		synctest.Wait()
		s.delay.Store(int64(10*time.Second - 1))
		go v.Get(t.Context(), "a") // gets the first value, ten seconds later
		synctest.Wait()
		connection.Cut()
		s.delay.Store(0)
		c.Bump(t.Context(), scope("a"))
		if got := v.Get(t.Context(), "a"); got.Value == 1 && got.Cause == nil {
			t.Errorf("got %+v, from before the bump", got)
		}
	})
}

func TestPeekHasItsValuesConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		connection := m.Dial()
		v := numbers(newCache(t, cache.Options{Store: connection, Jitter: -1}), s)
		c, _ := process(t, m, s)
		synctest.Wait()
		v.GetMany(t.Context(), []string{"a", "b"})
		synctest.Wait()
		time.Sleep(2 * time.Second)
		reads := m.Reads()
		entries, there := v.PeekMany(t.Context(), []string{"b", "none", "a"})
		if !there[0] || there[1] || !there[2] || entries[0].Cause != nil || m.Reads() != reads+1 {
			t.Errorf("got %+v, %v after %d questions", entries, there, m.Reads()-reads)
		}
		connection.Mute()
		c.Bump(t.Context(), scope("a"))
		if got, ok := v.Peek(t.Context(), "a"); ok {
			t.Errorf("got %+v, from before the bump", got)
		}
		connection.Cut()
		time.Sleep(3 * time.Second)
		if got, ok := v.Peek(t.Context(), "b"); !ok || !errors.Is(got.Cause, cache.ErrUnconfirmed) || got.StaleSince.IsZero() {
			t.Errorf("got %+v, %t; want what is there, said to be old", got, ok)
		}
		expectLoads(t, s, 2)
	})
}
