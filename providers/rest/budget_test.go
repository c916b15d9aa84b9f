package rest

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// metered is a provider with an allowance for each minute, told in headers like a vendor's.
type metered struct {
	mu       sync.Mutex
	limit    int
	used     int
	ends     time.Time
	others   int // requests of other clients, counted with each window's first
	requests int
	refused  int
	latency  time.Duration
}

func (p *metered) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(p.latency)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if now := time.Now(); !now.Before(p.ends) {
		p.used, p.ends = p.others, now.Add(time.Minute)
	}
	p.used++
	reset := strconv.Itoa(int(time.Until(p.ends) / time.Second))
	header := []string{"Limit", strconv.Itoa(p.limit), "Remaining", strconv.Itoa(max(0, p.limit-p.used)), "Reset", reset}
	if p.used > p.limit {
		p.refused++
		return respond(429, "{}", header...), nil
	}
	return respond(200, `{}`, header...), nil
}

func meter(_ *http.Request, _ int, header http.Header, _ []byte) []providers.Limit {
	limit, err := strconv.Atoi(header.Get("Limit"))
	if err != nil {
		return nil
	}
	remaining, _ := strconv.Atoi(header.Get("Remaining"))
	reset, _ := strconv.Atoi(header.Get("Reset"))
	return []providers.Limit{{Scope: "user", Limit: limit, Remaining: remaining, Reset: time.Duration(reset) * time.Second}}
}

// rounding is how much later than told a window may end, because it is told in whole seconds.
const rounding = time.Second

// within calls with a deadline.
func within(ctx context.Context, t *testing.T, api *API, deadline time.Duration, call Call) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	_, err := api.Do(ctx, call, &thing{})
	return err
}

func TestAShort429IsWaitedForWhateverTheMethod(t *testing.T) {
	for _, call := range []Call{Get("get thing", "1"), Post("create thing", 1, "things")} {
		synctest.Test(t, func(t *testing.T) {
			s := play(step{status: 429, header: []string{"Retry-After", "3"}}, fine)
			api, transport := s.over(t, TransportConfig{})
			if err := within(t.Context(), t, api, 5*time.Second, call); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]time.Duration{0, 3 * time.Second}, s.at); diff != "" {
				t.Errorf("requests at (-want +got):\n%s", diff)
			}
			if health := transport.Health(); !health.Healthy {
				t.Errorf("health = %+v", health)
			}
		})
	}
}

func TestALong429IsTheAnswerForEveryoneUntilItIsOver(t *testing.T) {
	for _, call := range []Call{Get("get thing", "1"), Post("create thing", 1, "things")} {
		synctest.Test(t, func(t *testing.T) {
			s := play(step{status: 429, header: []string{"Retry-After", "30"}}, fine)
			api, _ := s.over(t, TransportConfig{})
			e := wantError(t, within(t.Context(), t, api, 5*time.Second, call), providers.RateLimited, "")
			if e.RetryAfter != 30*time.Second || e.Status != 429 {
				t.Errorf("error = %+v", e)
			}
			time.Sleep(10 * time.Second)
			e = wantError(t, within(t.Context(), t, api, 5*time.Second, call), providers.RateLimited, "")
			if e.RetryAfter != 20*time.Second || e.Status != 0 {
				t.Errorf("error = %+v", e)
			}
			if len(s.requests) != 1 {
				t.Errorf("%d requests, want 1", len(s.requests))
			}
			if err := within(t.Context(), t, api, 21*time.Second, call); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]time.Duration{0, 30 * time.Second}, s.at); diff != "" {
				t.Errorf("requests at (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACallerWithoutADeadlineWaitsAsLongAsATryMayTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for wait, kind := range map[string]providers.Kind{"10": "", "11": providers.RateLimited} {
			api, _ := play(step{status: 429, header: []string{"Retry-After", wait}}, fine).over(t, TransportConfig{})
			if got := providers.KindOf(get(t, api)); got != kind {
				t.Errorf("%s s: %q, want %q", wait, got, kind)
			}
		}
	})
}

func TestTheLimitsOfA429TellTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for reset, want := range map[time.Duration]time.Duration{42 * time.Second: 42 * time.Second, 0: time.Second} {
			var seen string
			s := play(step{status: 429, body: "told"}, step{status: 503, body: "down"}, fine)
			api, _ := s.over(t, TransportConfig{Limits: func(_ *http.Request, status int, _ http.Header, body []byte) []providers.Limit {
				if status != 429 {
					if body != nil {
						t.Errorf("status %d comes with a body", status)
					}
					return nil
				}
				seen = string(body)
				return []providers.Limit{{Scope: "user", Limit: 50, Reset: reset}, {Scope: "organization", Limit: 200, Remaining: 90, Reset: time.Hour}}
			}})
			e := wantError(t, within(t.Context(), t, api, time.Second/2, Get("get thing", "1")), providers.RateLimited, "")
			if e.RetryAfter != want || seen != "told" {
				t.Errorf("RetryAfter = %v, want %v; the limits saw %q", e.RetryAfter, want, seen)
			}
			if err := within(t.Context(), t, api, time.Minute, Get("get thing", "1")); err != nil {
				t.Error(err)
			}
			if got := s.at[1] - s.at[0]; got < want || got > want+rounding {
				t.Errorf("asked again after %v, want %v", got, want)
			}
		}
	})
}

