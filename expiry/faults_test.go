package expiry_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
	"regtok/redistest"
)

// hears reads events from a subscription until it has seen so many, and fails at a gap.
func hears(t *testing.T, follower *eventlog.Subscription[expiry.Event], want []expiry.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n, e := range want {
		got, err := follower.Next(ctx)
		if err != nil || got.Gap != nil || got.Entry.Event.ID != e.ID {
			t.Fatalf("event %d: got %+v, %v", n, got, err)
		}
	}
}

// appends tries until it is done: at first nobody has noticed that Redis is back.
func appends(t *testing.T, log expiry.Log, events []expiry.Event) {
	t.Helper()
	eventually(t, "the events are appended", func() bool {
		_, err := log.Append(t.Context(), events)
		return err == nil
	})
}

func TestFollowersGoOnWhenRedisIsBack(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	log := connect(t, redis.NewClient(suited(server)), "test:", 0)
	other := connect(t, redis.NewClient(suited(server)), "test:", 0)
	log.Timeout, other.Timeout = time.Second, time.Second
	follower, err := log.Follow("", nil)
	if err != nil {
		t.Fatal(err)
	}
	appends(t, other, expirytest.Events(0, 10))
	hears(t, follower, expirytest.Events(0, 10))

	server.Restart()
	appends(t, other, expirytest.Events(5, 20)) // some of them again
	hears(t, follower, expirytest.Events(10, 20))

	server.Pause()
	if _, err := other.Append(t.Context(), expirytest.Events(20, 21)); !errors.Is(err, expiry.ErrUnavailable) {
		t.Errorf("a Redis that is silent: got %v, want %v", err, expiry.ErrUnavailable)
	}
	server.Resume()
	appends(t, other, expirytest.Events(20, 30))
	hears(t, follower, expirytest.Events(20, 30))

	server.Stop()
	replayed, err := log.Follow("", nil) // who comes now waits
	if err != nil {
		t.Fatal(err)
	}
	server.Restart()
	appends(t, other, expirytest.Events(30, 35))
	hears(t, follower, expirytest.Events(30, 35))
	hears(t, replayed, expirytest.Events(0, 35))
}

func TestFollowersOfARedisThatForgotAreTold(t *testing.T) {
	server := redistest.Start(t)
	log := connect(t, redis.NewClient(suited(server)), "test:", 0)
	follower, err := log.Follow("", nil)
	if err != nil {
		t.Fatal(err)
	}
	appends(t, log, expirytest.Events(0, 3))
	hears(t, follower, expirytest.Events(0, 3))
	for _, forget := range []func(){server.Restart, func() { server.Client(t).FlushAll(t.Context()) }} {
		before := follower.Cursor()
		forget()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		got, err := follower.Next(ctx)
		cancel()
		if err != nil || got.Gap == nil || got.Gap.Reason != eventlog.ExpiredCursor || got.Gap.After != before {
			t.Fatalf("got %+v, %v, want a gap after %s", got, err, before)
		}
		appends(t, log, expirytest.Events(0, 5))
		hears(t, follower, expirytest.Events(0, 5))
	}
}

func TestARedisThatKnowsLessThanBeforeIsTold(t *testing.T) {
	server := redistest.Start(t)
	log := connect(t, redis.NewClient(suited(server)), "test:", 0)
	follower, err := log.Follow("", nil)
	if err != nil {
		t.Fatal(err)
	}
	appends(t, log, expirytest.Events(0, 5))
	hears(t, follower, expirytest.Events(0, 5))
	page, err := log.Read(t.Context(), "", 3)
	if err != nil {
		t.Fatal(err)
	}
	// A replica that took over has not heard of the last two.
	third, meddler := page.Entries[2], server.Client(t)
	found, err := meddler.XRevRangeN(t.Context(), "test:1:{events}:log", "+", "-", 5).Result()
	if err != nil {
		t.Fatal(err)
	}
	meddler.XDel(t.Context(), "test:1:{events}:log", found[0].ID, found[1].ID)
	meddler.HDel(t.Context(), "test:1:{events}:ids", expirytest.Event(3).ID, expirytest.Event(4).ID)
	meddler.HSet(t.Context(), "test:1:{events}:life", "last", found[2].ID)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := follower.Next(ctx)
	if err != nil || got.Gap == nil || got.Gap.ResumesAt != third.Cursor {
		t.Fatalf("got %+v, %v, want a gap up to %s", got, err, third.Cursor)
	}
	appends(t, log, expirytest.Events(3, 6))
	hears(t, follower, expirytest.Events(3, 6))
}

