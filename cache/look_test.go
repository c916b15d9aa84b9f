package cache_test

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

// looks checks what a look at keys finds; 0: nothing.
func looks(t *testing.T, v *cache.View[string, int], keys []string, want ...int) []cache.Entry[int] {
	t.Helper()
	entries, kept := v.Look(t.Context(), keys)
	for i, entry := range entries {
		if kept[i] != (want[i] != 0) || entry.Value != want[i] {
			t.Errorf("of %s it finds %+v, %v; want %d", keys[i], entry, kept[i], want[i])
		}
	}
	return entries
}

func TestALookLoadsAndRenewsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newCache(t, cache.Options{}), &source{}
		v := numbers(c, s)
		keys := []string{"a", "b"}
		looks(t, v, keys, 0, 0)
		since := v.Get(t.Context(), "a").ObservedAt.Add(fresh)
		time.Sleep(fresh)
		expectStale(t, looks(t, v, keys, 1, 0)[0], 1, since, nil)
		if _, kept := v.Look(cache.NoCache(t.Context()), keys); !kept[0] {
			t.Error("who insists does not see what is kept")
		}
		synctest.Wait()
		expectLoads(t, s, 1)
		c.Bump(t.Context(), scope("a"))
		looks(t, v, keys, 0, 0)
	})
}

func TestALookFindsWhatIsFarAndKeepsItNear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		first, one := process(t, m, s)
		_, two := process(t, m, s)
		keys := []string{"a", "b", "c"}
		looks(t, two, keys, 0, 0, 0)
		one.GetMany(t.Context(), keys[:2])
		synctest.Wait()
		values := []int{one.Get(t.Context(), "a").Value, one.Get(t.Context(), "b").Value}
		looks(t, two, keys, values[0], values[1], 0)
		if _, near := two.Peek(t.Context(), "a"); !near {
			t.Error("what was found far is not kept near")
		}
		time.Sleep(6 * time.Second) // longer than what is near is believed
		looks(t, two, keys, values[0], values[1], 0)
		first.Bump(t.Context(), scope("a"))
		synctest.Wait()
		looks(t, two, keys, 0, values[1], 0)
		expectLoads(t, s, 2)
	})
}

func TestALookIsNoFlightThatOthersBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		slow := &idle{Store: m.Connect()}
		v := numbers(newCache(t, cache.Options{Store: slow, StoreTimeout: time.Minute, Jitter: -1}), s)
		synctest.Wait()
		go v.Look(t.Context(), []string{"a"})
		synctest.Wait()
		expect(t, v.Get(t.Context(), "a"), 1)
	})
}
