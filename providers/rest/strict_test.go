package rest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
	"regtok/providers/all"
	"regtok/providers/budget"
	"regtok/providers/rest"
)

// strict is a provider's emulator that enforces its limits, and counts what it answers.
type strict struct {
	driver            providers.Driver
	emulator          *providers.Emulator
	answered, refused atomic.Int64
}

func enforce(t *testing.T, provider string, choices map[string]string) *strict {
	t.Helper()
	for _, driver := range all.Drivers() {
		if driver.Name != provider {
			continue
		}
		emulator, err := driver.Emulator(providers.EmulatorOptions{Registries: 20, Tokens: 3, RateLimit: true, Choices: choices})
		if err != nil {
			t.Fatal(err)
		}
		return &strict{driver: driver, emulator: emulator}
	}
	t.Fatalf("there is no driver %s", provider)
	return nil
}

// RoundTrip takes as long as a network does, and longer now and then.
func (s *strict) RoundTrip(r *http.Request) (*http.Response, error) {
	pause := func() { time.Sleep(10*time.Millisecond + rand.N(100*time.Millisecond)) }
	served := r.Clone(r.Context())
	served.Host, served.RequestURI, served.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "127.0.0.1:2"
	if served.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	pause()
	s.emulator.Handler.ServeHTTP(recorder, served)
	pause()
	if recorder.Code == http.StatusTooManyRequests {
		s.refused.Add(1)
	} else {
		s.answered.Add(1)
	}
	response := recorder.Result()
	response.Request = r
	return response, r.Context().Err()
}

// accounts are so many processes' adapters of one account that share its budget.
func (s *strict) accounts(t *testing.T, processes int) []providers.Provider {
	t.Helper()
	settings := providers.Settings{}
	for _, setting := range s.driver.Settings {
		settings[setting.Name] = providers.NewSecret(setting.Default)
	}
	maps.Copy(settings, s.emulator.Settings("http://127.0.0.1:1"))
	config := budget.Config{}
	if s.driver.Start != nil {
		config.Start = s.driver.Start(settings)
	}
	shared := budget.New(config)
	t.Cleanup(shared.Close)
	var opened []providers.Provider
	for range processes {
		provider, err := s.driver.Open(providers.Config{Account: "main", Settings: settings, Client: &http.Client{
			Transport: rest.NewTransport(rest.TransportConfig{
				Provider: s.driver.Name, Account: "main", Base: s, Limits: s.driver.Limits, LimitedBy: s.driver.LimitedBy, Budget: shared,
			}),
		}})
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, provider)
	}
	return opened
}

// traffic is what sweeps, reads and writes at once got done, minute by minute.
type traffic struct {
	mu       sync.Mutex
	began    time.Time
	done     map[providers.Priority][]int
	unkept   int // writes that were refused
	late     int // reads whose time was over while they waited for somebody's answer
	failures []error
}

// note takes down what came of one, and returns how long to wait before the next.
func (f *traffic) note(priority providers.Priority, err error) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		minute := int(time.Since(f.began) / time.Minute)
		for len(f.done[priority]) <= minute {
			f.done[priority] = append(f.done[priority], 0)
		}
		f.done[priority][minute]++
		return 0
	}
	e, ok := errors.AsType[*providers.Error](err)
	switch {
	case ok && e.Reason == providers.Timeout && priority == providers.Reading:
		f.late++
		return time.Second
	case !ok || e.Kind != providers.RateLimited:
		f.failures = append(f.failures, fmt.Errorf("priority %d: %w", priority, err))
		return time.Second
	case priority == providers.Writing:
		f.unkept++
	}
	return max(e.RetryAfter, time.Second)
}

// demand is how many of each a process sends at once.
type demand struct{ sweeps, reads, writes int }

// everything is more than is allowed.
var everything = demand{sweeps: 1, reads: 4, writes: 1}

// load sends from all processes, for so long.
func load(t *testing.T, processes []providers.Provider, d demand, length time.Duration) *traffic {
	t.Helper()
	var registries []providers.Registry
	for _, p := range processes { // so that each knows the names that its paths need
		registries = explore(t, p)
	}
	f := &traffic{began: time.Now(), done: map[providers.Priority][]int{}}
	ctx, end := context.WithTimeout(t.Context(), length)
	defer end()
	var running sync.WaitGroup
	loop := func(n int, priority providers.Priority, patience time.Duration, do func(context.Context) error) {
		for range n {
			running.Go(func() {
				for ctx.Err() == nil {
					one, cancel := context.WithTimeout(providers.WithPriority(t.Context(), priority), patience)
					wait := f.note(priority, do(one))
					cancel()
					time.Sleep(max(min(wait, 5*time.Second), 10*time.Millisecond))
				}
			})
		}
	}
	var turn, names atomic.Int64
	next := func() providers.ID { return registries[int(turn.Add(1))%len(registries)].ID }
	for _, p := range processes {
		read := func(ctx context.Context) error {
			_, err := p.Tokens(ctx, next(), providers.PageRequest{})
			return err
		}
		loop(d.sweeps, providers.Sweeping, 20*time.Second, read)
		loop(d.reads, providers.Reading, 8*time.Second, read)
		loop(d.writes, providers.Writing, 5*time.Minute, func(ctx context.Context) error {
			time.Sleep(time.Duration(len(processes)) * 8 * time.Second)
			made, err := p.CreateToken(ctx, next(), providers.TokenState{Name: fmt.Sprintf("strict-%d", names.Add(1))})
			if err != nil {
				return err
			}
			return p.DeleteToken(ctx, made.Token.ID)
		})
	}
	running.Wait()
	return f
}