func TestWhatCannotBeReadInTheLogIsAGap(t *testing.T) {
	server := redistest.Start(t)
	log := connect(t, redis.NewClient(suited(server)), "test:", 0)
	follower, err := log.Follow("", nil)
	if err != nil {
		t.Fatal(err)
	}
	appends(t, log, expirytest.Events(0, 2))
	hears(t, follower, expirytest.Events(0, 2))
	meddler := server.Client(t)
	for range 2 { // of a later version
		id, err := meddler.XAdd(t.Context(), &redis.XAddArgs{Stream: "test:1:{events}:log", Values: []any{"i", "x", "e", `{"v":2}`}}).Result()
		if err != nil {
			t.Fatal(err)
		}
		meddler.HSet(t.Context(), "test:1:{events}:life", "last", id)
	}
	appends(t, log, expirytest.Events(2, 4))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := follower.Next(ctx)
	if err != nil || got.Gap == nil {
		t.Fatalf("got %+v, %v, want a gap", got, err)
	}
	for got.Gap != nil && err == nil { // one, or one for each, as they were found
		got, err = follower.Next(ctx)
	}
	if err != nil || got.Entry.Event.ID != expirytest.Event(2).ID {
		t.Fatalf("got %+v, %v", got, err)
	}
	hears(t, follower, expirytest.Events(3, 4))
	page, err := log.Read(t.Context(), "", 100)
	if err != nil || len(page.Entries) != 2 || page.Gap != nil || !page.More {
		t.Errorf("the first page: %+v, %v", page, err)
	}
	if page, err = log.Read(t.Context(), page.Next, 100); err != nil || len(page.Entries) != 2 || page.Gap == nil || page.More {
		t.Errorf("the second page: %+v, %v", page, err)
	}
}

func TestARedisThatFailsIsUnavailable(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	command := func(args ...any) func() {
		return func() {
			if err := meddler.Do(t.Context(), args...).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	faults := []struct {
		name       string
		fail, mend func()
		why        string
		writesOnly bool
	}{
		{"it is a replica", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"), "READONLY", true},
		{"it is full", command("CONFIG", "SET", "maxmemory", "1"), command("CONFIG", "SET", "maxmemory", "0"), "OOM", true},
		{"it is silent", server.Pause, server.Resume, "did not answer in time", false},
		{"it is down", server.Stop, server.Restart, "connection refused", false},
	}
	log, index := connect(t, redis.NewClient(suited(server)), "test:", 0), connectIndex(t, redis.NewClient(suited(server)), "test:")
	token := []providers.ID{expirytest.Subject(1).Token}
	puts := 0
	calls := []struct {
		name   string
		writes bool
		do     func() error
	}{
		{"Append", true, func() error { _, err := log.Append(t.Context(), expirytest.Events(0, 3)); return err }},
		{"Read", false, func() error { _, err := log.Read(t.Context(), "", 3); return err }},
		{"Bounds", false, func() error { _, _, err := log.Bounds(t.Context()); return err }},
		{"Find", false, func() error { _, _, err := log.Find(t.Context(), expirytest.Event(0).ID); return err }},
		{"Put", true, func() error {
			puts++
			_, err := index.Put(t.Context(), []expiry.State{expirytest.State(puts, time.Now())})
			return err
		}},
		{"Get", false, func() error { _, err := index.Get(t.Context(), token); return err }},
		{"OfRegistry", false, func() error { _, err := index.OfRegistry(t.Context(), token[0].OfRegistry()); return err }},
		{"Take", false, func() error { _, _, err := index.Take(t.Context(), time.Time{}, 3, time.Minute); return err }},
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			log.Timeout, index.Timeout = 10*time.Second, 10*time.Second
			for _, c := range calls { // it works, and there is something
				eventually(t, c.name+" works", func() bool { return c.do() == nil })
			}
			log.Timeout, index.Timeout = time.Second, time.Second
			fault.fail()
			for _, c := range calls {
				err := c.do()
				if fault.writesOnly && !c.writes {
					if err != nil {
						t.Errorf("%s: %v, want an answer", c.name, err)
					}
					continue
				}
				if !errors.Is(err, expiry.ErrUnavailable) || !strings.Contains(err.Error(), fault.why) {
					t.Errorf("%s: %v, want %v: %s", c.name, err, expiry.ErrUnavailable, fault.why)
				}
				if err != nil && (strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "test:")) {
					t.Errorf("%s says %v, where it is", c.name, err)
				}
			}
			fault.mend()
		})
	}
}

