package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

const (
	saidThatItFails = "the shared cache fails"
	saidThatItWorks = "the shared cache works again"
)

// reports writes down each change that a cache tells of. The cache tells of one thing after the other.
func reports(log io.Writer) func(error) {
	failed := false
	return func(err error) {
		switch {
		case err != nil && !failed:
			fmt.Fprintf(log, "%s: %v\n", saidThatItFails, err)
		case err == nil && failed:
			fmt.Fprintln(log, saidThatItWorks)
		}
		failed = err != nil
	}
}

// said checks how often a log tells each change.
func said(t *testing.T, log fmt.Stringer, fails, works int) {
	t.Helper()
	text := log.String()
	if strings.Count(text, saidThatItFails) != fails || strings.Count(text, saidThatItWorks) != works || strings.Count(text, "\n") != fails+works {
		t.Errorf("the log has not %d lines of failure and %d of recovery, and no other:\n%s", fails, works, text)
	}
}

// sulky is a store that can fall silent, and counts its calls.
type sulky struct {
	cache.Store
	silent atomic.Bool
	calls  atomic.Int64
	knows  bool // what it has lost
}

func (s *sulky) Remembers() bool { return s.knows }

func (s *sulky) sulk(ctx context.Context) error {
	s.calls.Add(1)
	if !s.silent.Load() {
		return nil
	}
	<-ctx.Done()
	return errors.New("no answer")
}

func (s *sulky) GetMany(ctx context.Context, questions []cache.Question) ([]cache.Found, error) {
	if err := s.sulk(ctx); err != nil {
		return nil, err
	}
	return s.Store.GetMany(ctx, questions)
}

func (s *sulky) SetMany(ctx context.Context, items []cache.Item) error {
	if err := s.sulk(ctx); err != nil {
		return err
	}
	return s.Store.SetMany(ctx, items)
}

func (s *sulky) Bump(ctx context.Context, scopes ...cache.Scope) (<-chan struct{}, error) {
	if err := s.sulk(ctx); err != nil {
		return nil, err
	}
	return s.Store.Bump(ctx, scopes...)
}

func TestASilentStoreIsLeftAloneAndTriedEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := &sulky{Store: cachetest.NewMemory().Connect()}
		c := newCache(t, cache.Options{Store: store, Report: reports(&log)})
		v := numbers(c, &source{})
		synctest.Wait()
		store.silent.Store(true)
		read := func(n int) (waited time.Duration) {
			began := time.Now()
			for i := range n {
				if got := v.Get(t.Context(), fmt.Sprint(time.Now().UnixNano(), i)); got.Err != nil {
					t.Error(got.Err)
				}
			}
			return time.Since(began)
		}
		if got, want := read(100), 150*time.Millisecond; got != want {
			t.Errorf("a hundred reads waited %v, want %v", got, want)
		}
		said(t, &log, 1, 0)
		if got := c.Stats(); !got.StoreFails || got.StoreErrors != 3 {
			t.Errorf("got %+v, want that the store fails, and has failed 3 times", got)
		}
		for range 3 {
			time.Sleep(time.Second + instant)
			if got, want := read(100), 50*time.Millisecond; got != want {
				t.Errorf("a second later a hundred reads waited %v, want %v", got, want)
			}
		}
		store.silent.Store(false)
		time.Sleep(time.Second + instant)
		calls := store.calls.Load()
		read(100)
		synctest.Wait()
		if got := store.calls.Load() - calls; got <= 100 {
			t.Errorf("%d calls for a hundred reads of a store that works, want one for each and some to write", got)
		}
		said(t, &log, 1, 1)
		if got := c.Stats(); got.StoreFails || got.StoreErrors != 6 {
			t.Errorf("got %+v, want that the store works, and has failed 6 times", got)
		}
	})
}

// full is a store that takes no values.
type full struct {
	cache.Store
	full atomic.Bool
}

func (f *full) SetMany(ctx context.Context, items []cache.Item) error {
	if f.full.Load() {
		return errors.New("full")
	}
	return f.Store.SetMany(ctx, items)
}

func TestAStoreThatTakesNoValuesIsStillReadAndBumped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m, s := cachetest.NewMemory(), &source{}
		store := &full{Store: m.Connect()}
		c := newCache(t, cache.Options{Store: store, NearFor: time.Millisecond, Report: reports(&log)})
		v := numbers(c, s)
		synctest.Wait()
		v.Get(t.Context(), "there")
		synctest.Wait()
		store.full.Store(true)
		for i := range 10 {
			v.Get(t.Context(), fmt.Sprint(i))
			synctest.Wait()
		}
		said(t, &log, 1, 0)
		if got := c.Stats(); got.StoreErrors != 3 || !got.StoreFails {
			t.Errorf("got %+v, want that the store fails, and was told 3 values in vain", got)
		}
		_, other := process(t, m, s)
		expect(t, other.Get(t.Context(), "there"), 1)
		c.Bump(t.Context(), scope("there"))
		expect(t, other.Get(t.Context(), "there"), 12)
		store.full.Store(false)
		time.Sleep(time.Second + instant)
		v.Get(t.Context(), "another")
		synctest.Wait()
		said(t, &log, 1, 1)
	})
}

