package cache_test

import (
	"context"
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
