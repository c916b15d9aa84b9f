package expiry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/expiry"
	"regtok/expiry/logtest"
	"regtok/providers"
)

// provider is a provider of a few registries, as somebody sees who asks it. It deletes tokens when their dates come, if it set them.
type provider struct {
	mu     sync.Mutex
	tokens map[providers.ID]expiry.Reading
	gone   map[providers.ID]bool // registries
	fails  func() error          // nil: it answers
	looks  int
	name   string // of every registry, for who asks for that alone
	named  int    // how often somebody did
}

func newProvider() *provider {
	return &provider{tokens: map[providers.ID]expiry.Reading{}, gone: map[providers.ID]bool{}}
}

// has makes the nth token what it is.
func (p *provider) has(n int, due time.Time, source expiry.DueSource) {
	p.puts(expiry.Reading{Subject: logtest.Subject(n), Due: due, Source: source})
}

func (p *provider) puts(token expiry.Reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens[token.Subject.Token] = token
}

func (p *provider) deletes(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tokens, logtest.Subject(n).Token)
}

// closes deletes a registry with all that is in it.
func (p *provider) closes(registry providers.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone[registry] = true
}

// breaks makes it answer with what fails returns; nil: well.
func (p *provider) breaks(fails func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = fails
}

func (p *provider) list(registry providers.ID) expiry.List {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := expiry.List{Registry: registry, At: time.Now()}
	for token, reading := range p.tokens {
		if reading.Source == expiry.ByProvider && !reading.Due.IsZero() && !list.At.Before(reading.Due) {
			delete(p.tokens, token)
			continue
		}
		if token.OfRegistry() == registry {
			reading.At = list.At
			list.Tokens = append(list.Tokens, reading)
		}
	}
	return list
}

// Look implements expiry.Source.
func (p *provider) Look(ctx context.Context, registry providers.ID, _ time.Time) (expiry.List, error) {
	p.mu.Lock()
	p.looks++
	fails, gone := p.fails, p.gone[registry]
	p.mu.Unlock()
	if fails != nil {
		if err := fails(); err != nil {
			return expiry.List{}, err
		}
	}
	if gone {
		return expiry.List{}, providers.NotFoundError("provider", "list tokens")
	}
	return p.list(registry), ctx.Err()
}

// RegistryName implements expiry.Source.
func (p *provider) RegistryName(ctx context.Context, _ providers.ID) string {
	p.mu.Lock()
	p.named++
	name := p.name
	p.mu.Unlock()
	if name == "" {
		<-ctx.Done() // it does not answer
	}
	return name
}

// scene is a watcher at work, in a bubble.
type scene struct {
	*testing.T
	*provider
	start   time.Time
	index   expiry.Index
	log     expiry.Log
	rule    expiry.Settings
	said    *told // by the watcher
	watcher *expiry.Watcher
	stop    func()
}

// told is what is written into it.
type told struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *told) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(text)
}

func (t *told) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

const (
	minute = time.Minute
	hour   = time.Hour
)

// play runs a scene with thresholds of 8 and of 2 hours.
func play(t *testing.T, run func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{
			T: t, provider: newProvider(), start: time.Now(), index: expiry.NewMemoryIndex(), log: expiry.NewMemory(0, 0), said: &told{},
			rule: expiry.Settings{Thresholds: []time.Duration{8 * hour, 2 * hour}},
		}
		s.begin()
		defer func() { s.stop() }()
		run(s)
	})
}

// begin starts the watcher, as a process does that starts.
func (s *scene) begin() {
	s.watcher = s.another()
	s.stop = running(s.T, s.watcher, s.provider)
}

func (s *scene) another() *expiry.Watcher {
	return expiry.NewWatcher(expiry.Watched{
		Rule: expiry.NewRule(s.rule), Index: s.index, Log: s.log, Report: reports(s.said), Logger: slog.New(slog.NewTextHandler(s.said, nil)),
	})
}

// running runs a watcher until it is stopped.
func running(t *testing.T, w *expiry.Watcher, source expiry.Source) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { w.Run(ctx, source) })
	return func() {
		cancel()
		run.Wait()
	}
}

