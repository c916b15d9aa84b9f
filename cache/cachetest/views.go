package cachetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"regtok/cache"
)

// viewCases hold for one process, with a far tier or without.
var viewCases = []stageCase{
	{"a miss loads once and a hit loads nothing", func(s *stage) {
		v := s.view(s.process())
		s.upstream.set("a/1", "one")
		before := time.Now()
		first := v.Get(s.ctx, "a/1")
		s.is(first, "one")
		s.is(v.Get(s.ctx, "a/1"), "one")
		s.loads("a/1", 1)
		if first.ObservedAt.Before(before) || first.ObservedAt.After(time.Now()) {
			s.Errorf("observed at %v, want after %v and before now", first.ObservedAt, before)
		}
	}},
	{"many keys come in the order asked, the missing ones loaded once", func(s *stage) {
		v := s.view(s.process())
		var keys []string
		for i := range 50 {
			keys = append(keys, fmt.Sprintf("a/%d", i))
			s.upstream.set(keys[i], fmt.Sprint("value ", i))
		}
		s.is(v.Get(s.ctx, keys[7]), "value 7")
		entries := v.GetMany(s.ctx, append(keys, keys[3]))
		for i, key := range keys {
			s.is(entries[i], fmt.Sprint("value ", i))
			s.loads(key, 1)
		}
		s.is(entries[50], "value 3")
	}},
	{"no keys are no entries", func(s *stage) {
		if got := s.view(s.process()).GetMany(s.ctx, nil); len(got) != 0 {
			s.Errorf("got %d entries, want none", len(got))
		}
	}},
	{"one key's failure is its own, and not remembered", func(s *stage) {
		v := s.view(s.process())
		s.upstream.set("a/1", "one")
		s.upstream.fail("a/2", errDown)
		entries := v.GetMany(s.ctx, []string{"a/2", "a/1"})
		s.is(entries[1], "one")
		if !errors.Is(entries[0].Err, errDown) || entries[0].Value != nil {
			s.Errorf("got %q, %v; want the load's error", entries[0].Value, entries[0].Err)
		}
		s.upstream.set("a/2", "two")
		s.is(v.Get(s.ctx, "a/2"), "two")
	}},
	{"a failure is remembered when that is asked for", func(s *stage) {
		v := s.view(s.process(), func(c *config) { c.Negative = func(error) time.Duration { return time.Hour } })
		s.upstream.fail("a/1", errGone)
		for range 2 {
			if got := v.Get(s.ctx, "a/1"); !errors.Is(got.Err, errGone) {
				s.Errorf("got %v, want %v", got.Err, errGone)
			}
		}
		s.loads("a/1", 1)
	}},
	{"what is gone is loaded again", func(s *stage) {
		v := s.view(s.process(), goneAtOnce)
		s.upstream.set("a/1", "one")
		v.Get(s.ctx, "a/1")
		s.upstream.set("a/1", "two")
		if got := v.Get(s.ctx, "a/1"); string(got.Value) != "two" {
			s.Errorf("got %q, want the second value", got.Value)
		}
	}},
	{"what is stale is served at once while one load renews it", func(s *stage) {
		v := s.view(s.process(), staleAtOnce)
		s.upstream.set("a/1", "one")
		v.Get(s.ctx, "a/1")
		begun, release := s.upstream.hold()
		s.upstream.set("a/1", "two")
		for range 10 {
			s.stale(v.Get(s.ctx, "a/1"), "one", nil)
		}
		<-begun
		s.loads("a/1", 2)
		release()
		eventually(s.T, "the second value is served", func() bool { return string(v.Get(s.ctx, "a/1").Value) == "two" })
	}},
	{"a failed renewal is covered by what is stale, and not repeated at once", func(s *stage) {
		v := s.view(s.process(), staleAtOnce, func(c *config) {
			c.Negative = func(error) time.Duration { return time.Hour }
		})
		s.upstream.set("a/1", "one")
		v.Get(s.ctx, "a/1")
		s.upstream.fail("a/1", errDown)
		eventually(s.T, "the cause is told", func() bool { return v.Get(s.ctx, "a/1").Cause != nil })
		s.stale(v.Get(s.ctx, "a/1"), "one", errDown)
		s.loads("a/1", 2)
	}},
	{"a failure that must not be covered ends what is stale", func(s *stage) {
		v := s.view(s.process(), staleAtOnce)
		s.upstream.set("a/1", "one")
		v.Get(s.ctx, "a/1")
		s.upstream.fail("a/1", errGone)
		eventually(s.T, "the failure is told", func() bool { return errors.Is(v.Get(s.ctx, "a/1").Err, errGone) })
		if got := v.Get(s.ctx, "a/1"); !errors.Is(got.Err, errGone) {
			s.Errorf("then got %q, %v; want %v for good", got.Value, got.Err, errGone)
		}
	}},
	{"fifty readers at once are one load", func(s *stage) {
		v := s.view(s.process())
		s.upstream.set("a/1", "one")
		begun, release := s.upstream.hold()
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() { s.is(v.Get(s.ctx, "a/1"), "one") })
		}
		<-begun
		eventually(s.T, "all fifty wait", func() bool { return v.Stats().Waits == 50 })
		release()
		readers.Wait()
		s.loads("a/1", 1)
	}},
	{"a cancelled reader leaves at once and the others get the value", func(s *stage) {
		v := s.view(s.process())
		s.upstream.set("a/1", "one")
		begun, release := s.upstream.hold()
		ctx, cancel := context.WithCancel(s.ctx)
		var first, second sync.WaitGroup
		first.Go(func() {
			if got := v.Get(ctx, "a/1"); !errors.Is(got.Err, context.Canceled) {
				s.Errorf("the cancelled reader got %q, %v; want its context's error", got.Value, got.Err)
			}
		})
		<-begun
		second.Go(func() { s.is(v.Get(s.ctx, "a/1"), "one") })
		eventually(s.T, "both wait", func() bool { return v.Stats().Waits == 2 })
		cancel()
		first.Wait()
		release()
		second.Wait()
		s.loads("a/1", 1)
	}},
	{"a reader who is cancelled already loads nothing", func(s *stage) {
		v := s.view(s.process())
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		if got := v.Get(ctx, "a/1"); !errors.Is(got.Err, context.Canceled) {
			s.Errorf("got %q, %v; want the context's error", got.Value, got.Err)
		}
		s.loads("a/1", 0)
	}},
	{"a panic is everybody's error", func(s *stage) {
		v := s.view(s.process(), func(c *config) {
			c.Load = func(context.Context, string) ([]byte, error) { panic("a bug") }
		})
		got, ok := errors.AsType[*cache.PanicError](v.Get(s.ctx, "a/1").Err)
		if !ok || got.Value != "a bug" || !strings.Contains(string(got.Stack), "cachetest") {
			s.Errorf("got %+v, want the panic with its stack", got)
		}
	}},
	{"a bump ends what is older in its scope, and only there", func(s *stage) {
		c := s.process()
		v := s.view(c)
		for _, key := range []string{"a/1", "a/2", "b/1"} {
			s.upstream.set(key, "old")
			v.Get(s.ctx, key)
			s.upstream.set(key, "new")
		}
		c.Bump(s.ctx, scopeOf("a/"))
		s.is(v.Get(s.ctx, "a/1"), "new")
		s.is(v.Get(s.ctx, "a/2"), "new")
		s.is(v.Get(s.ctx, "b/1"), "old")
	}},
	{"a load from before a bump answers its reader and is not kept", func(s *stage) {
		c := s.process()
		v := s.view(c)
		s.upstream.set("a/1", "old")
		begun, release := s.upstream.hold()
		var early sync.WaitGroup
		early.Go(func() { s.is(v.Get(s.ctx, "a/1"), "old") })
		<-begun
		s.upstream.set("a/1", "new")
		c.Bump(s.ctx, scopeOf("a/"))
		var late sync.WaitGroup
		late.Go(func() { s.is(v.Get(s.ctx, "a/1"), "new") })
		<-begun // the late reader did not join the load of the early one
		release()
		early.Wait()
		late.Wait()
		s.is(v.Get(s.ctx, "a/1"), "new")
	}},
	{"a bump hides even what could be served stale", func(s *stage) {
		c := s.process()
		v := s.view(c, staleAtOnce)
		s.upstream.set("a/1", "old")
		v.Get(s.ctx, "a/1")
		s.upstream.fail("a/1", errDown)
		c.Bump(s.ctx, scopeOf("a/"))
		if got := v.Get(s.ctx, "a/1"); !errors.Is(got.Err, errDown) {
			s.Errorf("got %q, %v; want %v", got.Value, got.Err, errDown)
		}
	}},
	{"who insists gets what is loaded from now on", func(s *stage) {
		v := s.view(s.process())
		s.upstream.set("a/1", "old")
		v.Get(s.ctx, "a/1")
		s.upstream.set("a/1", "new")
		s.is(v.Get(s.ctx, "a/1"), "old")
		insisting := cache.NoCache(s.ctx)
		s.is(v.Get(insisting, "a/1"), "new")
		s.is(v.Get(insisting, "a/1"), "new")
		s.is(v.Get(s.ctx, "a/1"), "new")
		s.loads("a/1", 2)
	}},
	{"who insists in vain gets what there is, and is told", func(s *stage) {
		v := s.view(s.process())
		s.upstream.set("a/1", "old")
		observed := v.Get(s.ctx, "a/1").ObservedAt
		s.upstream.fail("a/1", errDown)
		got := v.Get(cache.NoCache(s.ctx), "a/1")
		s.stale(got, "old", errDown)
		if !got.StaleSince.Equal(observed) {
			s.Errorf("stale since %v, want since it was observed, %v", got.StaleSince, observed)
		}
	}},
	{"binary values come back as they were", func(s *stage) {
		v := s.view(s.process())
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for i, value := range []string{string(all), "", "\x00", "\r\n$-1\r\n", strings.Repeat("\xff\x00", 1<<19)} {
			key := fmt.Sprint("a/", i)
			s.upstream.set(key, value)
			for range 2 {
				if got := v.Get(s.ctx, key); got.Err != nil || string(got.Value) != value {
					s.Errorf("value %d came back as %d bytes, %v", i, len(got.Value), got.Err)
				}
			}
			s.loads(key, 1)
		}
	}},
	{"views and tenants do not mix", func(s *stage) {
		c := s.process()
		one := s.view(c)
		two := s.view(c, func(c *config) { c.Name = "others" })
		three := s.view(c, func(c *config) {
			c.Name = "others'"
			c.Key = func(key string) cache.Key {
				return cache.Key{Scope: cache.Scope{Tenant: "another", Name: scopeOf(key).Name}, Item: cache.Join(key)}
			}
		})
		for i, v := range []*view{one, two, three} {
			value := fmt.Sprint("value of view ", i)
			s.upstream.set("a/1", value)
			s.is(v.Get(s.ctx, "a/1"), value)
		}
		c.Bump(s.ctx, scopeOf("a/1"))
		s.is(three.Get(s.ctx, "a/1"), "value of view 2")
		s.loads("a/1", 3)
	}},
	{"no reader sees what is older than a write that was told before", func(s *stage) {
		s.contend(s.process())
	}},
}