func TestABumpIsOwedAgainToAStoreThatMayHaveLostIt(t *testing.T) {
	for name, test := range map[string]struct {
		fail   func(m *cachetest.Memory, read func())
		atOnce bool // it is told again
	}{
		"it failed meanwhile": {func(m *cachetest.Memory, read func()) {
			m.Fail(errors.New("refused"))
			read()
			m.Fail(nil)
		}, false},
		"its messages were cut off": {func(m *cachetest.Memory, _ func()) {
			m.Cut()
			m.Reconnect()
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, s := cachetest.NewMemory(), &source{}
				c, v := process(t, m, s)
				expect(t, v.Get(t.Context(), "a"), 1)
				synctest.Wait()
				restore := m.Save()
				c.Bump(t.Context(), scope("a"))
				time.Sleep(30 * time.Second)
				restore()
				test.fail(m, func() { v.Get(t.Context(), "b") })
				if got := c.Stats().OwedBumps; got != 1 && !test.atOnce {
					t.Errorf("%d bumps are owed, want 1", got)
				}
				if got := v.Get(t.Context(), "a"); got.Value == 1 {
					t.Errorf("got %+v, from before the bump", got)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if got := c.Stats(); got.OwedBumps != 0 || got.StoreFails {
					t.Errorf("got %+v, want nothing owed a second later", got)
				}
				_, other := process(t, m, s)
				if got := other.Get(t.Context(), "a"); got.Value == 1 {
					t.Errorf("another process got %+v, from before the bump", got)
				}
			})
		})
	}
}

func TestABumpOfLongAgoIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s)
		c.Bump(t.Context(), scope("a"))
		time.Sleep(time.Minute)
		m.Fail(errors.New("refused"))
		v.Get(t.Context(), "b")
		if got := c.Stats().OwedBumps; got != 0 {
			t.Errorf("%d bumps are owed, want none", got)
		}
	})
}

func TestABumpThatIsOwedIsToldBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), &source{}
		c, v := process(t, m, s)
		expect(t, v.Get(t.Context(), "a"), 1)
		synctest.Wait()
		m.Fail(errors.New("refused"))
		c.Bump(t.Context(), scope("a"))
		m.Fail(nil)
		c.Close()
		_, other := process(t, m, s)
		expect(t, other.Get(t.Context(), "a"), 2)
	})
}

func TestAStoreThatFailedIsToldAgainOnlyWhatItMayHaveForgotten(t *testing.T) {
	for name, knows := range map[string]bool{"it knows": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, s := cachetest.NewMemory(), &source{}
				store := &sulky{Store: m.Connect(), knows: knows}
				c := newCache(t, cache.Options{Store: store, Jitter: -1})
				v := numbers(c, s)
				_, other := process(t, m, s)
				c.Bump(t.Context(), scope("a"))
				expect(t, other.Get(t.Context(), "a"), 1)
				synctest.Wait()
				store.silent.Store(true)
				v.Get(t.Context(), "b")
				store.silent.Store(false)
				time.Sleep(2 * time.Second)
				want := 1
				if !knows {
					want = 3 // after the second, of b
				}
				expect(t, other.Get(t.Context(), "a"), want)
			})
		})
	}
}

// deafening is a store in which nobody can be registered.
type deafening struct {
	cache.Store
	tries int
}

func (d deafening) Watch(ctx context.Context, w cache.Watcher) {
	for range d.tries {
		w.Deaf(errors.New("Redis answered NOPERM"))
	}
	time.Sleep(time.Second)
	w.Registered(time.Now(), time.Now().Add(time.Second))
	<-ctx.Done()
	w.Registered(time.Now(), time.Now())
}

func TestWhoCannotListenSaysSo(t *testing.T) {
	for tries, lines := range map[int]int{2: 0, 3: 1, 10: 1} {
		t.Run(fmt.Sprint(tries), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				c := newCache(t, cache.Options{Store: deafening{cachetest.NewMemory().Connect(), tries}, Report: reports(&log)})
				synctest.Wait()
				if got := c.Stats().StoreFails; got != (lines > 0) {
					t.Errorf("the store fails: %t, want %t", got, lines > 0)
				}
				time.Sleep(2 * time.Second)
				c.Close()
				said(t, &log, lines, lines)
				if lines > 0 && !strings.Contains(log.String(), "NOPERM") {
					t.Errorf("the log says %s, want why", log.String())
				}
			})
		})
	}
}
