package cache_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

func TestABumpThatAProcessDoesNotHearOfWaitsUntilThatBelievesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, _ := process(t, m, s)
		_, v := process(t, m, s)
		if took := during(func() { c.Bump(t.Context(), scope("a")) }); took != 0 {
			t.Errorf("while all hear it took %v", took)
		}
		v.Get(t.Context(), "a")
		v.Get(t.Context(), "b")
		m.Cut()
		began := time.Now()
		var bump sync.WaitGroup
		bump.Go(func() { c.Bump(t.Context(), scope("a")) })
		time.Sleep(2 * time.Second)
		expect(t, v.Get(t.Context(), "a"), 1) // it cannot know
		s.fail(errDown)
		bump.Wait()
		if took := time.Since(began); took != 5100*time.Millisecond {
			t.Errorf("it took %v, want NearFor and a little", took)
		}
		expectError(t, v.Get(t.Context(), "a"), errDown) // now it does, and does not cover the failure with it
		s.fail(nil)
		expect(t, v.Get(t.Context(), "a"), 4)
		expect(t, v.Get(t.Context(), "b"), 2)
		if got := c.Stats().UnheardBumps; got != 1 {
			t.Errorf("%d bumps were not heard of, want 1", got)
		}
	})
}

func TestAStoreThatFailsIsAMissAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		m.Fail(errors.New("refused"))
		c, v := process(t, m, s)
		expect(t, v.Get(t.Context(), "a"), 1)
		if got := c.Stats().StoreErrors; got != 1 {
			t.Errorf("%d errors of the store, want 1", got)
		}
		m.Fail(nil)
		time.Sleep(5 * time.Second)
		expect(t, v.Get(t.Context(), "a"), 2)
		synctest.Wait()
		if got := m.Values(); got == 0 {
			t.Error("the store came back and is not used")
		}
	})
}

// silent is a store that never answers.
type silent struct{ cache.Store }

func (silent) GetMany(ctx context.Context, _ []cache.Question) ([]cache.Found, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) Bump(ctx context.Context, _ ...cache.Scope) (<-chan struct{}, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestASilentStoreCostsItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, cache.Options{Store: silent{cachetest.NewMemory().Connect()}, StoreTimeout: 20 * time.Millisecond})
		v := numbers(c, &source{})
		began := time.Now()
		expect(t, v.Get(t.Context(), "a"), 1)
		c.Bump(t.Context(), scope("a"))
		if waited := time.Since(began); waited != 1060*time.Millisecond {
			t.Errorf("a read and a bump took %v, want 40 ms and a second for others to believe nothing any more", waited)
		}
		expect(t, v.Get(t.Context(), "a"), 2)
	})
}

func TestABumpThatTheStoreDidNotTakeIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s)
		expect(t, v.Get(t.Context(), "a"), 1)
		synctest.Wait()
		m.Fail(errors.New("refused"))
		ended, cancel := context.WithCancel(t.Context())
		cancel() // the write happened, whoever asked for it
		c.Bump(ended, scope("a"))
		c.Bump(ended, scope("a"), scope("b"))
		time.Sleep(2 * time.Second) // it is repeated in vain
		m.Fail(nil)
		// The store is back and still has the old value, under a generation that it thinks is good.
		expect(t, v.Get(t.Context(), "a"), 2)
		time.Sleep(4 * time.Second)
		_, other := process(t, m, s)
		if got := other.Get(t.Context(), "a"); got.Value == 1 {
			t.Errorf("another process got %+v, from before the bump", got)
		}
		synctest.Wait()
		_, third := process(t, m, s)
		expect(t, third.Get(t.Context(), "a"), s.loads())
		time.Sleep(5 * time.Second)
		before := m.Reads()
		v.Get(t.Context(), "a")
		if got := m.Reads() - before; got != 1 {
			t.Errorf("the far tier was asked %d times by the process that owed it a bump, want once", got)
		}
	})
}

func TestAFlushHidesLateWritesToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, _ := process(t, m, s)
		_, slow := process(t, m, s)
		s.delay.Store(int64(time.Second))
		go slow.Get(t.Context(), "a")
		synctest.Wait()
		m.Cut()
		var bump sync.WaitGroup
		bump.Go(func() { c.Bump(t.Context(), scope("a")) })
		synctest.Wait()
		m.Flush()
		bump.Wait()
		if m.Values() != 1 {
			t.Fatal("the late write did not come")
		}
		_, third := process(t, m, s)
		expect(t, third.Get(t.Context(), "a"), 2)
	})
}

