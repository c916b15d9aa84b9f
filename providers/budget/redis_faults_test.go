package budget_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/providers/budget"
	"regtok/redistest"
)

// until waits for something that happens by itself.
func until(t testing.TB, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < time.Minute; <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// command is what a meddler says to the server.
func command(args ...any) func(*testing.T, *redistest.Server, *redis.Client) {
	return func(t *testing.T, _ *redistest.Server, meddler *redis.Client) {
		t.Helper()
		if err := meddler.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// each does something with the key that is there.
func each(do func(ctx context.Context, meddler *redis.Client, name string) error) func(*testing.T, *redistest.Server, *redis.Client) {
	return func(t *testing.T, _ *redistest.Server, meddler *redis.Client) {
		t.Helper()
		names, err := meddler.Keys(t.Context(), "*").Result()
		if err != nil || len(names) != 1 {
			t.Fatalf("Redis holds %q, %v, want one key", names, err)
		}
		if err := do(t.Context(), meddler, names[0]); err != nil {
			t.Fatal(err)
		}
	}
}

func nothing(*testing.T, *redistest.Server, *redis.Client) {}

func TestWhateverBefallsRedisNoLimitIsPassed(t *testing.T) {
	for _, fault := range []struct {
		name       string
		fail, mend func(*testing.T, *redistest.Server, *redis.Client)
		outage     string // why, by the log
	}{
		{"it is down",
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Stop() },
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Restart() }, "connection refused"},
		{"it is silent",
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Pause() },
			func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Resume() }, "did not answer in time"},
		{"it is a replica", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"), "answered READONLY"},
		{"it is full", command("CONFIG", "SET", "maxmemory", "1"), command("CONFIG", "SET", "maxmemory", "0"), "answered OOM"},
		{"it is started again, empty", func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Restart() }, nothing, ""},
		{"it is flushed", command("FLUSHALL"), nothing, ""},
		{"it forgets its scripts", command("SCRIPT", "FLUSH"), nothing, ""},
		{"what it holds is rubbish", each(func(ctx context.Context, meddler *redis.Client, name string) error {
			return meddler.Set(ctx, name, strings.Repeat("\xff", 100), 0).Err()
		}), nothing, ""},
		{"what it holds ends early", each(func(ctx context.Context, meddler *redis.Client, name string) error {
			value, err := meddler.Get(ctx, name).Result()
			if err != nil {
				return err
			}
			return meddler.Set(ctx, name, value[:len(value)/2], 0).Err()
		}), nothing, ""},
		{"what it holds is of another type", each(func(ctx context.Context, meddler *redis.Client, name string) error {
			return meddler.Eval(ctx, `redis.call("DEL", KEYS[1]); return redis.call("RPUSH", KEYS[1], "x")`, []string{name}).Err()
		}), nothing, ""},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			meddler := server.Client(t)
			var log lines
			one, two := replica(t, server, &log), replica(t, server, &log)
			p := &provider{limit: 60}
			spend(t, p, 10, one, two)
			fault.fail(t, server, meddler)
			if fault.outage != "" {
				until(t, "both know", func() bool { return strings.Count(attempt(t, p, &log, one, two), "goes on alone") == 2 })
				if !strings.Contains(log.String(), fault.outage) {
					t.Errorf("log: %s, want %q", log.String(), fault.outage)
				}
			}
			fault.mend(t, server, meddler)
			if fault.outage != "" {
				until(t, "both are back", func() bool { return strings.Count(attempt(t, p, &log, one, two), "works again") == 2 })
			}
			exhaust(t, p, one, two)
			if got := p.count(); got > 60 || got < 40 {
				t.Errorf("%d requests were sent, want 60 or a few less", got)
			}
			if got, want := strings.Count(log.String(), "\n"), map[bool]int{true: 4}[fault.outage != ""]; got > want {
				t.Errorf("the log has %d lines, want %d: %s", got, want, log.String())
			}
			if strings.Contains(log.String(), server.Addr()) {
				t.Errorf("the log tells the address: %s", log.String())
			}
		})
	}
}

// spend sends so many requests through each.
func spend(t *testing.T, p *provider, n int, replicas ...*budget.Budget) {
	t.Helper()
	for range n {
		for _, b := range replicas {
			var ticket *budget.Ticket
			until(t, "a request goes", func() bool {
				ticket, _ = b.Take(t.Context(), write)
				return ticket != nil
			})
			ticket.Settle(p.answer())
		}
	}
}

