package ledger_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/ledger"
	"regtok/ledger/ledgertest"
	"regtok/providers"
	"regtok/redistest"
)

func TestTheLedgerInRedis(t *testing.T) {
	server := redistest.Start(t)
	world := worlds(server, func() redis.UniversalClient { return redis.NewClient(suited(server)) })
	ledgertest.Run(t, world)
	ledgertest.RunShared(t, world)
}

func TestTheLedgerInACluster(t *testing.T) {
	server, client := cluster(t)
	world := worlds(server, client)
	ledgertest.Run(t, world)
	ledgertest.RunShared(t, world)
}

// cluster is one of a single server, which refuses whatever more servers would.
func cluster(t *testing.T) (server *redistest.Server, client func() redis.UniversalClient) {
	t.Helper()
	server = redistest.Start(t, "--cluster-enabled", "yes")
	look := server.Client(t)
	if err := look.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster is ready", func() bool {
		return strings.Contains(look.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	return server, func() redis.UniversalClient {
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr()}, ContextTimeoutEnabled: true})
	}
}

func TestAClusterSpreadsWhatIsEntered(t *testing.T) {
	server, client := cluster(t)
	l := connect(t, client(), "test:")
	const many = 30
	for i := range many {
		registry := providers.OrganizationID("p", "o").RegistryID(strconv.Itoa(i))
		rotation := ledger.Rotation{Old: registry.TokenID("old"), New: registry.TokenID("new"), Began: time.Now(), Ends: time.Now().Add(time.Hour)}
		_, _, claimed := l.Claim(t.Context(), ledger.Key{Key: strconv.Itoa(i)}, aCall)
		_, _, led := l.Lead(t.Context(), strconv.Itoa(i), time.Minute)
		if err := errors.Join(claimed, led, l.FinishRotation(t.Context(), rotation)); err != nil {
			t.Fatal(err)
		}
	}
	look := server.Client(t)
	for _, place := range []string{":call:", "}:holder", "}:term", "}:begun:", "}:next:", "}:previous:"} {
		keys, err := look.Keys(t.Context(), "*"+place+"*").Result()
		if err != nil || len(keys) != many {
			t.Errorf("%d keys are in %s, %v, want %d", len(keys), place, err, many)
		}
		slots := map[int64]bool{}
		for _, key := range keys {
			slots[look.ClusterKeySlot(t.Context(), key).Val()] = true
		}
		if len(slots) < many/2 { // of 16,384; two may be the same
			t.Errorf("what is in %s lies in %d slots, want one for each of %d", place, len(slots), many)
		}
	}
}

func TestWhatIsInRedisOutlivesTheProcess(t *testing.T) {
	if memory := ledger.NewMemory(); memory.Durable() {
		t.Error("memory is durable, want it not to be")
	}
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	l := connect(t, redis.NewClient(suited(server)), "test:")
	if !l.Durable() {
		t.Error("Redis is not durable, want it to be")
	}
	defer fill(t, l)()
	server.Restart()
	l = connect(t, redis.NewClient(suited(server)), "test:")
	if present, mine, err := l.Claim(t.Context(), aKey, aCall); mine || err != nil || present.Fingerprint != aCall.Fingerprint {
		t.Errorf("the call: got %+v, %v, %v", present, mine, err)
	}
	if got, err := l.Successors(t.Context(), []providers.ID{oldToken}); err != nil || got[0] != newToken {
		t.Errorf("the rotation: got %v, %v", got, err)
	}
	if due, _, err := l.TakeDue(t.Context(), time.Now().Add(time.Hour), 10, time.Minute); err != nil || len(due) != 1 || due[0].Token != oldToken {
		t.Errorf("the deletion: got %v, %v", due, err)
	}
	if _, mine, err := l.Lead(t.Context(), "office-canary", time.Minute); mine || err != nil {
		t.Errorf("the office is this process's, or %v", err)
	}
}

func TestTermsGrowThoughRedisForgetsThem(t *testing.T) {
	server := redistest.Start(t)
	l := connect(t, redis.NewClient(suited(server)), "test:")
	lead := func() uint64 {
		t.Helper()
		term, mine, err := l.Lead(t.Context(), "office", time.Minute)
		if !mine || err != nil {
			t.Fatalf("the office is mine: %v, %v", mine, err)
		}
		return term
	}
	first := lead()
	if err := server.Client(t).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if second := lead(); second <= first {
		t.Errorf("after the term %d comes %d", first, second)
	}
}

func TestARedisThatMayForgetIsToldFromOneThatDoesNot(t *testing.T) {
	server := redistest.Start(t, "--user", "reader", "on", ">word", "~*", "+ping", "+get")
	meddler := server.Client(t)
	check := func(options *redis.Options, want string) {
		t.Helper()
		err := ledger.NewRedis(client(t, options), "test:").Check(t.Context())
		if want == "" && err != nil || want != "" && (!errors.Is(err, ledger.ErrForgetful) || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	configure := func(name, value string) {
		t.Helper()
		if err := meddler.ConfigSet(t.Context(), name, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	check(suited(server), "set appendonly to yes")
	configure("appendonly", "yes")
	check(suited(server), "")
	configure("maxmemory-policy", "volatile-lru")
	check(suited(server), "set maxmemory-policy to noeviction")
	reader := suited(server)
	reader.Username, reader.Password = "reader", "word"
	check(reader, "") // it is not told
}

// reach makes the connection before something happens to it.
func reach(t *testing.T, l *ledger.Redis) {
	t.Helper()
	if err := l.Check(t.Context()); errors.Is(err, ledger.ErrUnavailable) {
		t.Fatal(err)
	}
}

// eventually waits for what another process is about to do.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < 30*time.Second; <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// suited are the options of a client as the program makes it.
func suited(server *redistest.Server) *redis.Options {
	return suitedFor(server.Addr())
}

// worlds makes a world for each case, with a prefix of its own.
func worlds(server *redistest.Server, client func() redis.UniversalClient) ledgertest.Backend {
	var count atomic.Int32
	return func(t *testing.T, run func(*testing.T, ledgertest.World)) {
		prefix := fmt.Sprintf("test %d:", count.Add(1))
		run(t, ledgertest.World{
			Connect: func() ledger.Ledger { return connect(t, client(), prefix) },
			Pass:    func(d time.Duration) { pass(t, server.Client(t), prefix, d) },
		})
	}
}

// connect makes a ledger that is patient with a busy machine.
func connect(t *testing.T, client redis.UniversalClient, prefix string) *ledger.Redis {
	t.Cleanup(func() { _ = client.Close() })
	l := ledger.NewRedis(client, prefix)
	l.Timeout = 10 * time.Second
	return l
}

// pass takes from the life of all that has one.
func pass(t *testing.T, client *redis.Client, prefix string, d time.Duration) {
	t.Helper()
	keys, err := client.Keys(t.Context(), prefix+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		left, err := client.PTTL(t.Context(), key).Result()
		if err == nil && left > 0 {
			err = client.PExpire(t.Context(), key, left-d).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
