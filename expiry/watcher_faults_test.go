package expiry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
)

// reports writes down each change that a watcher tells of.
func reports(said io.Writer) func(error) {
	var mu sync.Mutex
	failed := false
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil && !failed:
			fmt.Fprintf(said, "cannot be reached: %v\n", err)
		case err == nil && failed:
			fmt.Fprintln(said, "told again")
		}
		failed = err != nil
	}
}

// outage is an index and a log that cannot be reached at times.
type outage struct {
	expiry.Index
	expiry.Log
	mu   sync.Mutex
	fail map[string]bool // by method
}

func (o *outage) fails(methods ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = map[string]bool{}
	for _, m := range methods {
		o.fail[m] = true
	}
}

func (o *outage) err(method string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail[method] {
		return fmt.Errorf("%w: as the test says", expiry.ErrUnavailable)
	}
	return nil
}

func (o *outage) OfRegistry(ctx context.Context, registry providers.ID) ([]expiry.State, error) {
	if err := o.err("read"); err != nil {
		return nil, err
	}
	return o.Index.OfRegistry(ctx, registry)
}

func (o *outage) Put(ctx context.Context, states []expiry.State) ([]bool, error) {
	if err := o.err("put"); err != nil {
		return nil, err
	}
	return o.Index.Put(ctx, states)
}

func (o *outage) Take(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]expiry.State, time.Time, error) {
	if err := o.err("take"); err != nil {
		return nil, time.Time{}, err
	}
	return o.Index.Take(ctx, now, limit, lease)
}

func (o *outage) Append(ctx context.Context, events []expiry.Event) ([]bool, error) {
	if err := o.err("append"); err != nil {
		return nil, err
	}
	return o.Log.Append(ctx, events)
}

func TestAnOutageLosesNoStepAndTellsNoneTwice(t *testing.T) {
	for _, failing := range [][]string{{"take"}, {"read"}, {"put"}, {"append"}, {"read", "put", "take", "append"}} {
		t.Run(strings.Join(failing, " and "), func(t *testing.T) {
			play(t, func(s *scene) {
				s.stop()
				o := &outage{Index: s.index, Log: s.log}
				s.index, s.log = o, o
				s.begin()
				s.has(1, s.at(10*hour), expiry.ByPolicy)
				s.reads(1)
				s.after(2*hour - minute)
				o.fails(failing...)
				s.has(2, s.at(13*hour), expiry.ByPolicy)
				s.reads(2)
				s.after(2*hour + minute)
				if f := s.watcher.Figures(); !f.Fails {
					s.Error("the figures do not tell of the outage")
				}
				o.fails()
				s.after(2*hour + minute + 5*time.Second)
				s.told("name 1: THRESHOLD 8h at 2h0m0s")
				s.after(14 * hour)
				s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 2: THRESHOLD 8h at 5h0m0s", "name 1: THRESHOLD 2h at 8h0m0s",
					"name 1: EXPIRED at 10h0m0s", "name 2: THRESHOLD 2h at 11h0m0s", "name 2: EXPIRED at 13h0m0s")
				said := s.said.String()
				if down, up := strings.Count(said, "cannot be reached"), strings.Count(said, "told again"); down != 1 || up != 1 {
					s.Errorf("the log tells of %d failures and %d recoveries, want one each:\n%s", down, up, said)
				}
			})
		})
	}
}

func TestAPanicIsSurvivedAndLosesNothing(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.has(2, s.at(11*hour), expiry.ByPolicy)
		s.reads(1)
		s.reads(2)
		s.breaks(func() error { panic("as the test says") })
		s.after(2*hour + minute/2)
		s.told()
		s.breaks(nil)
		s.after(4 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 2: THRESHOLD 8h at 3h0m0s")
		if f := s.watcher.Figures(); f.Faults < 2 || strings.Count(s.said.String(), "panicked") != 1 {
			s.Errorf("%d faults, of which the log says\n%s", f.Faults, s.said.String())
		}
	})
}

