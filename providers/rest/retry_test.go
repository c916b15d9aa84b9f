package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

var errReset = errors.New("canary: connection reset by 10.0.0.1:443")

// script answers the nth request with the nth step, and all later ones with the last.
type script struct {
	steps    []step
	requests []string // method and body
	at       []time.Duration
	start    time.Time
}

type step struct {
	status int // 0: the connection breaks
	body   string
	header []string
}

func play(steps ...step) *script { return &script{steps: steps, start: time.Now()} }

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	line := req.Method
	if req.Body != nil {
		text, _ := io.ReadAll(req.Body)
		_ = req.Body.Close()
		line += " " + string(text)
	}
	next := s.steps[min(len(s.requests), len(s.steps)-1)]
	s.requests = append(s.requests, line)
	s.at = append(s.at, time.Since(s.start))
	if next.status == 0 {
		return nil, errReset
	}
	return respond(next.status, next.body, next.header...), nil
}

// over is an API that endures above a script.
func (s *script) over(t *testing.T, config TransportConfig) (*API, *Transport) {
	t.Helper()
	config.Base, config.Provider, config.Account = s, "acme", "main"
	transport := NewTransport(config)
	return newAPI(t, transport), transport
}

var (
	fine   = step{status: 200, body: `{"id":"1"}`}
	broken = step{}
	down   = step{status: 503}
)

func TestWhatMayBeRepeatedIsUntilItIsAnswered(t *testing.T) {
	idempotentPost := Post("patch thing", 1, "things", "1")
	idempotentPost.Idempotent = true
	onlyOnce := Get("get thing", "things", "1")
	onlyOnce.Idempotent = false
	for _, test := range []struct {
		name  string
		call  Call
		steps []step
		sent  int
		kind  providers.Kind
	}{
		{"a read, refused twice, then answered", Get("get thing", "1"), []step{down, down, fine}, 3, ""},
		{"a read after broken connections", Get("get thing", "1"), []step{broken, broken, fine}, 3, ""},
		{"a read that never works", Get("get thing", "1"), []step{down}, 3, providers.Unavailable},
		{"a read whose connection always breaks", Get("get thing", "1"), []step{broken}, 3, providers.Unavailable},
		{"500", Get("get thing", "1"), []step{{status: 500}, fine}, 2, ""},
		{"502", Get("get thing", "1"), []step{{status: 502}, fine}, 2, ""},
		{"504", Get("get thing", "1"), []step{{status: 504}, fine}, 2, ""},
		{"501 will not change", Get("get thing", "1"), []step{{status: 501}, fine}, 1, providers.Unavailable},
		{"401 will not change", Get("get thing", "1"), []step{{status: 401}, fine}, 1, providers.Unauthorized},
		{"404 will not change", Get("get thing", "1"), []step{{status: 404}, fine}, 1, providers.NotFound},
		{"nonsense will not change", Get("get thing", "1"), []step{{status: 200, body: "<html>"}, fine}, 1, providers.Unavailable},
		{"a replacement", Put("replace thing", 1, "1"), []step{down, broken, fine}, 3, ""},
		{"a deletion", Delete("delete thing", "1"), []step{down, {status: 204}}, 2, ""},
		{"a POST that is marked", idempotentPost, []step{down, fine}, 2, ""},
		{"a read that is marked otherwise", onlyOnce, []step{down, fine}, 1, providers.Unavailable},
		{"a create, 503", Post("create thing", 1, "things"), []step{down, fine}, 1, providers.OutcomeUnknown},
		{"a create, 500", Post("create thing", 1, "things"), []step{{status: 500}, fine}, 1, providers.OutcomeUnknown},
		{"a create, broken", Post("create thing", 1, "things"), []step{broken, fine}, 1, providers.OutcomeUnknown},
		{"a patch, broken", Patch("patch thing", 1, "1"), []step{broken, fine}, 1, providers.OutcomeUnknown},
		{"a create, bare 429: it was not executed", Post("create thing", 1, "things"), []step{{status: 429}, {status: 429}, fine}, 3, ""},
		{"a create after a 429 is sent once", Post("create thing", 1, "things"), []step{{status: 429}, down, fine}, 2, providers.OutcomeUnknown},
		{"a read that is always refused", Get("get thing", "1"), []step{{status: 429}}, 3, providers.RateLimited},
		{"a lost replacement that is then refused", Put("replace thing", 1, "1"), []step{broken, {status: 429}}, 3, providers.OutcomeUnknown},
		{"a lost deletion that then finds nothing has worked", Delete("delete thing", "1"), []step{broken, {status: 404}}, 2, ""},
		{"a lost replacement that then finds nothing", Put("replace thing", 1, "1"), []step{broken, {status: 404}}, 2, providers.NotFound},
		{"a lost replacement that then makes no sense", Put("replace thing", 1, "1"), []step{broken, {status: 405}}, 2, providers.OutcomeUnknown},
		{"a replacement that makes no sense", Put("replace thing", 1, "1"), []step{{status: 405}}, 1, providers.Unavailable},
		{"a deletion of nothing", Delete("delete thing", "1"), []step{{status: 404}}, 1, providers.NotFound},
		{"a refused deletion of nothing", Delete("delete thing", "1"), []step{{status: 429}, {status: 404}}, 2, providers.NotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(test.steps...)
				api, _ := s.over(t, TransportConfig{})
				var out any = &thing{}
				if test.call.Method == http.MethodDelete {
					out = nil
				}
				_, err := api.Do(t.Context(), test.call, out)
				if got := providers.KindOf(err); got != test.kind {
					t.Errorf("error = %v, want %q", err, test.kind)
				}
				if len(s.requests) != test.sent {
					t.Errorf("requests = %q, want %d", s.requests, test.sent)
				}
				for _, line := range s.requests {
					if line != s.requests[0] {
						t.Errorf("requests differ: %q", s.requests)
					}
				}
			})
		})
	}
}

func TestTheLastAnswerIsTheOneThatCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(down, step{status: 502, body: `last`, header: []string{"X-Try", "2"}})
		api, _ := s.over(t, TransportConfig{Tries: 2})
		api.explain = func(_ int, _ http.Header, body []byte) Explanation { return Explanation{Message: string(body)} }
		answer, err := api.Do(t.Context(), Get("get thing", "1"), &thing{})
		e := wantError(t, err, providers.Unavailable, providers.Unreachable)
		if e.Status != 502 || e.Message != "last" || answer.Header.Get("X-Try") != "2" {
			t.Errorf("error = %+v, answer = %+v", e, answer)
		}
	})
}

func TestPausesGrowAndAreChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(down)
		api, _ := s.over(t, TransportConfig{Tries: 4, BreakerFailures: 100})
		_, _ = api.Do(t.Context(), Get("get thing", "1"), &thing{})
		for i, bounds := range [][2]time.Duration{{50, 100}, {100, 200}, {200, 400}} {
			if got := s.at[i+1] - s.at[i]; got < bounds[0]*time.Millisecond || got > bounds[1]*time.Millisecond {
				t.Errorf("pause %d = %v, want %v to %v ms", i+1, got, bounds[0], bounds[1])
			}
		}
	})
}

func TestThoseWhoFailedTogetherDoNotComeBackTogether(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		seen[pause(1)] = true
	}
	if len(seen) < 90 {
		t.Errorf("100 pauses have %d lengths", len(seen))
	}
}

func TestAPauseThatDoesNotFitTheDeadlineIsNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, first := range []step{down, broken, {status: 503, header: []string{"Retry-After", "1"}}, {status: 429}} {
			s := play(first, fine)
			api, _ := s.over(t, TransportConfig{})
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
			start := time.Now()
			_, err := api.Do(ctx, Get("get thing", "1"), &thing{})
			cancel()
			if err == nil || len(s.requests) != 1 || time.Since(start) != 0 {
				t.Errorf("%+v: error %v after %v, %d requests", first, err, time.Since(start), len(s.requests))
			}
		}
	})
}

func TestAMaintenancesOwnWaitIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(step{status: 503, header: []string{"Retry-After", "5"}}, fine)
		api, _ := s.over(t, TransportConfig{})
		if _, err := api.Do(t.Context(), Get("get thing", "1"), &thing{}); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]time.Duration{0, 5 * time.Second}, s.at); diff != "" {
			t.Errorf("requests at (-want +got):\n%s", diff)
		}
	})
}

func TestACallerWhoLeavesDuringAPauseIsToldSo(t *testing.T) {
	for _, first := range []step{down, {status: 429}, {status: 429, header: []string{"Retry-After", "1"}}} {
		synctest.Test(t, func(t *testing.T) {
			s := play(first, fine)
			api, _ := s.over(t, TransportConfig{})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			start := time.Now()
			_, err := api.Do(ctx, Put("replace thing", 1, "1"), &thing{})
			wantError(t, err, providers.Canceled, "")
			if got := time.Since(start); got != 10*time.Millisecond || len(s.requests) != 1 {
				t.Errorf("told after %v and %d requests", got, len(s.requests))
			}
		})
	}
}

func TestAnAccountsRepetitionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(down)
		api, _ := s.over(t, TransportConfig{BreakerFailures: 1000})
		call := func() int {
			before := len(s.requests)
			_, err := api.Do(t.Context(), Get("get thing", "1"), &thing{})
			wantError(t, err, providers.Unavailable, providers.Unreachable)
			return len(s.requests) - before
		}
		for range 100 {
			call()
		}
		// 100 first tries, a burst of 10, and one for each of the few seconds that the pauses took.
		if got := len(s.requests); got < 110 || got > 115 {
			t.Errorf("%d requests for 100 calls", got)
		}
		time.Sleep(time.Minute)
		if got := call(); got != 3 {
			t.Errorf("%d tries after a quiet minute, want 3", got)
		}
	})
}

func TestARequestWithoutMarksIsRepeatedWhenItIsAGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for method, want := range map[string]int{"GET": 3, "POST": 1, "PUT": 1, "DELETE": 1} {
			s := play(down)
			client := &http.Client{Transport: NewTransport(TransportConfig{Base: s})}
			req, err := http.NewRequestWithContext(t.Context(), method, "https://api.acme.test/", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil || resp.StatusCode != 503 {
				t.Fatalf("%s: %v, %v", method, resp, err)
			}
			_ = resp.Body.Close()
			if len(s.requests) != want {
				t.Errorf("%s: %d requests, want %d", method, len(s.requests), want)
			}
		}
	})
}

func TestABodyThatCannotBeReadTwiceIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(down)
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.acme.test/", io.NopCloser(strings.NewReader("x")))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := NewTransport(TransportConfig{Base: s}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if len(s.requests) != 1 {
			t.Errorf("requests = %q", s.requests)
		}
	})
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "1.5": 0, "soon": 0, " 7": 0,
		"Fri, 01 May 2026 12:01:00 GMT": time.Minute, "Fri, 01 May 2026 11:00:00 GMT": 0,
		"99999999999999999999999": (1<<31 - 1) * time.Second,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", text, got, want)
		}
	}
}