func TestTheLimitsSeeNoMoreThan4KiBAndTheExplanationAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits, explained := 0, 0
		s := play(step{status: 429, body: string(make([]byte, 10<<10))})
		api, _ := s.over(t, TransportConfig{Limits: func(_ *http.Request, _ int, _ http.Header, body []byte) []providers.Limit {
			limits = len(body)
			return nil
		}})
		api.explain = func(_ int, _ http.Header, body []byte) Explanation {
			explained = len(body)
			return Explanation{}
		}
		wantError(t, get(t, api), providers.RateLimited, "")
		if limits != 4<<10 || explained != 10<<10 {
			t.Errorf("the limits saw %d bytes, the explanation %d", limits, explained)
		}
	})
}

func TestAnAllowanceThatIsUsedUpCostsNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &metered{limit: 3}
		api := newAPI(t, NewTransport(TransportConfig{Base: p, Limits: meter}))
		ctx := providers.WithPriority(t.Context(), providers.Writing)
		for range 3 {
			if err := within(ctx, t, api, time.Second, Get("get thing", "1")); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Second)
		for _, call := range []Call{Get("get thing", "1"), Post("create thing", 1, "things")} {
			e := wantError(t, within(ctx, t, api, 39*time.Second, call), providers.RateLimited, "")
			if e.RetryAfter != 40*time.Second+rounding {
				t.Errorf("RetryAfter = %v, want 41 s", e.RetryAfter)
			}
		}
		start := time.Now()
		if err := within(ctx, t, api, 42*time.Second, Get("get thing", "1")); err != nil {
			t.Error(err)
		}
		if got := time.Since(start); got != 40*time.Second+rounding {
			t.Errorf("answered after %v, want 41 s", got)
		}
		if p.requests != 4 || p.refused != 0 {
			t.Errorf("%d requests, %d refused, want 4 and none", p.requests, p.refused)
		}
	})
}

func TestManyCallersShareAnAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &metered{limit: 50, latency: 20 * time.Millisecond}
		api := newAPI(t, NewTransport(TransportConfig{Base: p, Limits: meter}))
		if err := get(t, api); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var callers sync.WaitGroup
		for range 149 {
			callers.Go(func() {
				if err := within(t.Context(), t, api, 10*time.Minute, Get("get thing", "1")); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if p.refused != 0 || p.requests != 150 {
			t.Errorf("%d requests, %d refused, want 150 and none", p.requests, p.refused)
		}
		// Of each window some are left to writes.
		if got := time.Since(start); got > 3*time.Minute+5*time.Second {
			t.Errorf("150 requests at 50 a minute took %v", got)
		}
	})
}

func TestOtherClientsOfAnAllowanceAreCountedAsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &metered{limit: 50, others: 40}
		transport := NewTransport(TransportConfig{Base: p, Limits: meter})
		api := newAPI(t, transport)
		ctx := providers.WithPriority(t.Context(), providers.Writing)
		for range 10 {
			if err := within(ctx, t, api, time.Second, Get("get thing", "1")); err != nil {
				t.Fatal(err)
			}
		}
		wantError(t, within(ctx, t, api, time.Second, Get("get thing", "1")), providers.RateLimited, "")
		want := []providers.Budget{{Scope: "user", Limit: 50, Remaining: 0, ResetsAt: p.ends, Window: time.Minute}}
		if diff := cmp.Diff(want, transport.Health().Budgets); diff != "" {
			t.Errorf("budgets (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute + rounding)
		if got := transport.Health().Budgets[0].Remaining; got != 50 {
			t.Errorf("%d remain in a new window, want 50", got)
		}
	})
}

func TestARequestThatNeverLeftIsNotCounted(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Limit", "50")
		w.Header().Set("Remaining", "30")
		w.Header().Set("Reset", "60")
	})
	transport := NewTransport(TransportConfig{Base: &http.Transport{DisableKeepAlives: true}, Limits: meter, BreakerFailures: 100})
	api := s.plain(t, func(o *Options) { o.Client = &http.Client{Transport: transport} })
	if _, err := api.Do(t.Context(), Delete("delete thing", "1"), nil); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for range 5 {
		_, err := api.Do(t.Context(), Post("create thing", 1, "things"), nil)
		wantError(t, err, providers.Unavailable, providers.Unreachable)
	}
	if got := transport.Health().Budgets[0].Remaining; got != 30 {
		t.Errorf("%d remain, want 30", got)
	}
}