// attempt asks each once, and returns what the log has by then. Asking takes no long time whatever Redis does.
func attempt(t *testing.T, p *provider, log *lines, replicas ...*budget.Budget) string {
	t.Helper()
	for _, b := range replicas {
		began := time.Now()
		ticket, _ := b.Take(t.Context(), write)
		if took := time.Since(began); took > 2*time.Second { // 0.1 s, on a machine that has time
			t.Errorf("asking took %v", took)
		}
		if ticket != nil {
			ticket.Settle(p.answer())
		}
	}
	return log.String()
}

func TestARedisThatIsDownAtTheStartStopsNobody(t *testing.T) {
	server := redistest.Start(t)
	server.Stop()
	var log lines
	b := replica(t, server, &log)
	p := &provider{limit: 100}
	spend(t, p, 5, b)
	server.Restart()
	until(t, "it is back", func() bool { return strings.Contains(attempt(t, p, &log, b), "works again") })
	exhaust(t, p, b)
	if got := p.count(); got > 100 || got < 95 {
		t.Errorf("%d requests were sent, want 100 or a few less", got)
	}
}

func TestTheBudgetInACluster(t *testing.T) {
	cluster := redistest.StartCluster(t)
	o := cluster.Options()
	o.ContextTimeoutEnabled = true
	client := redis.NewClusterClient(o)
	t.Cleanup(func() { _ = client.Close() })
	var replicas []*budget.Budget
	for range 2 {
		b := budget.New(budget.Config{Key: "account", Shared: budget.NewRedis(client, "test:")})
		t.Cleanup(b.Close)
		replicas = append(replicas, b)
	}
	p := &provider{limit: 60}
	exhaust(t, p, replicas...)
	if got := p.count(); got > 60 || got < 55 {
		t.Errorf("%d requests were sent, want 60 or a few less", got)
	}
}

func TestWhatAnotherRunOfTheServerHoldsIsNotReplaced(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	shared := budget.NewRedis(connect(t, server), "test:")
	value := []byte("0123456789abcdef and more")
	swap := func(known budget.Known) (present budget.Present) {
		t.Helper()
		until(t, "Redis answers in time", func() (answers bool) {
			var err error
			present, err = shared.Swap(t.Context(), "account", known, value)
			return err == nil
		})
		return present
	}
	known := budget.Known{Value: value}
	until(t, "it is kept", func() bool {
		present := swap(budget.Known{Server: known.Server, Now: known.Now})
		known.Server, known.Now = present.Server, present.Now
		return present.Swapped
	})
	names, err := meddler.Keys(t.Context(), "*").Result()
	if err != nil || len(names) != 1 {
		t.Fatalf("Redis holds %q, %v, want one key", names, err)
	}
	server.Restart() // it may have kept what was old
	if err := meddler.Set(t.Context(), names[0], value, 0).Err(); err != nil {
		t.Fatal(err)
	}
	var present budget.Present
	until(t, "the clock is right", func() bool {
		known.Now = swap(budget.Known{}).Now
		present = swap(known)
		return present.Now.Sub(known.Now) < budget.ClockSlack
	})
	if present.Swapped || present.Server == known.Server || string(present.Value) != string(value) {
		t.Errorf("present = %+v, want what the server holds, which is not the one that is known", present)
	}
	known.Server = present.Server
	until(t, "it is replaced by who knows the server", func() bool {
		known.Now = swap(budget.Known{}).Now
		return swap(known).Swapped
	})
}

func TestNoLimitIsPassedWhenAReplicaOfRedisTakesOver(t *testing.T) {
	guarded := redistest.StartGuarded(t)
	var log lines
	var replicas []*budget.Budget
	for range 2 {
		o := guarded.Options()
		o.ContextTimeoutEnabled, o.DialTimeout, o.MaxRetries = true, time.Second, 1
		client := redis.NewFailoverClient(o)
		t.Cleanup(func() { _ = client.Close() })
		b := budget.New(budget.Config{
			Key: "account", Shared: budget.NewRedis(client, "test:"), Report: reports(&log),
		})
		t.Cleanup(b.Close)
		replicas = append(replicas, b)
	}
	p := &provider{limit: 100}
	spend(t, p, 10, replicas...)
	guarded.Master.Stop()
	until(t, "both know", func() bool { return strings.Count(attempt(t, p, &log, replicas...), "goes on alone") >= 2 })
	until(t, "both are back", func() bool {
		text := attempt(t, p, &log, replicas...)
		return strings.Count(text, "works again") >= 2
	})
	exhaust(t, p, replicas...)
	if got := p.count(); got > 100 || got < 70 {
		t.Errorf("%d requests were sent, want 100 or a few less", got)
	}
}
