package catalog

import (
	"context"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// sweeping sweeps for the length of a test, or until it is stopped.
func sweeping(t testing.TB, c *Catalog) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var sweep sync.WaitGroup
	sweep.Go(func() { c.Sweep(ctx) })
	stop = func() {
		cancel()
		sweep.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// strict is Buildkite with so many registries of three tokens each, and with its request limits.
func strict(t testing.TB, registries int) *upstream {
	return emulate(t, driver(t, "buildkite"), providers.EmulatorOptions{Registries: registries, Tokens: 3, RateLimit: true})
}

var tellsOfAFill = regexp.MustCompile(`^the inventory is being read: [0-9]+ of 120 registries so far, complete in about [2-5] min$`)

// TestTheInventoryOfMoreRegistriesThanCanBeReadAtOnce: 120 lists at a share of 20 requests a minute.
func TestTheInventoryOfMoreRegistriesThanCanBeReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, j := strict(t, 120), &journal{}
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}, SweepShare: 0.4, Log: j.log()})
		sweeping(t, c)
		began := time.Now()
		time.Sleep(2 * time.Minute)
		asked := time.Now()
		list := tokensOf(t, c, TokenFilter{})
		if took := time.Since(asked); took > time.Second || len(list.Unavailable) != 1 || len(list.Items) == 0 || len(list.Items) > 300 {
			t.Fatalf("after %v it has %d tokens and lacks %+v, want some and one note", took, len(list.Items), list.Unavailable)
		}
		note := list.Unavailable[0]
		if note.Reason != RateLimited || !note.Registry.IsZero() || !tellsOfAFill.MatchString(note.Message) || note.RetryAfter < time.Minute || note.RetryAfter > 5*time.Minute {
			t.Errorf("the note is %+v", note)
		}
		for j.lines("the inventory is complete") == 0 && time.Since(began) < time.Hour {
			time.Sleep(time.Second)
		}
		if took, most := time.Since(began), 124*3100*time.Millisecond; took > most || took < most/2 {
			t.Errorf("the first fill took %v, want less than %v", took, most)
		}
		if n := j.lines("the inventory is being read"); n < 5 || n > 10 {
			t.Errorf("the log tells %d times how the first fill goes:\n%s", n, j.text.String())
		}
		u.requests()
		for range 100 {
			time.Sleep(11 * time.Second)
			if list := tokensOf(t, c, TokenFilter{}); len(list.Items) != 360 || len(list.Unavailable) != 0 {
				t.Fatalf("it has %d tokens and lacks %+v, want 360 and nothing", len(list.Items), list.Unavailable)
			}
		}
		if sent, most := u.requests(), 1100/3+1; sent > most || sent < most*3/4 {
			t.Errorf("%d requests were sent while the list was read a hundred times, want about the sweep's %d", sent, most)
		}
	})
}
