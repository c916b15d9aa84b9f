package rest

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// once is a config whose calls are tried once, so that calls and requests are the same number.
var once = TransportConfig{Tries: 1}

func get(t *testing.T, api *API) error {
	t.Helper()
	_, err := api.Do(t.Context(), Get("get thing", "1"), &thing{})
	return err
}

func TestTheBreakerOpensAfterFailuresInARow(t *testing.T) {
	for name, failure := range map[string]step{"503": down, "501": {status: 501}, "broken": broken} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(failure, failure, failure, failure, fine, failure)
				api, _ := s.over(t, once)
				for range 4 + 1 + 5 {
					_ = get(t, api)
				}
				if len(s.requests) != 10 {
					t.Fatalf("%d requests before the breaker opens, want 10", len(s.requests))
				}
				start := time.Now()
				e := wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen)
				if e.RetryAfter != 10*time.Second || time.Since(start) != 0 {
					t.Errorf("refused after %v with %v left", time.Since(start), e.RetryAfter)
				}
				_, err := api.Do(t.Context(), Post("create thing", 1, "things"), &thing{})
				wantError(t, err, providers.Unavailable, providers.CircuitOpen)
				if len(s.requests) != 10 {
					t.Errorf("the open breaker let a request through")
				}
			})
		})
	}
}

func TestWhatIsTheCallersMatterDoesNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []step{
			{status: 400}, {status: 401}, {status: 403}, {status: 404}, {status: 409}, {status: 422}, {status: 429},
			{status: 200, body: "<html>"}, {status: 302},
		} {
			s := play(answer)
			api, _ := s.over(t, once)
			for range 20 {
				_ = get(t, api)
			}
			if len(s.requests) != 20 {
				t.Errorf("%+v: %d requests, want 20", answer, len(s.requests))
			}
		}
	})
}

func TestHalfBodiesOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		half := upstream(func(*http.Request) (*http.Response, error) {
			requests++
			resp := respond(200, "")
			resp.Body = io.NopCloser(io.MultiReader(zeroes(10), failing{io.ErrUnexpectedEOF}))
			return resp, nil
		})
		api := newAPI(t, NewTransport(TransportConfig{Base: half}))
		for range 5 {
			wantError(t, get(t, api), providers.Unavailable, providers.InvalidResponse)
		}
		wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen)
		if requests != 5 {
			t.Errorf("%d requests, want 5", requests)
		}
	})
}

func TestOneProbeClosesTheBreakerOrOpensItAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(down, down, down, down, down, down, fine)
		api, _ := s.over(t, TransportConfig{Tries: 1})
		for range 5 {
			_ = get(t, api)
		}
		time.Sleep(10*time.Second - 1)
		wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen)
		time.Sleep(time.Nanosecond)
		if e := wantError(t, get(t, api), providers.Unavailable, providers.Unreachable); e.Status != 503 {
			t.Errorf("the probe = %+v", e)
		}
		if e := wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen); e.RetryAfter != 10*time.Second {
			t.Errorf("after a failed probe %v are left", e.RetryAfter)
		}
		time.Sleep(10 * time.Second)
		for range 5 {
			if err := get(t, api); err != nil {
				t.Errorf("after a good probe: %v", err)
			}
		}
		if len(s.requests) != 5+1+5 {
			t.Errorf("%d requests, want 11", len(s.requests))
		}
	})
}

func TestOnlyOneRequestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests, answer := 0, make(chan struct{})
		api := newAPI(t, NewTransport(TransportConfig{Base: upstream(func(*http.Request) (*http.Response, error) {
			if requests++; requests <= 5 {
				return nil, errReset
			}
			<-answer
			return respond(200, `{}`), nil
		}), Tries: 1}))
		for range 5 {
			_ = get(t, api)
		}
		time.Sleep(10 * time.Second)
		probe := make(chan error)
		go func() { probe <- get(t, api) }()
		synctest.Wait()
		for range 3 {
			wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen)
		}
		close(answer)
		if err := <-probe; err != nil {
			t.Error(err)
		}
		if err := get(t, api); err != nil || requests != 7 {
			t.Errorf("after the probe: %v, %d requests", err, requests)
		}
	})
}

func TestAProbeWhoseCallerLeavesMakesRoomForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		api := newAPI(t, NewTransport(TransportConfig{Base: upstream(func(req *http.Request) (*http.Response, error) {
			switch requests++; {
			case requests <= 5:
				return nil, errReset
			case requests == 6:
				<-req.Context().Done()
				return nil, req.Context().Err()
			}
			return respond(200, `{}`), nil
		}), Tries: 1}))
		for range 5 {
			_ = get(t, api)
		}
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		_, err := api.Do(ctx, Get("get thing", "1"), &thing{})
		wantError(t, err, providers.Canceled, "")
		if err := get(t, api); err != nil {
			t.Errorf("the next probe: %v", err)
		}
	})
}

func TestABodyThatNobodyClosesDoesNotHoldTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(down, down, down, down, down, fine)
		api, transport := s.over(t, once)
		for range 5 {
			_ = get(t, api)
		}
		time.Sleep(10 * time.Second)
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.acme.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() // much too late
		wantError(t, get(t, api), providers.Unavailable, providers.CircuitOpen)
		time.Sleep(10*time.Second + 10*time.Second) // until the try is over, and the breaker asks again
		if err := get(t, api); err != nil {
			t.Error(err)
		}
	})
}

func TestHastyCallersDoNotOpenTheBreakerButSilenceDoes(t *testing.T) {
	for _, test := range []struct {
		name     string
		deadline time.Duration
		opens    bool
	}{
		{"callers with 900 ms", 900 * time.Millisecond, false},
		{"callers with 2 s", 2 * time.Second, true},
		{"patient callers", time.Minute, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				api := newAPI(t, NewTransport(TransportConfig{Base: upstream(func(req *http.Request) (*http.Response, error) {
					requests++
					<-req.Context().Done()
					return nil, req.Context().Err()
				}), Tries: 1, BreakerDelay: time.Hour}))
				var err error
				for range 6 {
					ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
					_, err = api.Do(ctx, Get("get thing", "1"), &thing{})
					cancel()
				}
				reason, sent := providers.Timeout, 6
				if test.opens {
					reason, sent = providers.CircuitOpen, 5
				}
				wantError(t, err, providers.Unavailable, reason)
				if requests != sent {
					t.Errorf("%d requests, want %d", requests, sent)
				}
			})
		})
	}
}

func TestAnOpenBreakerEndsTheTriesWithWhatWentWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(down)
		api, _ := s.over(t, TransportConfig{BreakerFailures: 2})
		e := wantError(t, get(t, api), providers.Unavailable, providers.Unreachable)
		if e.Status != 503 || len(s.requests) != 2 {
			t.Errorf("error = %+v after %d requests", e, len(s.requests))
		}
		_, err := api.Do(t.Context(), Put("replace thing", 1, "1"), &thing{})
		wantError(t, err, providers.Unavailable, providers.CircuitOpen)
	})
}

// zeroes is a reader of n JSON zeroes, failing one of an error.
func zeroes(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
