package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/cache"
	"regtok/redistest"
)

// fault is something that befalls Redis.
type fault struct {
	name       string
	fail, mend func(t *testing.T, server *redistest.Server, meddler *redis.Client)
	// outage tells that it is said in the log, and which words say why.
	outage bool
	why    string
}

// command is a fault's command to the server.
func command(args ...any) func(*testing.T, *redistest.Server, *redis.Client) {
	return func(t *testing.T, _ *redistest.Server, meddler *redis.Client) {
		t.Helper()
		if err := meddler.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// each does something with every key.
func each(do func(ctx context.Context, meddler *redis.Client, name string, i int) error) func(*testing.T, *redistest.Server, *redis.Client) {
	return func(t *testing.T, _ *redistest.Server, meddler *redis.Client) {
		t.Helper()
		names, err := meddler.Keys(t.Context(), "*").Result()
		if err != nil {
			t.Fatalf("Redis holds %q, %v", names, err)
		}
		for i, name := range names {
			if err := do(t.Context(), meddler, name, i); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func nothing(*testing.T, *redistest.Server, *redis.Client) {}

func faults() []fault {
	return []fault{
		{"it is down",
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Stop() },
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Restart() }, true, "connection refused"},
		{"it is silent",
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Pause() },
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Resume() }, true, "did not answer in time"},
		{"it is three seconds late", command("CLIENT", "PAUSE", "3000", "ALL"), nothing, true, "did not answer in time"},
		{"it is a replica", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"), true, "answered READONLY"},
		{"it is full", command("CONFIG", "SET", "maxmemory", "1"), command("CONFIG", "SET", "maxmemory", "0"), true, "answered OOM"},
		{"it hangs up, and takes nobody any more",
			func(t *testing.T, s *redistest.Server, meddler *redis.Client) {
				command("CONFIG", "SET", "maxclients", "1")(t, s, meddler)
				command("CLIENT", "KILL", "TYPE", "pubsub")(t, s, meddler)
				command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")(t, s, meddler)
			}, command("CONFIG", "SET", "maxclients", "10000"), true, "Redis"},
		{"it hangs up",
			func(t *testing.T, s *redistest.Server, meddler *redis.Client) {
				command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")(t, s, meddler)
			}, nothing, false, ""},
		{"it is flushed", command("FLUSHALL"), nothing, false, ""},
		{"what it holds is rubbish", each(func(ctx context.Context, meddler *redis.Client, name string, i int) error {
			return meddler.Set(ctx, name, strings.Repeat("\xff", i*100), 0).Err()
		}), nothing, false, ""},
		{"what it holds is of another type", each(func(ctx context.Context, meddler *redis.Client, name string, _ int) error {
			return meddler.Eval(ctx, `redis.call("DEL", KEYS[1]); return redis.call("RPUSH", KEYS[1], "x")`, []string{name}).Err()
		}), nothing, false, ""},
		{"what it holds ends early", each(func(ctx context.Context, meddler *redis.Client, name string, _ int) error {
			if strings.HasSuffix(name, "listeners") { // which is no string
				return nil
			}
			return meddler.SetRange(ctx, name, 8, "\x00").Err()
		}), nothing, false, ""},
	}
}

func TestARedisThatFailsIsAMiss(t *testing.T) {
	for _, fault := range faults() {
		t.Run(fault.name, func(t *testing.T) {
			server := redistest.Start(t)
			meddler := server.Client(t)
			var upstream atomic.Int64
			upstream.Store(1)
			timeout := patience
			if fault.outage {
				timeout = brief
			}
			one, two := newReplica(t, server, timeout, &upstream), newReplica(t, server, timeout, &upstream)
			eventually(t, "both listen", func() bool { return one.listens() && two.listens() })
			for _, key := range []string{"a", "b", "c", "d"} {
				one.answers(t, key, 1)
			}
			eventually(t, "all is shared", func() bool { return meddler.DBSize(t.Context()).Val() == 6 })
			fault.fail(t, server, meddler)
			for version := int64(2); version < 8; version++ {
				upstream.Store(version)
				one.Bump(t.Context(), scope("all"))
				for _, key := range []string{"a", "b", fmt.Sprint(version)} {
					one.answers(t, key, version)
				}
				if got := two.view.Get(t.Context(), fmt.Sprint("new ", version)); got.Err != nil || got.Value != version {
					t.Errorf("the other got %+v, want version %d", got, version)
				}
			}
			if fault.outage && !one.Stats().StoreFails {
				t.Errorf("nothing fails, by its figures: %+v", one.Stats())
			}
			fault.mend(t, server, meddler)
			upstream.Store(100)
			one.Bump(t.Context(), scope("all"))
			healed(t, server, &upstream, one, two)
			one.said(t, fault, server.Addr())
		})
	}
}

func TestRubbishInRedisIsAMiss(t *testing.T) {
	for name, spoil := range map[string]func(ctx context.Context, meddler *redis.Client, name string) error{
		"it is no envelope": func(ctx context.Context, meddler *redis.Client, name string) error {
			return meddler.Set(ctx, name, "rubbish", 0).Err()
		},
		"a bit is wrong": func(ctx context.Context, meddler *redis.Client, name string) error {
			return meddler.Do(ctx, "BITFIELD", name, "INCRBY", "u1", 400, 1).Err()
		},
		"something follows": func(ctx context.Context, meddler *redis.Client, name string) error {
			return meddler.Append(ctx, name, "x").Err()
		},
		"it is empty": func(ctx context.Context, meddler *redis.Client, name string) error {
			return meddler.Set(ctx, name, "", 0).Err()
		},
		"it is a list": func(ctx context.Context, meddler *redis.Client, name string) error {
			return errors.Join(meddler.Del(ctx, name).Err(), meddler.LPush(ctx, name, "x").Err())
		},
		"it is another key's": func(ctx context.Context, meddler *redis.Client, name string) error {
			others, err := meddler.Keys(ctx, values).Result()
			if err != nil || len(others) != 2 {
				return fmt.Errorf("Redis holds %q, %w", others, err)
			}
			other := others[0]
			if other == name {
				other = others[1]
			}
			return meddler.Copy(ctx, other, name, 0, true).Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			meddler := server.Client(t)
			var upstream atomic.Int64
			upstream.Store(1)
			one := newReplica(t, server, patience, &upstream)
			eventually(t, "it listens", one.listens)
			one.answers(t, "a", 1)
			var names []string
			eventually(t, "the value is there", func() bool {
				names, _ = meddler.Keys(t.Context(), values).Result()
				return len(names) == 1
			})
			upstream.Store(2)
			one.answers(t, "another", 2)
			one.Close() // so that all is there
			if err := spoil(t.Context(), meddler, names[0]); err != nil {
				t.Fatal(err)
			}
			two := newReplica(t, server, patience, &upstream)
			eventually(t, "it listens too", two.listens)
			two.answers(t, "a", 2)
			two.Close()
			upstream.Store(3)
			three := newReplica(t, server, patience, &upstream)
			three.answers(t, "a", 2)
			said(t, &two.log, 0, 0)
		})
	}
}

// healed waits until the replicas share again what the last version is.
func healed(t *testing.T, server *redistest.Server, upstream *atomic.Int64, one, two *replica) {
	t.Helper()
	n := 0
	eventually(t, "all is shared again", func() bool {
		n++
		two.view.Get(cache.NoCache(t.Context()), "to be written")
		key := fmt.Sprint("shared ", n)
		one.answers(t, key, upstream.Load())
		one.answers(t, "a", upstream.Load())
		before := two.Stats().Views["versions"].Far
		got := two.view.Get(t.Context(), key)
		stats := two.Stats()
		return !one.Stats().StoreFails && !stats.StoreFails && got.Value == upstream.Load() && stats.Views["versions"].Far > before
	})
	// What no process has near by now shows what Redis holds.
	three := newReplica(t, server, patience, upstream)
	for _, key := range []string{"a", "b", "c", "d"} {
		three.answers(t, key, upstream.Load())
	}
	eventually(t, "the other hears of everything", func() bool { return two.view.Get(t.Context(), "a").Value == upstream.Load() })
}

// said checks that an outage was told once, and anything else not at all; and nothing of what is nobody's business.
func (r *replica) said(t *testing.T, fault fault, addr string) {
	t.Helper()
	if !fault.outage {
		said(t, &r.log, 0, 0)
		return
	}
	text := r.log.String()
	fails, works := strings.Count(text, saidThatItFails), strings.Count(text, saidThatItWorks)
	if fails != works || fails < 1 || fails > 3 { // 1, on a machine that has time
		t.Errorf("it is said %d times that it fails and %d times that it works: %s", fails, works, text)
	}
	if !strings.Contains(text, fault.why) || strings.Contains(text, addr) || strings.Contains(text, "test:") {
		t.Errorf("the log does not say that %s, or says too much: %s", fault.why, text)
	}
}

func TestACacheStartsWhileRedisIsDown(t *testing.T) {
	server := redistest.Start(t)
	server.Stop()
	var upstream atomic.Int64
	one, two := newReplica(t, server, brief, &upstream), newReplica(t, server, brief, &upstream)
	for version := int64(1); version < 5; version++ {
		upstream.Store(version)
		one.Bump(t.Context(), scope("all"))
		one.answers(t, "a", version)
	}
	server.Restart()
	healed(t, server, &upstream, one, two)
	one.said(t, fault{outage: true, why: "connection refused"}, server.Addr())
}

func TestABumpSurvivesAMasterThatDidNotPassItOn(t *testing.T) {
	guarded := redistest.StartGuarded(t)
	var upstream atomic.Int64
	upstream.Store(1)
	one := newReplicaOf(t, connectGuarded(t, guarded), brief, &upstream)
	eventually(t, "it listens", one.listens)
	meddler := guarded.Replica.Client(t)
	one.answers(t, "a", 1)
	eventually(t, "the other server has the value", func() bool {
		names, _ := meddler.Keys(t.Context(), values).Result()
		return len(names) == 1
	})
	guarded.Replica.Pause()
	command("CLIENT", "KILL", "TYPE", "replica")(t, guarded.Master, guarded.Master.Client(t))
	upstream.Store(2)
	one.Bump(t.Context(), scope("all"))
	guarded.Master.Stop()
	guarded.Replica.Resume()
	eventually(t, "the other server is master, and told again", func() bool {
		one.answers(t, "a", 2)
		stats := one.Stats()
		return !stats.StoreFails && stats.StoreErrors > 0 && meddler.Set(t.Context(), "other", "v", 0).Err() == nil
	})
	two := newReplicaOf(t, connectGuarded(t, guarded), patience, &upstream)
	two.answers(t, "a", 2)
	if one.Stats().OwedBumps != 0 {
		t.Errorf("got %+v, want nothing owed", one.Stats())
	}
}

func TestACombinedQuestionToAClusterLosesOnlyWhatIsAway(t *testing.T) {
	cluster := redistest.StartCluster(t)
	store := cache.NewRedis(connectCluster(t, cluster), "test:")
	keys := numbered(60)
	questions, items := make([]cache.Question, len(keys)), make([]cache.Item, len(keys))
	for i, key := range keys {
		questions[i].Key = cache.Key{Scope: scope(key), Item: key}
	}
	found, err := store.GetMany(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range found {
		items[i] = cache.Item{Key: questions[i].Key, Value: []byte(keys[i]), Generation: one.Generation, For: time.Hour}
	}
	if err := store.SetMany(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	cluster.Servers[0].Stop()
	for _, bare := range []bool{false, true} {
		for i := range questions {
			questions[i].Bare = bare
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		found, err = store.GetMany(ctx, questions)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		there := 0
		for i, one := range found {
			switch {
			case one.Away && (one.Generation != 0 || len(one.Value) > 0):
				t.Errorf("%s is away, and is %+v", keys[i], one)
			case !one.Away && (one.Generation != items[i].Generation || !bare && string(one.Value) != keys[i]):
				t.Errorf("%s is %+v, want it as it was", keys[i], one)
			case !one.Away:
				there++
			}
		}
		if there < 20 || there == len(keys) {
			t.Errorf("%d of %d are there, want about two thirds", there, len(keys))
		}
	}
}
