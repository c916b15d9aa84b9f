package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/ledger"
	"regtok/providers"
	"regtok/redistest"
)

var (
	oldToken = providers.OrganizationID("p", "o").RegistryID("r").TokenID("old")
	newToken = providers.OrganizationID("p", "o").RegistryID("r").TokenID("new")
	aKey     = ledger.Key{Caller: "caller-canary", Key: "key-canary"}
	aCall    = ledger.Call{Fingerprint: "fingerprint-canary", State: ledger.Running, Began: time.Unix(1e9, 0).UTC()}
)

// call is one of a ledger's methods.
type call struct {
	name   string
	writes bool
	do     func(context.Context, ledger.Ledger) error
}

func allCalls() []call {
	rotation := ledger.Rotation{Old: oldToken, New: newToken, Began: time.Now(), Ends: time.Now().Add(time.Hour)}
	return []call{
		{"Claim", true, func(ctx context.Context, l ledger.Ledger) error { _, _, err := l.Claim(ctx, aKey, aCall); return err }},
		{"Settle", true, func(ctx context.Context, l ledger.Ledger) error { return l.Settle(ctx, aKey, now(aCall)) }},
		{"Release", false, func(ctx context.Context, l ledger.Ledger) error { return l.Release(ctx, aKey) }},
		{"Lock", true, func(ctx context.Context, l ledger.Ledger) error {
			unlock, err := l.Lock(ctx, oldToken)
			if err == nil {
				unlock()
			}
			return err
		}},
		{"BeginRotation", true, func(ctx context.Context, l ledger.Ledger) error {
			_, _, err := l.BeginRotation(ctx, ledger.Rotation{Old: oldToken, Began: time.Now()})
			return err
		}},
		{"FinishRotation", true, func(ctx context.Context, l ledger.Ledger) error { return l.FinishRotation(ctx, rotation) }},
		{"AbandonRotation", false, func(ctx context.Context, l ledger.Ledger) error { return l.AbandonRotation(ctx, oldToken) }},
		{"Successors", false, func(ctx context.Context, l ledger.Ledger) error {
			_, err := l.Successors(ctx, []providers.ID{newToken, oldToken})
			return err
		}},
		{"Predecessors", false, func(ctx context.Context, l ledger.Ledger) error {
			_, err := l.Predecessors(ctx, []providers.ID{oldToken, newToken})
			return err
		}},
		{"Schedule", true, func(ctx context.Context, l ledger.Ledger) error {
			return l.Schedule(ctx, ledger.Deletion{Token: oldToken, At: time.Now().Add(-time.Second)})
		}},
		{"Unschedule", true, func(ctx context.Context, l ledger.Ledger) error { return l.Unschedule(ctx, oldToken) }},
		{"TakeDue", true, func(ctx context.Context, l ledger.Ledger) error {
			_, _, err := l.TakeDue(ctx, time.Now(), 10, time.Minute)
			return err
		}},
		{"Lead", true, func(ctx context.Context, l ledger.Ledger) error {
			_, _, err := l.Lead(ctx, "office-canary", time.Minute)
			return err
		}},
		{"Resign", false, func(ctx context.Context, l ledger.Ledger) error { return l.Resign(ctx, "office-canary", 1) }},
	}
}

// now is a call that has just begun.
func now(c ledger.Call) ledger.Call {
	c.Began = time.Now()
	return c
}

// refused checks an error, and that it says why and nothing that it should not.
func refused(t *testing.T, name string, err error, why string) {
	t.Helper()
	if !errors.Is(err, ledger.ErrUnavailable) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: %v, want %v: %s", name, err, ledger.ErrUnavailable, why)
		return
	}
	for _, hidden := range []string{"127.0.0.1", "canary", "regtok", "test:", "user_script", "/"} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("%s says %q, and with that %q", name, err, hidden)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("%s says %v, as if the caller had left", name, err)
	}
}

// client is closed with the test.
func client(t *testing.T, options *redis.Options) *redis.Client {
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestARedisThatFailsIsUnavailable(t *testing.T) {
	server := redistest.Start(t)
	meddler := server.Client(t)
	command := func(args ...any) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if err := meddler.Do(t.Context(), args...).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	faults := []struct {
		name       string
		fail, mend func(*testing.T)
		why        string
		writesOnly bool
	}{
		{"it is a replica", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"), "READONLY", true},
		{"it is full", command("CONFIG", "SET", "maxmemory", "1"), command("CONFIG", "SET", "maxmemory", "0"), "OOM", true},
		{"it is silent", func(*testing.T) { server.Pause() }, func(*testing.T) { server.Resume() }, "did not answer in time", false},
		{"it is down", func(*testing.T) { server.Stop() }, func(*testing.T) { server.Restart() }, "connection refused", false},
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			l := ledger.NewRedis(client(t, suited(server)), "test:"+fault.name)
			reach(t, l)
			fault.fail(t)
			for _, c := range allCalls() {
				begin := time.Now()
				err := c.do(t.Context(), l)
				if took := time.Since(begin); took > 2*time.Second { // 0.3 s, on a machine that has time
					t.Errorf("%s took %s", c.name, took)
				}
				makesRoom := fault.why == "OOM" && (c.name == "Unschedule" || c.name == "TakeDue")
				switch {
				case !fault.writesOnly || c.writes && !makesRoom:
					refused(t, c.name, err, fault.why)
				case err != nil:
					t.Errorf("%s: %v, want an answer", c.name, err)
				}
			}
			fault.mend(t)
			eventually(t, "it works again", func() bool { return !errors.Is(l.Check(t.Context()), ledger.ErrUnavailable) })
			for _, c := range allCalls() {
				if err := c.do(t.Context(), connect(t, redis.NewClient(suited(server)), "test:"+fault.name)); err != nil {
					t.Errorf("afterwards, %s: %v", c.name, err)
				}
			}
		})
	}
}
