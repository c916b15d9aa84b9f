package cachetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"regtok/cache"
)

// replicaCases hold for processes that share a far tier.
var replicaCases = []stageCase{
	{"what one process read, another need not load", func(s *stage) {
		s.upstream.set("a/1", "one")
		first := s.written("a/1")
		another := s.view(s.process()).Get(s.ctx, "a/1")
		s.is(another, "one")
		if !another.ObservedAt.Equal(first.ObservedAt) {
			s.Errorf("observed at %v, want when the other process observed it, %v", another.ObservedAt, first.ObservedAt)
		}
		s.loads("a/1", 1)
	}},
	{"what is found is as old as it was when it was written", func(s *stage) {
		s.upstream.set("a/1", "one")
		first := s.written("a/1")
		another := s.view(s.process(), staleAtOnce).Get(s.ctx, "a/1")
		s.stale(another, "one", nil)
		if !another.StaleSince.Equal(first.ObservedAt) {
			s.Errorf("stale since %v, want since it was observed, %v", another.StaleSince, first.ObservedAt)
		}
	}},
	{"what a bump ended in one process, no other finds", func(s *stage) {
		s.upstream.set("a/1", "old")
		c := s.process()
		s.is(s.view(c).Get(s.ctx, "a/1"), "old")
		s.upstream.set("a/1", "new")
		c.Bump(s.ctx, scopeOf("a/"))
		s.is(s.view(s.process()).Get(s.ctx, "a/1"), "new")
	}},
	{"a bump counts although its caller is gone", func(s *stage) {
		s.upstream.set("a/1", "old")
		c := s.process()
		s.is(s.view(c).Get(s.ctx, "a/1"), "old")
		s.upstream.set("a/1", "new")
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		c.Bump(ctx, scopeOf("a/"))
		s.is(s.view(s.process()).Get(s.ctx, "a/1"), "new")
	}},
	{"a reader who comes during a bump keeps nothing old", func(s *stage) {
		s.upstream.set("a/1", "old")
		s.written("a/1")
		store := &meeting{Store: s.connect()}
		c := cache.New(cache.Options{Store: store, NearFor: nearFor, StoreTimeout: 10 * time.Second})
		s.Cleanup(c.Close)
		v := s.view(c)
		store.meet = func() { v.Get(s.ctx, "a/1") }
		s.upstream.set("a/1", "new")
		c.Bump(s.ctx, scopeOf("a/"))
		s.is(v.Get(s.ctx, "a/1"), "new")
	}},
	{"a bump reaches the near tier of every process", func(s *stage) {
		s.upstream.set("a/1", "old")
		c := s.process()
		another := s.view(s.process())
		s.is(another.Get(s.ctx, "a/1"), "old")
		s.upstream.set("a/1", "new")
		eventually(s.T, "the other process reads the new value", func() bool {
			c.Bump(s.ctx, scopeOf("a/")) // again, because the other may not be listening yet
			return string(another.Get(s.ctx, "a/1").Value) == "new"
		})
	}},
	{"a load from before another process's bump stays hidden", func(s *stage) {
		s.upstream.set("a/1", "old")
		slow, writer := s.view(s.process()), s.process()
		begun, release := s.upstream.hold()
		var reader sync.WaitGroup
		reader.Go(func() { s.is(slow.Get(s.ctx, "a/1"), "old") })
		<-begun
		s.upstream.set("a/1", "new")
		writer.Bump(s.ctx, scopeOf("a/"))
		release()
		reader.Wait()
		s.is(s.view(writer).Get(s.ctx, "a/1"), "new")
		s.is(s.view(s.process()).Get(s.ctx, "a/1"), "new")
	}},
	{"a lost message heals when the near tier is no longer believed", func(s *stage) {
		s.upstream.set("a/1", "old")
		c := cache.New(cache.Options{Store: deaf{s.connect()}, NearFor: time.Millisecond, StoreTimeout: 10 * time.Second})
		s.Cleanup(c.Close)
		v := s.view(c)
		s.is(v.Get(s.ctx, "a/1"), "old")
		s.upstream.set("a/1", "new")
		s.process().Bump(s.ctx, scopeOf("a/"))
		eventually(s.T, "the new value is read", func() bool { return string(v.Get(s.ctx, "a/1").Value) == "new" })
		s.loads("a/1", 2)
	}},
	{"of many processes that miss at the same time one loads", func(s *stage) {
		s.upstream.set("a/1", "one")
		begun, release := s.upstream.hold()
		var views []*view
		var readers sync.WaitGroup
		for range 4 {
			v := s.view(s.process())
			views = append(views, v)
			for range 25 {
				readers.Go(func() { s.is(v.Get(s.ctx, "a/1"), "one") })
			}
		}
		<-begun
		for _, v := range views {
			eventually(s.T, "all wait", func() bool { return v.Stats().Waits == 25 })
		}
		release()
		readers.Wait()
		s.loads("a/1", 1)
	}},
	{"when the load of one process fails, the next one loads", func(s *stage) {
		s.upstream.fail("a/1", errDown)
		first, second := s.view(s.process()), s.view(s.process())
		begun, release := s.upstream.hold()
		var readers sync.WaitGroup
		readers.Go(func() {
			if got := first.Get(s.ctx, "a/1"); !errors.Is(got.Err, errDown) {
				s.Errorf("got %q, %v; want %v", got.Value, got.Err, errDown)
			}
		})
		<-begun
		s.upstream.set("a/1", "one")
		readers.Go(func() { s.is(second.Get(s.ctx, "a/1"), "one") })
		eventually(s.T, "the second waits", func() bool { return second.Stats().Waits == 1 })
		release()
		readers.Wait()
		s.loads("a/1", 2)
	}},
	{"a process that died is not waited for when its lease has run out", func(s *stage) {
		s.upstream.set("a/1", "one")
		store := s.connect()
		k := cache.Key{Scope: scopeOf("a/1"), Item: cache.Join("things", cache.Join("a/1"))}
		lease(s.T, store, k, getMany(s.T, store, k)[0].Generation, 50*time.Millisecond, true)
		s.is(s.view(s.process()).Get(s.ctx, "a/1"), "one")
		s.loads("a/1", 1)
	}},
	{"who comes after a bump, or insists, waits for no other process's load", func(s *stage) {
		s.upstream.set("a/1", "old")
		first := s.view(s.process())
		c := s.process()
		second := s.view(c)
		begun, release := s.upstream.hold()
		var readers sync.WaitGroup
		readers.Go(func() { s.is(first.Get(s.ctx, "a/1"), "old") })
		<-begun
		readers.Go(func() { s.is(second.Get(cache.NoCache(s.ctx), "a/1"), "old") })
		<-begun
		s.upstream.set("a/1", "new")
		c.Bump(s.ctx, scopeOf("a/1"))
		readers.Go(func() { s.is(second.Get(s.ctx, "a/1"), "new") })
		<-begun
		release()
		readers.Wait()
		s.is(second.Get(s.ctx, "a/1"), "new")
		s.is(s.view(s.process()).Get(s.ctx, "a/1"), "new")
	}},
	{"no reader sees what is older than a write that its process was told of", func(s *stage) {
		s.contend(s.process(), s.process(), s.process())
	}},
}

// written is what a process read that has ended since, so that it is in the far tier.
func (s *stage) written(key string) cache.Entry[[]byte] {
	c := s.process()
	defer c.Close()
	return s.view(c).Get(s.ctx, key)
}

// meeting is a store in which something happens while a bump is on its way there.
type meeting struct {
	cache.Store
	meet func()
}

// Bump implements cache.Store.
func (m *meeting) Bump(ctx context.Context, scopes ...cache.Scope) (<-chan struct{}, error) {
	m.meet()
	return m.Store.Bump(ctx, scopes...)
}

// deaf is a store whose messages are all lost.
type deaf struct{ cache.Store }

// Watch implements cache.Store.
func (deaf) Watch(ctx context.Context, _ cache.Watcher) { <-ctx.Done() }
