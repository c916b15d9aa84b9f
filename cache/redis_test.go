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
	"github.com/redis/go-redis/v9/maintnotifications"

	"regtok/cache"
	"regtok/cache/cachetest"
	"regtok/redistest"
)

// suited are a client's options as the program sets them.
func suited(addrs ...string) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:                    addrs,
		ContextTimeoutEnabled:    true,
		DialTimeout:              time.Second,
		DialerRetries:            1,
		MaxRetries:               1,
		MinRetryBackoff:          5 * time.Millisecond,
		MaxRetryBackoff:          20 * time.Millisecond,
		PipelinePoolSize:         -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// closing closes a client with the test.
func closing[C redis.UniversalClient](t testing.TB, client C) C {
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// connect makes a client of its own, as another process has it.
func connect(t testing.TB, server *redistest.Server) *redis.Client {
	return closing(t, redis.NewClient(suited(server.Addr()).Simple()))
}

func TestRedis(t *testing.T) {
	server := redistest.Start(t)
	cachetest.Run(t, func(t *testing.T) func() cache.Store {
		prefix := t.Name() + ":"
		return func() cache.Store { return cache.NewRedis(connect(t, server), prefix) }
	})
}

func TestRedisCluster(t *testing.T) {
	cluster := redistest.StartCluster(t)
	cachetest.Run(t, func(t *testing.T) func() cache.Store {
		prefix := t.Name() + ":"
		return func() cache.Store { return cache.NewRedis(connectCluster(t, cluster), prefix) }
	})
}

func connectCluster(t testing.TB, cluster *redistest.Cluster) *redis.ClusterClient {
	return closing(t, redis.NewClusterClient(suited(cluster.Options().Addrs...).Cluster()))
}

func TestRedisSentinel(t *testing.T) {
	guarded := redistest.StartGuarded(t)
	cachetest.Run(t, func(t *testing.T) func() cache.Store {
		prefix := t.Name() + ":"
		return func() cache.Store { return cache.NewRedis(connectGuarded(t, guarded), prefix) }
	})
}

func connectGuarded(t testing.TB, guarded *redistest.Guarded) *redis.Client {
	theirs := guarded.Options()
	options := suited(theirs.SentinelAddrs...)
	options.MasterName = theirs.MasterName
	return closing(t, redis.NewFailoverClient(options.Failover()))
}

// trips counts what a client sends: commands and pipelines, each of which is answered as a whole.
type trips struct{ atomic.Int64 }

// DialHook implements redis.Hook.
func (t *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (t *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		t.Add(1)
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (t *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		t.Add(1)
		return next(ctx, cmds)
	}
}

func questions(keys []cache.Key) []cache.Question {
	asked := make([]cache.Question, len(keys))
	for i, key := range keys {
		asked[i].Key = key
	}
	return asked
}

// things are keys of some scopes, turn by turn.
func things(scopes, n int) []cache.Key {
	keys := make([]cache.Key, n)
	for i := range keys {
		keys[i] = cache.Key{Scope: scope(fmt.Sprint(i % scopes)), Item: cache.Join(fmt.Sprint(i))}
	}
	return keys
}

func TestABatchIsOneRoundTripToRedis(t *testing.T) {
	client := connect(t, redistest.Start(t))
	if err := client.Ping(t.Context()).Err(); err != nil { // a new connection introduces itself
		t.Fatal(err)
	}
	var sent trips
	client.AddHook(&sent)
	store := cache.NewRedis(client, "test:")
	keys := things(7, 100)
	ask := func(name string, want int64) []cache.Found {
		t.Helper()
		before := sent.Load()
		found, err := store.GetMany(t.Context(), questions(keys))
		if err != nil {
			t.Fatal(err)
		}
		if got := sent.Load() - before; got != want {
			t.Errorf("%s: %d round trips, want %d", name, got, want)
		}
		return found
	}
	found := ask("no scope has a generation", 2)
	items := make([]cache.Item, len(keys))
	for i, key := range keys {
		items[i] = cache.Item{Key: key, Value: []byte(key.Item), Generation: found[i].Generation, For: time.Hour}
	}
	before := sent.Load()
	if err := store.SetMany(t.Context(), items); err != nil || sent.Load() != before+1 {
		t.Errorf("%v after %d round trips, want 1", err, sent.Load()-before)
	}
	for i, f := range ask("all is there", 1) {
		if string(f.Value) != keys[i].Item || f.Generation != found[i].Generation {
			t.Errorf("key %d: got %q of %d, want %q of %d", i, f.Value, f.Generation, keys[i].Item, found[i].Generation)
		}
	}
	if _, err := store.Bump(t.Context(), keys[0].Scope); err != nil {
		t.Fatal(err)
	}
	for i, f := range ask("one scope was bumped", 2) {
		if same := f.Generation == found[i].Generation; same != (i%7 != 0) {
			t.Errorf("key %d: generation %d, before the bump %d", i, f.Generation, found[i].Generation)
		}
	}
}

func TestWhatIsNoGenerationIsReplaced(t *testing.T) {
	server := redistest.Start(t)
	client, meddler := connect(t, server), server.Client(t)
	store := cache.NewRedis(client, "test:")
	key := things(1, 1)
	for name, spoil := range map[string]func(ctx context.Context, name string) error{
		"it is no number": func(ctx context.Context, name string) error { return meddler.Set(ctx, name, "rubbish", 0).Err() },
		"it is zero":      func(ctx context.Context, name string) error { return meddler.Set(ctx, name, "0", 0).Err() },
		"it is empty":     func(ctx context.Context, name string) error { return meddler.Set(ctx, name, "", 0).Err() },
		"it is of another type": func(ctx context.Context, name string) error {
			return errors.Join(meddler.Del(ctx, name).Err(), meddler.LPush(ctx, name, "1").Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := mustFind(t, store, key)[0].Generation
			names, err := meddler.Keys(t.Context(), "test:*}").Result()
			if err != nil || len(names) != 1 {
				t.Fatalf("the generations are %q, %v, want one", names, err)
			}
			if err := spoil(t.Context(), names[0]); err != nil {
				t.Fatal(err)
			}
			first, second := mustFind(t, store, key)[0].Generation, mustFind(t, store, key)[0].Generation
			if first == 0 || first == before || first != second {
				t.Errorf("generation %d, then %d and %d; want another that stays", before, first, second)
			}
		})
	}
}

func mustFind(t *testing.T, store cache.Store, keys []cache.Key) []cache.Found {
	t.Helper()
	found, err := store.GetMany(t.Context(), questions(keys))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEverythingInRedisEndsByItself(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	store := cache.NewRedis(connect(t, server), "test:")
	keys := things(2, 4)
	for i, f := range mustFind(t, store, keys) {
		item := cache.Item{Key: keys[i], Value: []byte("v"), Generation: f.Generation, For: time.Nanosecond + time.Duration(i)*time.Hour}
		if err := store.SetMany(t.Context(), []cache.Item{item}); err != nil {
			t.Fatal(err)
		}
	}
	names, err := meddler.Keys(t.Context(), "*").Result()
	if err != nil || len(names) < 5 {
		t.Fatalf("it holds %q, %v", names, err)
	}
	for _, name := range names {
		life, err := meddler.PTTL(t.Context(), name).Result()
		if err != nil || life == -1 || life > 24*time.Hour {
			t.Errorf("%s lives for %v, %v", name, life, err)
		}
		if !strings.HasPrefix(name, "test:cache2:{") || strings.Contains(name, "tenant") {
			t.Errorf("a key is %q", name)
		}
	}
}