func TestRubbishIsAMissAndDeleted(t *testing.T) {
	tests := map[string]func(cache.Key, []byte) []byte{
		"no envelope":             func(cache.Key, []byte) []byte { return []byte("rubbish") },
		"one byte":                func(cache.Key, []byte) []byte { return []byte{1} },
		"a bit is wrong":          func(_ cache.Key, b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"its end is missing":      func(_ cache.Key, b []byte) []byte { return b[:len(b)-1] },
		"something follows":       func(_ cache.Key, b []byte) []byte { return append(b, 0) },
		"it is of a later format": func(_ cache.Key, b []byte) []byte { b[0]++; return b },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { spoiled(t, change) })
		})
	}
	t.Run("it is another key's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			others := map[cache.Key][]byte{}
			m, s := cachetest.NewMemory(), &source{}
			_, v := process(t, m, s)
			v.GetMany(t.Context(), []string{"a", "b"})
			synctest.Wait()
			m.Spoil(func(key cache.Key, b []byte) []byte { others[key] = b; return b })
			m.Spoil(func(key cache.Key, _ []byte) []byte {
				for other, b := range others {
					if other != key {
						return b
					}
				}
				return nil
			})
			s.fail(errDown)
			_, two := process(t, m, s)
			for _, got := range two.GetMany(t.Context(), []string{"a", "b"}) {
				expectError(t, got, errDown)
			}
			if got := m.Values(); got != 0 {
				t.Errorf("%d of the swapped values are left", got)
			}
		})
	})
	t.Run("it does not decode", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			spoiled(t, func(_ cache.Key, b []byte) []byte { return b }, func(c *config) {
				c.Decode = func(string, []byte) (int, error) { return 0, errors.New("of an older version") }
			})
		})
	})
}

// spoiled checks that a process whose values were changed in the store finds none and leaves none.
func spoiled(t *testing.T, change func(cache.Key, []byte) []byte, changes ...func(*config)) {
	m, s := cachetest.NewMemory(), &source{}
	_, one := process(t, m, s)
	one.Get(t.Context(), "a")
	synctest.Wait()
	if m.Values() != 1 {
		t.Fatal("nothing is held")
	}
	m.Spoil(change)
	s.fail(errDown) // so that nothing takes its place
	_, two := process(t, m, s, changes...)
	expectError(t, two.Get(t.Context(), "a"), errDown)
	if got := m.Values(); got != 0 {
		t.Errorf("%d values are left, want the rubbish deleted", got)
	}
	s.fail(nil)
	expect(t, two.Get(t.Context(), "a"), 3)
}

func TestWhatCannotBeEncodedStaysNear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s, func(c *config) {
			c.Encode = func(string, int) ([]byte, error) { return nil, errors.New("too large") }
		})
		expect(t, v.Get(t.Context(), "a"), 1)
		expect(t, v.Get(t.Context(), "a"), 1)
		synctest.Wait()
		if got := c.Stats().StoreErrors; got != 1 || m.Values() != 0 {
			t.Errorf("%d errors and %d values, want 1 and none", got, m.Values())
		}
	})
}

func TestAnotherMachinesClockDoesNotLengthenLives(t *testing.T) {
	for ahead, believed := range map[time.Duration]bool{time.Second: true, time.Hour: false} {
		t.Run(ahead.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, s := cachetest.NewMemory(), &source{}
				key := cache.Key{Scope: scope("a"), Item: cache.Join("numbers", "")}
				store := m.Connect()
				found, err := store.GetMany(t.Context(), []cache.Question{{Key: key}})
				if err != nil {
					t.Fatal(err)
				}
				sealed := cache.Seal(key, found[0].Generation, time.Now().Add(ahead), []byte{70})
				item := cache.Item{Key: key, Value: sealed, Generation: found[0].Generation, For: 24 * time.Hour}
				if err := store.SetMany(t.Context(), []cache.Item{item}); err != nil {
					t.Fatal(err)
				}
				_, v := process(t, m, s)
				got := v.Get(t.Context(), "a")
				if want := map[bool]int{true: 70, false: 1}[believed]; got.Value != want || !got.ObservedAt.Equal(time.Now()) {
					t.Errorf("got %+v, want %d, observed no later than now, %v", got, want, time.Now())
				}
				synctest.Wait()
				_, other := process(t, m, s)
				expect(t, other.Get(t.Context(), "a"), got.Value) // what was read instead is what others find
			})
		})
	}
}
