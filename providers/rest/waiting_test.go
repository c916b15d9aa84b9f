package rest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regtok/providers"
	"regtok/providers/budget"
)

// spent is an API of an account whose allowance is used up for a minute, and its transport.
func spent(t *testing.T, config TransportConfig) (*API, *metered) {
	t.Helper()
	p := &metered{limit: 20}
	config.Base, config.Limits = p, meter
	api := newAPI(t, NewTransport(config))
	for range 20 {
		ctx := providers.WithPriority(t.Context(), providers.Writing)
		if err := within(ctx, t, api, time.Second, Get("get thing", "1")); err != nil {
			t.Fatal(err)
		}
	}
	return api, p
}

func TestWhoGetsNothingOutOfWaitingIsToldAtOnce(t *testing.T) {
	for name, ctx := range map[string]func(context.Context) context.Context{
		"a sweep":                func(ctx context.Context) context.Context { return providers.WithPriority(ctx, providers.Sweeping) },
		"a caller with old data": providers.WithCover,
		"a covered caller's writes": func(ctx context.Context) context.Context {
			return providers.WithPriority(providers.WithCover(ctx), providers.Writing)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, p := spent(t, TransportConfig{})
				start := time.Now()
				e := wantError(t, within(ctx(t.Context()), t, api, time.Hour, Get("get thing", "1")), providers.RateLimited, "")
				if took := time.Since(start); took > 0 || e.RetryAfter < 50*time.Second || p.requests != 20 {
					t.Errorf("told after %v to wait %v, and %d requests left, want at once, a minute, and 20", took, e.RetryAfter, p.requests)
				}
			})
		})
	}
}

func TestASweepWhoseTermIsOverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &metered{limit: 50}
		api := newAPI(t, NewTransport(TransportConfig{Base: p, Limits: meter}))
		sweep := providers.WithPriority(t.Context(), providers.Sweeping)
		if err := within(providers.WithTerm(sweep, 8), t, api, time.Second, Get("get thing", "1")); err != nil {
			t.Fatal(err)
		}
		wantError(t, within(providers.WithTerm(sweep, 7), t, api, time.Second, Get("get thing", "1")), providers.Canceled, "")
		if p.requests != 1 {
			t.Errorf("%d requests, want 1", p.requests)
		}
	})
}

func TestAPauseHasOneLineInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		api, _ := spent(t, TransportConfig{Log: slog.New(slog.NewTextHandler(&logged, nil))})
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() { _ = within(t.Context(), t, api, 2*time.Minute, Get("get thing", "1")) })
		}
		callers.Wait()
		if got := strings.Count(logged.String(), "waiting for the provider's allowance"); got != 1 {
			t.Errorf("%d lines, want 1: %s", got, logged.String())
		}
	})
}

// TestASweepThatWaitsIsNoPause: it waits within the pace that it keeps, and nobody waits for it.
func TestASweepThatWaitsIsNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		api, p := spent(t, TransportConfig{Log: slog.New(slog.NewTextHandler(&logged, nil))})
		time.Sleep(58 * time.Second)
		begin := time.Now()
		if err := within(providers.WithPriority(t.Context(), providers.Sweeping), t, api, time.Minute, Get("get thing", "1")); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took < worthTelling || p.requests != 21 || logged.Len() > 0 {
			t.Errorf("it took %v and %d requests were sent, want a wait and 21; the log says %q, want nothing", took, p.requests, logged.String())
		}
	})
}

// The first request finds out what is left, and the others wait for its answer, and no longer.
func TestWaitingForTheFirstAnswerIsNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		p := &metered{limit: 50, latency: 333 * time.Millisecond}
		api := newAPI(t, NewTransport(TransportConfig{Base: p, Limits: meter, Log: slog.New(slog.NewTextHandler(&logged, nil))}))
		start := time.Now()
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				if err := within(providers.WithCover(t.Context()), t, api, time.Minute, Get("get thing", "1")); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if took := time.Since(start); took != 2*p.latency || logged.Len() > 0 {
			t.Errorf("ten took %v, want twice the time of one, and the log says %q", took, logged.String())
		}
	})
}

func TestRequestsAreCountedForWhomTheyName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		of := func(r *http.Request) string { return r.URL.Query().Get("of") }
		config := TransportConfig{LimitedBy: of, Limits: func(r *http.Request, _ int, _ http.Header, _ []byte) []providers.Limit {
			remaining := map[string]int{"acme": 0, "globex": 40}[of(r)]
			return []providers.Limit{{Scope: "organization", Of: of(r), Limit: 50, Remaining: remaining, Reset: time.Minute}}
		}}
		api, _ := play(fine).over(t, config)
		call := func(name string) error {
			call := Get("get thing", "1")
			call.Query = map[string][]string{"of": {name}}
			return within(t.Context(), t, api, time.Second, call)
		}
		if err := call("acme"); err != nil {
			t.Fatal(err)
		}
		wantError(t, call("acme"), providers.RateLimited, "")
		for range 5 {
			if err := call("globex"); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestEveryRequestIsAccountedFor lets requests go wrong in every way. Soon after all have ended, none counts any more.
func TestEveryRequestIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ways := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 40).Draw(rt, "ways")
		synctest.Test(t, func(t *testing.T) {
			const limit = 1000
			shared := budget.New(budget.Config{Start: []providers.Limit{{Scope: "contract", Limit: limit, Reset: time.Minute}}})
			defer shared.Close()
			n := 0
			transport := NewTransport(TransportConfig{Budget: shared, BreakerFailures: 3, Tries: 2, Base: upstream(func(r *http.Request) (*http.Response, error) {
				time.Sleep(time.Millisecond)
				switch ways[n%len(ways)] {
				case 0:
					return nil, errReset
				case 1:
					return respond(503, ""), nil
				case 2:
					return respond(429, "", "Retry-After", "1"), nil
				case 3:
					<-r.Context().Done()
					return nil, r.Context().Err()
				case 4:
					panic("the round tripper")
				case 5:
					return respond(200, "<html>"), nil
				}
				return respond(200, "{}"), nil
			})})
			api := newAPI(t, transport)
			for n = range ways {
				func() {
					defer func() { _ = recover() }()
					_ = within(t.Context(), t, api, 3*time.Second, Get("get thing", "1"))
				}()
			}
			time.Sleep(2 * time.Minute)
			if b := transport.Health().Budgets[0]; b.Remaining < b.Limit {
				t.Errorf("%d of %d remain, want all: %v", b.Remaining, b.Limit, ways)
			}
		})
	})
}