// after lets time pass until so long after the start.
func (s *scene) after(d time.Duration) {
	time.Sleep(time.Until(s.start.Add(d)))
	synctest.Wait()
}

// at is so long after the start.
func (s *scene) at(d time.Duration) time.Time { return s.start.Add(d) }

// reads tells the watcher of the nth token's registry.
func (s *scene) reads(n int) {
	s.watcher.Tell(s.list(logtest.Subject(n).Token.OfRegistry()))
	synctest.Wait()
}

// told checks what was told, by token, kind, threshold, and when that was due.
func (s *scene) told(want ...string) {
	s.Helper()
	page, err := s.log.Read(s.Context(), "", 10_000)
	if err != nil {
		s.Fatal(err)
	}
	got := []string{}
	for _, e := range page.Entries {
		got = append(got, s.words(e.Event))
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		s.Errorf("told, after %v (-want +got):\n%s%s", time.Since(s.start), diff, s.said.String())
	}
}

func (s *scene) words(e expiry.Event) string {
	threshold := ""
	if e.Threshold > 0 {
		threshold = fmt.Sprintf(" %gh", e.Threshold.Hours())
	}
	return fmt.Sprintf("%s: %s%s at %v", e.Subject.Name, e.Kind, threshold, e.OccurredAt.Sub(s.start).Round(time.Second))
}

func TestEachStepIsToldTheMomentItIsDue(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.has(2, s.at(10*hour+minute/2), expiry.ByProvider)
		s.reads(1)
		s.reads(2)
		s.after(2*hour - 1)
		s.told()
		s.after(2 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s")
		s.after(12 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 2: THRESHOLD 8h at 2h0m30s", "name 1: THRESHOLD 2h at 8h0m0s",
			"name 2: THRESHOLD 2h at 8h0m30s", "name 1: EXPIRED at 10h0m0s", "name 2: EXPIRED at 10h0m30s")
		f := s.watcher.Figures()
		want := expiry.Figures{Watched: 1, Told: map[expiry.Kind]uint64{expiry.Threshold: 4, expiry.Expired: 2}, Looks: 6}
		if diff := cmp.Diff(want, f); diff != "" {
			s.Errorf("figures (-want +got):\n%s", diff)
		}
	})
}

func TestAStepThatIsSecondsAwayIsToldTheMomentItIsDue(t *testing.T) {
	play(t, func(s *scene) {
		s.after(hour) // the watcher sleeps
		s.has(1, s.at(9*hour+5*time.Second), expiry.ByPolicy)
		s.reads(1)
		s.after(hour + 5*time.Second)
		s.told("name 1: THRESHOLD 8h at 1h0m5s")
	})
}

func TestADateThatMovedAwaySinceItWasReadIsNoAlarm(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByProvider)
		s.reads(1)
		s.after(hour)
		s.has(1, s.at(20*hour), expiry.ByProvider) // and nobody reads it
		s.after(11 * hour)
		s.told()
		s.after(30 * hour)
		s.told("name 1: THRESHOLD 8h at 12h0m0s", "name 1: THRESHOLD 2h at 18h0m0s", "name 1: EXPIRED at 20h0m0s")
	})
}

func TestAnAnnouncedDateThatMovesIsTakenBack(t *testing.T) {
	for name, test := range map[string]struct {
		moves func(*scene)
		want  string
	}{
		"further away": {func(s *scene) { s.has(1, s.at(40*hour), expiry.ByProvider) }, "name 1: EXTENDED 8h at 3h0m0s"},
		"to never":     {func(s *scene) { s.has(1, time.Time{}, "") }, "name 1: WITHDRAWN 8h at 3h0m0s"},
		"by deletion":  {func(s *scene) { s.deletes(1) }, "name 1: WITHDRAWN 8h at 3h0m0s"},
		"being disabled": {func(s *scene) {
			s.puts(expiry.Reading{Subject: logtest.Subject(1), Disabled: true, Due: s.at(10 * hour), Source: expiry.ByProvider})
		}, "name 1: WITHDRAWN 8h at 3h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.has(1, s.at(10*hour), expiry.ByProvider)
				s.reads(1)
				s.after(3 * hour)
				test.moves(s)
				s.reads(1)
				s.after(12 * hour)
				s.told("name 1: THRESHOLD 8h at 2h0m0s", test.want)
			})
		})
	}
}

