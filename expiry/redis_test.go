package expiry_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/eventlog/logtest"
	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/redistest"
)

func TestTheLogInRedis(t *testing.T) {
	server := redistest.Start(t)
	logtest.Run(t, expirytest.Kind(), worlds(func() redis.UniversalClient { return redis.NewClient(suited(server)) }))
}

func TestTheLogInACluster(t *testing.T) {
	logtest.Run(t, expirytest.Kind(), worlds(clusterClient(t)))
}

// clusterClient starts a cluster and makes clients of it.
func clusterClient(t *testing.T) func() redis.UniversalClient {
	cluster := redistest.StartCluster(t)
	return func() redis.UniversalClient {
		options := cluster.Options()
		options.ContextTimeoutEnabled = true
		return redis.NewClusterClient(options)
	}
}

// suited are the options of a client as the program makes it.
func suited(server *redistest.Server) *redis.Options {
	options := server.Options()
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1
	options.MaxRetries = 1
	return options
}

// worlds makes a world for each case, with a prefix of its own.
func worlds(client func() redis.UniversalClient) func(*testing.T, func(*testing.T, logtest.World[expiry.Event])) {
	var count atomic.Int32
	return func(t *testing.T, run func(*testing.T, logtest.World[expiry.Event])) {
		prefix := fmt.Sprintf("test %d:", count.Add(1))
		meddler := client()
		t.Cleanup(func() { _ = meddler.Close() })
		run(t, logtest.World[expiry.Event]{
			Connect: func() expiry.Log { return connect(t, client(), prefix, 0) },
			Forget: func() {
				forgetful := connect(t, client(), prefix, time.Nanosecond)
				pass(t, meddler)
				for n := range 5 { // what comes in the last millisecond stays
					if _, err := forgetful.Append(t.Context(), expirytest.Events(10_000+n, 10_001+n)); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := connect(t, client(), prefix, 0).Append(t.Context(), expirytest.Events(20_000, 20_003)); err != nil {
					t.Fatal(err)
				}
			},
			Lose: func() {
				if err := meddler.Del(t.Context(), prefix+"1:{events}:log", prefix+"1:{events}:ids", prefix+"1:{events}:life").Err(); err != nil {
					t.Fatal(err)
				}
			},
			Wait: func(d time.Duration) { <-time.After(d) },
		})
	}
}

// pass waits until the clock of Redis shows another millisecond.
func pass(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	begin, err := client.Time(t.Context()).Result()
	for now := begin; err == nil && now.Sub(begin) < 2*time.Millisecond; {
		now, err = client.Time(t.Context()).Result()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// connect makes a log that is patient with a busy machine, and closes it with its client when the test ends.
func connect(t testing.TB, client redis.UniversalClient, prefix string, retention time.Duration) *eventlog.Redis[expiry.Event] {
	log := expiry.NewRedis(client, prefix, retention)
	log.Timeout = 10 * time.Second
	t.Cleanup(func() {
		log.Close()
		_ = client.Close()
	})
	return log
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
