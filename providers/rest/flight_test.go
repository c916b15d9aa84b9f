package rest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

func TestAFlightIsSharedByAllWhoAskMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var flight Flight[int]
		runs := 0
		var callers sync.WaitGroup
		for range 32 {
			callers.Go(func() {
				got, err := flight.Do(t.Context(), "op", "key", func(context.Context) (int, error) {
					runs++
					time.Sleep(time.Second)
					return runs, nil
				})
				if got != 1 || err != nil {
					t.Errorf("Do = %d, %v, want 1", got, err)
				}
			})
		}
		callers.Wait()
		if runs != 1 {
			t.Errorf("%d runs, want 1", runs)
		}
	})
}

func TestACallerWhoLeavesAFlightDoesNotEndIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var flight Flight[string]
		run := func(ctx context.Context) (string, error) {
			select {
			case <-time.After(2 * time.Second):
				return "done", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		first, leave := context.WithCancel(t.Context())
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var callers sync.WaitGroup
		callers.Go(func() {
			if _, err := flight.Do(first, "op", "key", run); providers.KindOf(err) != providers.Canceled {
				t.Errorf("the first caller left with %v, want %s", err, providers.Canceled)
			}
		})
		synctest.Wait()
		callers.Go(func() {
			_, err := flight.Do(hurried, "op", "key", run)
			if e, ok := errors.AsType[*providers.Error](err); !ok || e.Reason != providers.Timeout || e.Op != "op" {
				t.Errorf("the hurried caller left with %v, want op and %s", err, providers.Timeout)
			}
		})
		callers.Go(func() {
			if got, err := flight.Do(t.Context(), "op", "key", run); got != "done" || err != nil {
				t.Errorf("who stayed got %q, %v, want done", got, err)
			}
		})
		synctest.Wait()
		leave()
		callers.Wait()
	})
}

func TestAFlightThatNobodyEndsEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var flight Flight[int]
		began := time.Now()
		_, err := flight.Do(t.Context(), "op", "key", func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != flightTimeout {
			t.Errorf("Do ended with %v after %v, want the deadline after %v", err, time.Since(began), flightTimeout)
		}
	})
}

func TestACallerWhoHasLeftStartsNoFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var flight Flight[int]
		left, leave := context.WithCancel(t.Context())
		leave()
		_, err := flight.Do(left, "op", "key", func(context.Context) (int, error) {
			t.Error("a run began for nobody")
			return 0, nil
		})
		synctest.Wait()
		if providers.KindOf(err) != providers.Canceled {
			t.Errorf("got %v, want %s", err, providers.Canceled)
		}
	})
}

func TestAWriteDoesNotShareASweepsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var flight Flight[providers.Priority]
		var callers sync.WaitGroup
		for _, want := range []providers.Priority{providers.Sweeping, providers.Reading, providers.Writing} {
			callers.Go(func() {
				got, err := flight.Do(providers.WithPriority(t.Context(), want), "op", "key", func(ctx context.Context) (providers.Priority, error) {
					time.Sleep(time.Second)
					return providers.PriorityOf(ctx), nil
				})
				if got != want || err != nil {
					t.Errorf("Do with priority %d: run with %d, %v", want, got, err)
				}
			})
		}
		callers.Wait()
	})
}

// TestAFlightWaitsNoLongerForAnAllowanceThanItsCallersCan: who has less time than that is told so at once, and who joined
// and has more waits on.
func TestAFlightWaitsNoLongerForAnAllowanceThanItsCallersCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _ := spent(t, TransportConfig{})
		time.Sleep(40 * time.Second)
		var flight Flight[string]
		ask := func(most time.Duration) (took time.Duration, err error) {
			ctx, cancel := context.WithTimeout(t.Context(), most)
			defer cancel()
			began := time.Now()
			_, err = flight.Do(ctx, "op", "key", func(ctx context.Context) (string, error) {
				time.Sleep(time.Millisecond) // so that others join
				_, err := api.Do(ctx, Get("get thing", "1"), nil)
				return "", err
			})
			return time.Since(began), err
		}
		var callers sync.WaitGroup
		callers.Go(func() {
			took, err := ask(15 * time.Second)
			if e := wantError(t, err, providers.RateLimited, ""); took > time.Second || e.RetryAfter < 15*time.Second {
				t.Errorf("told after %v: %v, want at once, with 20 s to wait", took, err)
			}
		})
		time.Sleep(time.Microsecond)
		callers.Go(func() {
			if took, err := ask(30 * time.Second); err != nil || took < 15*time.Second {
				t.Errorf("who has 30 s got %v after %v, want what it asked for 20 s later", err, took)
			}
		})
		callers.Wait()
	})
}