func TestWhatWasWrittenIsKnownWithoutBeingRead(t *testing.T) {
	play(t, func(s *scene) {
		part := func(reading expiry.Reading) {
			reading.At = time.Now()
			s.watcher.Tell(expiry.List{Registry: reading.Subject.Token.OfRegistry(), At: reading.At, Part: true, Tokens: []expiry.Reading{reading}})
			synctest.Wait()
		}
		s.has(1, s.at(9*hour), expiry.ByPolicy)
		s.has(4, s.at(9*hour), expiry.ByPolicy)
		s.reads(1) // and 4, which is in the same registry
		part(expiry.Reading{Subject: logtest.Subject(7), Due: s.at(9 * hour), Source: expiry.ByPolicy})
		s.has(7, s.at(9*hour), expiry.ByPolicy)
		s.after(hour + minute)
		part(expiry.Reading{Subject: logtest.Subject(4), Gone: true})
		s.deletes(4)
		s.after(12 * hour)
		page, _ := s.log.Read(s.Context(), "", 100)
		var got []string
		for _, e := range page.Entries {
			got = append(got, s.words(e.Event))
		}
		slices.Sort(got)
		want := []string{
			"name 1: EXPIRED at 9h0m0s", "name 1: THRESHOLD 2h at 7h0m0s", "name 1: THRESHOLD 8h at 1h0m0s",
			"name 4: THRESHOLD 8h at 1h0m0s", "name 4: WITHDRAWN 8h at 1h1m0s",
			"name 7: EXPIRED at 9h0m0s", "name 7: THRESHOLD 2h at 7h0m0s", "name 7: THRESHOLD 8h at 1h0m0s",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			s.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestATokenBornInsideAThresholdIsNotAnnouncedButIsPresent(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(5*hour), expiry.ByProvider)
		s.has(2, s.at(50*hour), expiry.ByProvider)
		present := func(want ...string) {
			s.Helper()
			tokens := slices.Concat(s.list(logtest.Subject(1).Token.OfRegistry()).Tokens, s.list(logtest.Subject(2).Token.OfRegistry()).Tokens)
			events, err := s.watcher.Current(s.Context(), tokens)
			if err != nil {
				s.Fatal(err)
			}
			got := []string{}
			for _, e := range events {
				got = append(got, s.words(e))
			}
			if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
				s.Errorf("present after %v (-want +got):\n%s", time.Since(s.start), diff)
			}
		}
		present("name 1: THRESHOLD 8h at -3h0m0s") // of a token that the watcher never heard of
		s.reads(1)
		s.reads(2)
		present("name 1: THRESHOLD 8h at -3h0m0s")
		s.told()
		s.after(3 * hour)
		s.told("name 1: THRESHOLD 2h at 3h0m0s")
		present("name 1: THRESHOLD 2h at 3h0m0s")
		s.after(6 * hour)
		present()
	})
}

func TestTheTokensOfARegistryThatIsGoneAreWithdrawn(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.reads(1)
		s.after(3 * hour)
		s.closes(logtest.Subject(1).Token.OfRegistry())
		s.after(8 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 1: WITHDRAWN 8h at 8h0m0s")
	})
}

func TestWhileAProviderCannotBeAskedAStepWaitsForFiveMinutes(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.reads(1)
		s.breaks(func() error { return &providers.Error{Kind: providers.RateLimited} })
		s.after(2*hour + 5*minute - 1)
		s.told()
		s.after(2*hour + 5*minute)
		s.told("name 1: THRESHOLD 8h at 2h0m0s")
		s.breaks(nil)
		s.has(1, time.Time{}, "")
		s.after(9 * hour)
		s.told("name 1: THRESHOLD 8h at 2h0m0s", "name 1: WITHDRAWN 8h at 8h0m0s")
		if f := s.watcher.Figures(); f.Unconfirmed != 1 || f.LookErrors < 2 || f.LookErrors > 25 {
			s.Errorf("unconfirmed were %d, looks that failed %d; want 1, and one each 15 s", f.Unconfirmed, f.LookErrors)
		}
	})
}

