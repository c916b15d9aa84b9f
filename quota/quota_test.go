package quota_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regtok/auth"
	"regtok/quota"
)

// someone is a caller with an allowance of their own.
func someone(name string, perMinute, burst int) auth.Viewer {
	return auth.Viewer{Subject: name, Allowance: &auth.Allowance{PerMinute: perMinute, Burst: burst}}
}

func TestPointsComeBackEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := quota.New(quota.Config{})
		ci := someone("ci", 600, 100) // ten a second
		for _, step := range []struct {
			after, wait       time.Duration
			points, remaining int
		}{
			{0, 0, 70, 30},
			{0, 0, 30, 0},
			{0, 100 * time.Millisecond, 1, 0},
			{99 * time.Millisecond, time.Millisecond, 1, 0},
			{time.Millisecond, 0, 1, 0},
			{5 * time.Second, time.Second, 60, 50},
			{time.Second, 0, 60, 0},
			{time.Hour, 0, 100, 0},
			{time.Second, quota.Never, 101, 10},
		} {
			time.Sleep(step.after)
			got := q.Spend(t.Context(), ci, step.points)
			if got.Wait != step.wait || got.Remaining != step.remaining {
				t.Errorf("%d points: %+v, want to wait %s and %d left", step.points, got, step.wait, step.remaining)
			}
		}
	})
}

// TestWhoMaySpendLessOwesLess: their key may be for fewer points at once when it is read again.
func TestWhoMaySpendLessOwesLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := quota.New(quota.Config{})
		q.Spend(t.Context(), someone("ci", 60, 6000), 6000)
		if got := q.Spend(t.Context(), someone("ci", 60, 60), 1); got.Wait != time.Second || got.Remaining != 0 {
			t.Errorf("after all of a larger allowance: %+v, want to wait a second with nothing left", got)
		}
		time.Sleep(time.Minute)
		if got := q.Spend(t.Context(), someone("ci", 60, 60), 60); got.Wait != 0 {
			t.Errorf("a minute later: %+v, want all of the allowance", got)
		}
	})
}

func TestOneCallerTakesNothingFromAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := quota.New(quota.Config{Usual: auth.Allowance{PerMinute: 60, Burst: 10}})
		if got := q.Spend(t.Context(), auth.Viewer{Subject: "greedy"}, 10); got.Wait != 0 {
			t.Errorf("all of an allowance: %+v", got)
		}
		if got := q.Spend(t.Context(), auth.Viewer{Subject: "greedy"}, 1); got.Wait != time.Second {
			t.Errorf("one point more: %+v, want to wait a second", got)
		}
		if got := q.Spend(t.Context(), auth.Viewer{Subject: "modest"}, 10); got.Wait != 0 {
			t.Errorf("another caller: %+v", got)
		}
		if got := q.Spend(t.Context(), someone("favoured", 60, 20), 20); got.Wait != 0 {
			t.Errorf("a caller with an allowance of their own: %+v", got)
		}
		for range 100 {
			if got := q.Spend(t.Context(), someone("free", 0, 0), 1_000_000); got != (quota.Balance{}) {
				t.Errorf("a caller without a limit: %+v", got)
			}
		}
	})
}

// TestNoScheduleGetsMoreThanTheAllowance spends as callers please, from many goroutines too.
func TestNoScheduleGetsMoreThanTheAllowance(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		perMinute, burst := rapid.IntRange(10, 100_000).Draw(r, "per minute"), rapid.IntRange(10, 100_000).Draw(r, "burst")
		costs := rapid.SliceOfN(rapid.IntRange(1, burst), 1, 50).Draw(r, "costs")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 90_000), len(costs), len(costs)).Draw(r, "pauses in milliseconds")
		synctest.Test(t, func(t *testing.T) {
			q, began, spent := quota.New(quota.Config{}), time.Now(), 0
			for i, cost := range costs {
				time.Sleep(time.Duration(pauses[i]) * time.Millisecond)
				got := q.Spend(t.Context(), someone("ci", perMinute, burst), cost)
				if got.Wait == 0 {
					spent += cost
				}
				most := float64(burst) + time.Since(began).Minutes()*float64(perMinute)
				if float64(spent) > most+1 {
					r.Fatalf("%d points were spent, want %f at most", spent, most)
				}
				if got.Remaining < 0 || got.Remaining > burst {
					r.Fatalf("%+v are left of %d", got, burst)
				}
				if got.Wait == 0 {
					continue
				}
				time.Sleep(got.Wait - time.Microsecond)
				if got := q.Spend(t.Context(), someone("ci", perMinute, burst), cost); got.Wait == 0 {
					r.Fatal("the points were there before it was said")
				}
				time.Sleep(time.Microsecond)
				if got := q.Spend(t.Context(), someone("ci", perMinute, burst), cost); got.Wait != 0 {
					r.Fatalf("who waited as long as it was said is told %+v", got)
				}
				spent += cost
			}
		})
	})
}

func TestManyAtOnceGetTheAllowanceOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused, taken atomic.Int64
		q := quota.New(quota.Config{Refused: func() { refused.Add(1) }})
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if q.Spend(t.Context(), someone("ci", 60, 300), 10).Wait == 0 {
					taken.Add(1)
				}
			})
		}
		callers.Wait()
		if taken.Load() != 30 || refused.Load() != 70 {
			t.Errorf("%d were let through and %d refused, want 30 and 70", taken.Load(), refused.Load())
		}
	})
}

func TestAnIssuersCallersTakeBoundedRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := quota.New(quota.Config{Usual: auth.Allowance{PerMinute: 60, Burst: 60}})
		spend := func(caller string, points int) time.Duration {
			return q.Spend(t.Context(), auth.Viewer{Subject: caller}, points).Wait
		}
		spend("greedy", 60)
		for i := range 30_000 {
			spend(fmt.Sprint("oidc:", i), 1)
		}
		if got := q.Callers(); got > 10_000 {
			t.Errorf("%d callers are remembered, want 10,000 at most", got)
		}
		if wait := spend("greedy", 60); wait != time.Minute {
			t.Errorf("who owes most waits %s, want a minute: others were to be forgotten first", wait)
		}
		time.Sleep(2 * time.Minute)
		for i := range 20_000 {
			spend(fmt.Sprint("oidc:", i), 60)
		}
		if got := q.Callers(); got > 10_000 {
			t.Errorf("%d callers are remembered, want 10,000 at most", got)
		}
	})
}

func TestTheLogNamesWhoHasSpentTheirPointsOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		q := quota.New(quota.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
		for range 5 {
			for range 12 {
				q.Spend(t.Context(), someone("ci", 10, 10), 10)
				q.Spend(t.Context(), someone("ops", 100, 10), 1)
				time.Sleep(5 * time.Second)
			}
		}
		if got := strings.Count(log.String(), `msg="a caller has spent their points" caller=ci perMinute=10 burst=10`); got != 5 || strings.Contains(log.String(), "ops") {
			t.Errorf("in five minutes it is told %d times, want 5, and of nobody else:\n%s", got, log.String())
		}
	})
}