func TestASilentProviderHoldsUpNobodyElse(t *testing.T) {
	play(t, func(s *scene) {
		other := providers.OrganizationID("other", "o").RegistryID("r").TokenID("t")
		s.puts(expiry.Reading{Subject: expiry.Subject{Token: other, Name: "other"}, Due: s.at(10 * hour), Source: expiry.ByPolicy})
		for n := range 30 { // in more registries than one lane has workers
			registry := providers.OrganizationID("provider", "o").RegistryID(fmt.Sprint("r", n))
			s.puts(expiry.Reading{Subject: expiry.Subject{Token: registry.TokenID("t"), Name: "silent"}, Due: s.at(10 * hour), Source: expiry.ByPolicy})
			s.watcher.Tell(s.list(registry))
		}
		s.watcher.Tell(s.list(other.OfRegistry()))
		s.after(hour)
		silent := &silentSource{provider: s.provider, talks: other.OfRegistry(), end: make(chan struct{})}
		s.stop()
		s.stop = running(s.T, s.watcher, silent)
		s.after(2*hour + time.Second)
		s.told("other: THRESHOLD 8h at 2h0m0s")
		close(silent.end)
	})
}

// silentSource answers nothing, but for one registry.
type silentSource struct {
	*provider
	talks providers.ID
	end   chan struct{}
}

func (s *silentSource) Look(ctx context.Context, registry providers.ID, since time.Time) (expiry.List, error) {
	if registry == s.talks {
		return s.provider.Look(ctx, registry, since)
	}
	select {
	case <-s.end:
		return expiry.List{}, errors.New("it ended")
	case <-ctx.Done():
		return expiry.List{}, ctx.Err()
	}
}

func TestAnOlderListDoesNotBringBackWhatIsGone(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(2*hour+minute), expiry.ByPolicy)
		old := s.list(expirytest.Subject(1).Token.OfRegistry())
		s.after(minute / 4)
		s.deletes(1)
		s.reads(1)
		s.watcher.Tell(old)
		s.after(hour)
		if n, err := s.index.Count(s.Context()); n != 0 || err != nil {
			s.Errorf("%d tokens are watched, %v: want none", n, err)
		}
	})
}

// contested is an index where somebody else is faster, once.
type contested struct {
	expiry.Index
	armed atomic.Bool
}

func (c *contested) Put(ctx context.Context, states []expiry.State) ([]bool, error) {
	if c.armed.CompareAndSwap(true, false) {
		faster, err := c.Get(ctx, []providers.ID{states[0].Subject.Token})
		if err != nil {
			return nil, err
		}
		faster[0].Look = faster[0].Look.Add(-time.Millisecond)
		if _, err := c.Index.Put(ctx, faster); err != nil {
			return nil, err
		}
	}
	return c.Index.Put(ctx, states)
}

func TestWhatIsReadWhileAnotherIsFasterIsNotForgotten(t *testing.T) {
	play(t, func(s *scene) {
		s.stop()
		c := &contested{Index: s.index}
		s.index = c
		s.begin()
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.reads(1)
		s.after(3 * hour)
		s.has(1, s.at(40*hour), expiry.ByPolicy)
		c.armed.Store(true)
		s.reads(1)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 1: EXTENDED 8h at 3h0m0s")
		if c.armed.Load() {
			s.Error("nobody was faster")
		}
	})
}

func TestTwoWatchersTellEachStepOnce(t *testing.T) {
	play(t, func(s *scene) {
		stop := running(s.T, s.another(), s.provider)
		for n := range 20 {
			s.has(n, s.at(10*hour), expiry.ByPolicy)
		}
		for n := range 3 {
			s.reads(n)
		}
		s.after(5 * hour)
		stop() // one of them
		s.after(12 * hour)
		page, err := s.log.Read(s.Context(), "", 1000)
		if err != nil || len(page.Entries) != 60 {
			s.Errorf("%d events were told, %v: want three for each of 20 tokens", len(page.Entries), err)
		}
	})
}

func TestAWatcherThatIsToldBeforeItRunsForgetsNothing(t *testing.T) {
	play(t, func(s *scene) {
		s.stop()
		s.watcher = s.another()
		s.has(1, s.at(9*hour), expiry.ByPolicy)
		s.reads(1)
		s.stop = running(s.T, s.watcher, s.provider)
		s.after(2 * hour)
		s.told("name 1: THRESHOLD 8h at 1h0m0s")
	})
}