func TestATokenThatNoAccountHasIsForgottenInTheEnd(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByPolicy)
		s.reads(1)
		s.breaks(func() error { return expiry.ErrUnowned })
		s.after(2*hour + 4*minute)
		if n, err := s.index.Count(s.Context()); n != 1 || err != nil {
			s.Errorf("%d tokens are watched, %v: want 1, which another process may have", n, err)
		}
		s.after(3 * hour)
		if n, err := s.index.Count(s.Context()); n != 0 || err != nil {
			s.Errorf("%d tokens are watched, %v: want none", n, err)
		}
		s.told()
	})
}

func TestWhatFellDueWhileNothingRanIsToldAfterwards(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(10*hour), expiry.ByProvider)
		s.has(2, s.at(10*hour), expiry.ByPolicy)
		s.has(3, s.at(9*hour), expiry.ByPolicy)
		s.reads(1)
		s.reads(2)
		s.reads(3)
		s.stop()
		s.has(3, s.at(60*hour), expiry.ByPolicy) // never announced, and moved meanwhile
		s.after(20 * hour)
		s.begin()
		s.after(20*hour + time.Second)
		page, _ := s.log.Read(s.Context(), "", 10)
		got := map[string][]string{}
		for _, e := range page.Entries {
			got[e.Subject.Name] = append(got[e.Subject.Name], s.words(e.Event))
		}
		want := map[string][]string{
			"name 1": {"name 1: THRESHOLD 8h at 2h0m0s", "name 1: THRESHOLD 2h at 8h0m0s", "name 1: EXPIRED at 10h0m0s"},
			"name 2": {"name 2: THRESHOLD 8h at 2h0m0s", "name 2: THRESHOLD 2h at 8h0m0s", "name 2: EXPIRED at 10h0m0s"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			s.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

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
		old := s.list(logtest.Subject(1).Token.OfRegistry())
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

func TestANameThatNobodyKnewIsLookedForWhenAnEventIsTold(t *testing.T) {
	for _, name := range []string{"acme", ""} {
		play(t, func(s *scene) {
			s.name = name
			token := expiry.Reading{At: time.Now(), Subject: logtest.Subject(1), Due: s.at(2*hour + minute/2), Source: expiry.ByProvider}
			token.Subject.RegistryName = ""
			s.puts(token)
			s.watcher.Tell(expiry.List{Registry: token.Subject.Token.OfRegistry(), At: token.At, Part: true, Tokens: []expiry.Reading{token}})
			s.after(minute)
			page, err := s.log.Read(s.Context(), "", 9)
			if err != nil || len(page.Entries) != 1 || page.Entries[0].Subject.RegistryName != name {
				s.Fatalf("told %v, %v: want one event of the registry %q", page.Entries, err, name)
			}
			if s.named != 1 {
				s.Errorf("the name was asked for %d times, want once", s.named)
			}
			if lag := s.watcher.Figures().Lag; lag > 2*time.Second {
				s.Errorf("it came after %v, want 2s at most", lag)
			}
			s.after(3 * hour)
			if want := map[string]int{"acme": 1, "": 2}[name]; s.named != want {
				s.Errorf("after the next event the name was asked for %d times, want %d", s.named, want)
			}
		})
	}
}

func TestARegistrysNameThatAReaderDoesNotKnowStays(t *testing.T) {
	play(t, func(s *scene) {
		s.has(1, s.at(9*hour), expiry.ByPolicy)
		s.reads(1)
		nameless := s.tokens[logtest.Subject(1).Token]
		nameless.Subject.RegistryName = ""
		s.puts(nameless)
		s.reads(1)
		s.after(2 * hour)
		page, err := s.log.Read(s.Context(), "", 1)
		if err != nil || len(page.Entries) != 1 || page.Entries[0].Subject != logtest.Subject(1) {
			s.Errorf("told %v, %v: want the subject with the registry's name", page.Entries, err)
		}
	})
}
