package cache_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/cache"
	"regtok/redistest"
)

// guarded is a store that tells the runs of its server apart.
func guarded(t *testing.T, server *redistest.Server) *cache.Redis {
	runs := &cache.Runs{}
	options := suited(server.Addr()).Simple()
	options.OnConnect = runs.Meet
	return cache.NewRedis(closing(t, redis.NewClient(options)), "test:").Heed(runs)
}

func TestWhatAnOlderCopyBringsBackDoesNotCount(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	stores := []*cache.Redis{guarded(t, server), guarded(t, server)}
	keys := things(2, 4)
	before := mustFind(t, stores[0], keys)
	if again := mustFind(t, stores[1], keys); again[0].Generation != before[0].Generation {
		t.Errorf("two stores have generations %d and %d in one run, want one", before[0].Generation, again[0].Generation)
	}
	server.Restart()
	if names := server.Client(t).Keys(t.Context(), "test:*}").Val(); len(names) != 2 {
		t.Fatalf("the copy has %q", names)
	}
	var after []cache.Found
	eventually(t, "it answers again", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		after, err = stores[0].GetMany(ctx, questions(keys))
		return err == nil
	})
	for i, f := range mustFind(t, stores[1], keys) {
		if f.Generation == before[i].Generation || f.Generation != after[i].Generation {
			t.Errorf("key %d: generation %d, then %d and %d; want another that both have", i, before[i].Generation, after[i].Generation, f.Generation)
		}
	}
}

func TestAServerThatDoesNotTellItsRunIsUsed(t *testing.T) {
	server := redistest.Start(t)
	command("ACL", "SETUSER", "default", "-info")(t, server, server.Client(t))
	keys := things(1, 1)
	store := guarded(t, server)
	if got, want := mustFind(t, store, keys)[0].Generation, mustFind(t, store, keys)[0].Generation; got != want || got == 0 {
		t.Errorf("generations %d and %d, want one", got, want)
	}
}

func TestAServerThatTellsItsRunNoMoreMayBeAnyRun(t *testing.T) {
	server := redistest.Start(t)
	var runs cache.Runs
	options := suited(server.Addr()).Simple()
	options.OnConnect = runs.Meet
	for _, told := range []bool{true, false} {
		if !told {
			command("ACL", "SETUSER", "default", "-info")(t, server, server.Client(t))
		}
		if err := closing(t, redis.NewClient(options)).Ping(t.Context()).Err(); err != nil || (runs.Known() != "") != told {
			t.Errorf("the run %q is known, %v; want one to be: %v", runs.Known(), err, told)
		}
	}
}

// Its client calls OnConnect for connections to sentinels, too, whenever it makes one.
func TestASentinelThatDoesNotTellWhatItIsChangesNothing(t *testing.T) {
	world := redistest.StartGuarded(t)
	sentinel := world.Sentinel.Client(t)
	if err := sentinel.Do(t.Context(), "ACL", "SETUSER", "follower", "on", ">word", "&*", "+ping", "+subscribe",
		"+sentinel|get-master-addr-by-name", "+sentinel|sentinels").Err(); err != nil {
		t.Fatal(err)
	}
	var runs cache.Runs
	var met atomic.Int32
	options := world.Options()
	options.SentinelUsername, options.SentinelPassword = "follower", "word"
	options.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
		defer met.Add(1)
		return runs.Meet(ctx, conn)
	}
	client := closing(t, redis.NewFailoverClient(options))
	eventually(t, "the master's run is known", func() bool {
		return client.Ping(t.Context()).Err() == nil && runs.Known() != ""
	})
	want, before := runs.Known(), met.Load()
	eventually(t, "it listens to the sentinel again", func() bool {
		sentinel.ClientKillByFilter(t.Context(), "TYPE", "pubsub")
		return met.Load() > before
	})
	if got := runs.Known(); got != want {
		t.Errorf("the run is %q after the sentinel refused to tell, want the master's, %q", got, want)
	}
}