// answers is a provider that tells one allowance after the other.
func answers(limits ...providers.Limit) http.RoundTripper {
	n := -1
	return upstream(func(*http.Request) (*http.Response, error) {
		n++
		l := limits[min(n, len(limits)-1)]
		return respond(200, `{}`, "Limit", strconv.Itoa(l.Limit), "Remaining", strconv.Itoa(l.Remaining), "Reset", strconv.Itoa(int(l.Reset/time.Second))), nil
	})
}

func TestAnAccountBelievesTheLeastOfOneWindowAndAllOfANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := func(remaining int, reset time.Duration) providers.Limit {
			return providers.Limit{Limit: 50, Remaining: remaining, Reset: reset}
		}
		steps := []struct {
			name  string
			after time.Duration
			told  providers.Limit
			want  int
		}{
			{"at first", 0, told(30, time.Minute), 30},
			{"an answer that was overtaken", time.Second, told(32, 59*time.Second), 30},
			{"another client took some", time.Second, told(24, 58*time.Second), 24},
			{"a new window", time.Minute, told(49, time.Minute), 49},
			{"nonsense", time.Second, told(-5, 59*time.Second), 0},
		}
		limits := make([]providers.Limit, len(steps))
		for i, step := range steps {
			limits[i] = step.told
		}
		transport := NewTransport(TransportConfig{Base: answers(limits...), Limits: meter})
		api := newAPI(t, transport)
		for _, step := range steps {
			time.Sleep(step.after)
			if err := get(t, api); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := transport.Health().Budgets[0].Remaining; got != step.want {
				t.Errorf("%s: %d remain, want %d", step.name, got, step.want)
			}
		}
	})
}

func TestAWrongHeaderSilencesAnAccountForAnHourAtMost(t *testing.T) {
	for name, answer := range map[string]step{
		"a limit":                  {status: 200, body: `{}`, header: []string{"Limit", "50", "Remaining", "0", "Reset", "2147483647"}},
		"a limit that is not told": {status: 200, body: `{}`, header: []string{"Limit", "0", "Remaining", "0", "Reset", "2147483647"}},
		"a pause":                  {status: 429, header: []string{"Retry-After", "2147483647"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := play(answer, fine)
			api, _ := s.over(t, TransportConfig{Limits: meter})
			_ = get(t, api)
			e := wantError(t, get(t, api), providers.RateLimited, "")
			if e.RetryAfter < time.Hour || e.RetryAfter > time.Hour+time.Minute {
				t.Errorf("%s: wait = %v, want 1 h", name, e.RetryAfter)
			}
			time.Sleep(e.RetryAfter)
			if err := get(t, api); err != nil {
				t.Errorf("%s: after an hour: %v", name, err)
			}
		})
	}
}

func TestWaitingForAnAllowanceDoesNotHideAnOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(step{status: 503, header: []string{"Limit", "1", "Remaining", "0", "Reset", "5"}})
		api, _ := s.over(t, TransportConfig{Tries: 1, Limits: meter, BreakerFailures: 1})
		wantError(t, get(t, api), providers.Unavailable, providers.Unreachable)
		start := time.Now()
		wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen)
		if got := time.Since(start); got != 0 {
			t.Errorf("told after %v", got)
		}
	})
}

func TestARequestThatTheBreakerKeepsBackIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		requests := 0
		transport := NewTransport(TransportConfig{Tries: 1, BreakerFailures: 1, Limits: meter, Base: upstream(func(*http.Request) (*http.Response, error) {
			if requests++; requests == 2 {
				<-answer
			}
			return respond(500, "", "Limit", "50", "Remaining", "9", "Reset", "60"), nil
		})})
		api := newAPI(t, transport)
		_ = get(t, api)
		time.Sleep(10 * time.Second)
		probe := make(chan error)
		go func() { probe <- get(t, api) }()
		synctest.Wait()
		for range 5 {
			wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen)
		}
		if got := transport.Health().Budgets[0].Remaining; got != 8 {
			t.Errorf("%d remain, want 8", got)
		}
		close(answer)
		wantError(t, <-probe, providers.Unavailable, providers.Unreachable)
	})
}

func TestACallerWhoLeavesWhileWaitingForAnAllowanceIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &metered{limit: 1}
		api := newAPI(t, NewTransport(TransportConfig{Base: p, Limits: meter, Timeout: time.Hour}))
		if err := get(t, api); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := api.Do(ctx, Post("create thing", 1, "things"), &thing{})
		wantError(t, err, providers.Canceled, "")
		if p.requests != 1 {
			t.Errorf("%d requests, want 1", p.requests)
		}
	})
}