func TestWhatCannotBeReadInTheIndexIsAsIfItHadNeverBeen(t *testing.T) {
	server := redistest.Start(t)
	index, meddler := connectIndex(t, redis.NewClient(suited(server)), "test:"), server.Client(t)
	now := time.Now()
	for _, rubbish := range []string{"", "x", "12", "12 {}", "12 {\"v\":2}", "0 {}", " {}", "-1 {}"} {
		states := []expiry.State{expirytest.State(1, now), expirytest.State(4, now)}
		if _, err := index.Put(t.Context(), states); err != nil {
			t.Fatal(err)
		}
		keys := meddler.Keys(t.Context(), "test:*of:*").Val()
		if len(keys) != 1 {
			t.Fatalf("there are the keys %q", keys)
		}
		meddler.HSet(t.Context(), keys[0], states[0].Subject.Token.Native, rubbish)
		got, err := index.Get(t.Context(), []providers.ID{states[0].Subject.Token})
		if err != nil || !got[0].Over() {
			t.Errorf("%q: got %+v, %v", rubbish, got, err)
		}
		all, err := index.OfRegistry(t.Context(), states[0].Subject.Token.OfRegistry())
		if err != nil || len(all) != 1 || all[0].Subject != states[1].Subject {
			t.Errorf("%q: of the registry: %+v, %v", rubbish, all, err)
		}
		anew := states[0]
		anew.Version = got[0].Version
		saved, err := index.Put(t.Context(), []expiry.State{anew})
		if err != nil || !saved[0] {
			t.Errorf("%q: nothing takes its place: %v", rubbish, err)
		}
		meddler.HSet(t.Context(), keys[0], states[0].Subject.Token.Native, rubbish)
		taken, _, err := index.Take(t.Context(), now.Add(time.Second), 10, 0)
		if err != nil || len(taken) != 1 || taken[0].Subject != states[1].Subject {
			t.Errorf("%q: taken are %+v, %v", rubbish, taken, err)
		}
		if left := meddler.HLen(t.Context(), keys[0]).Val(); left != 1 {
			t.Errorf("%q: it is there still", rubbish)
		}
		taken[0].Due = time.Time{}
		if _, err := index.Put(t.Context(), taken); err != nil {
			t.Fatal(err)
		}
	}
	if left := meddler.Keys(t.Context(), "*").Val(); len(left) > 0 {
		t.Errorf("there are %q still", left)
	}
}

func TestTheIndexOutlivesItsProcess(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	state := expirytest.State(1, time.Now())
	states := []expiry.State{state}
	if _, err := connectIndex(t, redis.NewClient(suited(server)), "test:").Put(t.Context(), states); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	taken, _, err := connectIndex(t, redis.NewClient(suited(server)), "test:").Take(t.Context(), time.Now().Add(time.Second), 1, 0)
	if err != nil || len(taken) != 1 || taken[0].Subject != state.Subject || taken[0].Version != states[0].Version {
		t.Errorf("got %+v, %v", taken, err)
	}
}

func TestManyFollowersHearAllThoughRedisDies(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	log := connect(t, redis.NewClient(suited(server)), "test:", 0)
	log.Timeout = time.Second
	const events, followers = 200, 50
	var listening sync.WaitGroup
	for range followers {
		follower, err := log.Follow("", nil)
		if err != nil {
			t.Fatal(err)
		}
		listening.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			for n := 0; n < events; n++ {
				got, err := follower.Next(ctx)
				if err != nil || got.Gap != nil || got.Entry.Event.ID != expirytest.Event(n).ID {
					t.Errorf("event %d: got %+v, %v", n, got, err)
					return
				}
				if n%37 == 0 { // it drops and comes back
					after := follower.Cursor()
					follower.Close()
					if follower, err = log.Follow(after, nil); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for n := 0; n < events; n += 20 {
		if n%80 == 40 {
			server.Restart()
		}
		appends(t, log, expirytest.Events(n, n+20))
	}
	listening.Wait()
}