// explore finds all registries, however long that takes.
func explore(t *testing.T, p providers.Provider) (found []providers.Registry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	organizations, err := providers.All(ctx, func(o providers.Organization) providers.ID { return o.ID }, p.Organizations)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range organizations {
		list, err := providers.All(ctx, func(r providers.Registry) providers.ID { return r.ID },
			func(ctx context.Context, page providers.PageRequest) (providers.Page[providers.Registry], error) {
				return p.Registries(ctx, o.ID, page)
			})
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, list...)
	}
	return found
}

func (f *traffic) total(priority providers.Priority) (n int) {
	for _, minute := range f.done[priority] {
		n += minute
	}
	return n
}

const minutes = 10

// TestNoRefusalIsProvoked sends sweeps, reads and writes at once, more than is allowed, against each emulator's limits.
func TestNoRefusalIsProvoked(t *testing.T) {
	for _, test := range []struct {
		what, provider string
		choices        map[string]string
		allowed        int // a minute
		mostRefused    int64
	}{
		{"a limit that answers tell", "buildkite", nil, 50, 0},
		{"a limit larger than what is set", "ionos", map[string]string{"requests_per_minute": "300"}, 200, 0},
		{"a limit smaller than what is set", "ionos", map[string]string{"requests_per_minute": "60"}, 60, 60},
		// What is taken to be allowed is halved six times, each time by all that are under way together.
		{"a very small limit", "ionos", map[string]string{"requests_per_minute": "5"}, 5, 200},
	} {
		for _, processes := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d at once", test.what, processes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := enforce(t, test.provider, test.choices)
					f := load(t, s.accounts(t, processes), everything, minutes*time.Minute)
					used := int(s.answered.Load()) * 100 / (test.allowed * minutes)
					t.Logf("%d answered (%d %%), %d refused; a minute: %v", s.answered.Load(), used, s.refused.Load(), f.done)
					if refused := s.refused.Load(); refused > test.mostRefused {
						t.Errorf("%d were refused, want %d at most", refused, test.mostRefused)
					}
					if known := test.mostRefused == 0; known {
						f.wantKept(t, used)
					}
					for priority, what := range map[providers.Priority]string{providers.Reading: "reads", providers.Writing: "writes"} {
						if done := f.done[priority]; len(done) < minutes-2 {
							t.Errorf("the %s stopped: %v", what, done)
						}
					}
				})
			})
		}
	}
}

// wantKept is for a limit that is known: it is used, and nobody starves.
func (f *traffic) wantKept(t *testing.T, used int) {
	t.Helper()
	if used < 85 || f.unkept > 0 {
		t.Errorf("%d %% of what is allowed was used, and %d writes were refused, want 85 %% and none", used, f.unkept)
	}
	for _, err := range f.failures {
		t.Error(err)
	}
	if reads := f.total(providers.Reading); f.late > reads/20 {
		t.Errorf("%d reads ran out of time, and %d did not", f.late, reads)
	}
	for priority, what := range map[providers.Priority]string{providers.Reading: "read", providers.Writing: "write"} {
		done := f.done[priority]
		for minute := range min(len(done), minutes) - 1 { // windows begin at any time
			if done[minute]+done[minute+1] == 0 {
				t.Errorf("no %s in two minutes from %d: %v", what, minute, done)
			}
		}
	}
}

func TestASweepKeepsToItsShare(t *testing.T) {
	for provider, allowed := range map[string]int{"buildkite": 50, "ionos": 200} {
		t.Run(provider, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := enforce(t, provider, nil)
				f := load(t, s.accounts(t, 4), demand{sweeps: 4}, minutes*time.Minute)
				share := f.total(providers.Sweeping) * 100 / (allowed * minutes)
				if share > 41 || share < 34 || s.refused.Load() > 0 {
					t.Errorf("sweeps took %d %%, and %d were refused, want 40 %% and none; a minute: %v", share, s.refused.Load(), f.done)
				}
			})
		})
	}
}
