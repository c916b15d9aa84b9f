package rest

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestHealthFollowsTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sick = "get thing: "
		for _, test := range []struct {
			name    string
			answer  step
			success bool
			want    string // the last error after a failure before
		}{
			{"a value", fine, true, ""},
			{"not found", step{status: 404}, true, ""},
			{"forbidden", step{status: 403}, true, ""},
			{"invalid", step{status: 422}, true, ""},
			{"a credential that is refused", step{status: 401}, false, sick + "the credential is refused, status 401"},
			{"a bad day", step{status: 502}, false, sick + "status 502"},
			{"a connection that breaks", broken, false, sick + "the connection broke"},
			{"nonsense", step{status: 200, body: "<html>canary"}, false, sick + "an answer that makes no sense"},
			{"a redirect", step{status: 302, header: []string{"Location", "https://canary.test"}}, false, sick + "an answer that makes no sense"},
			{"an allowance that is used up", step{status: 429}, false, sick + "status 500"},
		} {
			s := play(step{status: 500}, test.answer)
			api, transport := s.over(t, once)
			if diff := cmp.Diff(providers.Health{Healthy: true}, transport.Health()); diff != "" {
				t.Errorf("before the first call (-want +got):\n%s", diff)
			}
			_ = get(t, api)
			if h := transport.Health(); h.Healthy || h.LastError != sick+"status 500" {
				t.Errorf("after a failure: %+v", h)
			}
			time.Sleep(time.Second)
			_ = get(t, api)
			want := providers.Health{Healthy: test.success, LastError: test.want}
			if test.success {
				want.LastSuccess = time.Now()
			}
			if diff := cmp.Diff(want, transport.Health()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
		}
	})
}

func TestACallerWhoLeavesChangesNoHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := NewTransport(TransportConfig{Base: upstream(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := newAPI(t, transport).Do(ctx, Get("get thing", "1"), &thing{})
		wantError(t, err, providers.Canceled, "")
		if diff := cmp.Diff(providers.Health{Healthy: true}, transport.Health()); diff != "" {
			t.Errorf("health (-want +got):\n%s", diff)
		}
	})
}

// net/http ends now and then a request of one caller because another caller of the same connection left.
func TestAConnectionThatAnotherCallerTookAlongBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		transport := NewTransport(TransportConfig{BreakerFailures: 1, Base: upstream(func(*http.Request) (*http.Response, error) {
			if sent++; sent%2 == 1 {
				return nil, context.Canceled
			}
			return respond(200, `{"id":"1"}`), nil
		})})
		api := newAPI(t, transport)
		if err := get(t, api); err != nil || sent != 2 {
			t.Errorf("a read: %v after %d requests, want an answer after 2", err, sent)
		}
		_, err := api.Do(t.Context(), Post("create thing", 1, "things"), &thing{})
		wantError(t, err, providers.OutcomeUnknown, providers.Unreachable)
		if h := transport.Health(); !h.Healthy {
			t.Errorf("health = %+v", h)
		}
		if err := get(t, api); err != nil {
			t.Errorf("the next call: %v", err)
		}
	})
}

func TestSilenceIsToldAsSuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := NewTransport(TransportConfig{Tries: 1, Base: upstream(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})})
		wantError(t, get(t, newAPI(t, transport)), providers.Unavailable, providers.Timeout)
		if got := transport.Health().LastError; got != "get thing: no answer in time" {
			t.Errorf("LastError = %q", got)
		}
	})
}

func TestEachTryIsObservedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Observation
		slow := upstream(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			switch len(seen) {
			case 0:
				return nil, errReset
			case 1:
				return respond(503, ""), nil
			case 2:
				return respond(200, `{}`), nil
			case 3:
				return respond(200, `<html>`), nil
			case 4:
				return respond(404, ""), nil
			}
			return respond(500, ""), nil
		})
		api := newAPI(t, NewTransport(TransportConfig{
			Provider: "acme", Account: "main", Base: slow, Tries: 3, BreakerFailures: 1000,
			Observe: func(o Observation) { seen = append(seen, o) },
		}))
		_ = get(t, api)
		_ = get(t, api)
		_ = get(t, api)
		_, _ = api.Do(t.Context(), Post("create thing", 1, "things"), &thing{})

		want := []Observation{
			{Op: "get thing", Method: "GET", Kind: providers.Unavailable, Reason: providers.Unreachable, Try: 1},
			{Op: "get thing", Method: "GET", Status: 503, Kind: providers.Unavailable, Reason: providers.Unreachable, Try: 2},
			{Op: "get thing", Method: "GET", Status: 200, Try: 3},
			{Op: "get thing", Method: "GET", Status: 200, Kind: providers.Unavailable, Reason: providers.InvalidResponse, Try: 1},
			{Op: "get thing", Method: "GET", Status: 404, Kind: providers.NotFound, Try: 1},
			{Op: "create thing", Method: "POST", Status: 500, Kind: providers.OutcomeUnknown, Reason: providers.Unreachable, Try: 1},
		}
		for i := range seen {
			if seen[i].Duration != time.Second || seen[i].Started.IsZero() {
				t.Errorf("try %d: %+v", i, seen[i])
			}
			seen[i].Started, seen[i].Duration = time.Time{}, 0
		}
		for i := range want {
			want[i].Provider, want[i].Account = "acme", "main"
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("observations (-want +got):\n%s", diff)
		}
	})
}

func TestTheTimeOfOneTryCoversItsBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			body time.Duration
			kind providers.Kind
		}{{9 * time.Second, ""}, {11 * time.Second, providers.Unavailable}} {
			transport := NewTransport(TransportConfig{Base: upstream(func(req *http.Request) (*http.Response, error) {
				resp := respond(200, "")
				resp.ContentLength = -1
				resp.Body = &lateBody{ctx: req.Context(), after: test.body, text: `{"id":"1"}`}
				return resp, nil
			})})
			start := time.Now()
			err := get(t, newAPI(t, transport))
			if got := providers.KindOf(err); got != test.kind {
				t.Errorf("a body of %v: %v", test.body, err)
			}
			if got := time.Since(start); got != min(test.body, 10*time.Second) {
				t.Errorf("a body of %v took %v", test.body, got)
			}
		}
	})
}

func TestACallerWhoLeavesWhileReadingIsToldSoAndBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Observation
		transport := NewTransport(TransportConfig{BreakerFailures: 1, Base: upstream(func(req *http.Request) (*http.Response, error) {
			resp := respond(200, "")
			resp.ContentLength = -1
			resp.Body = &lateBody{ctx: req.Context(), after: 5 * time.Second, text: `{}`}
			return resp, nil
		}), Observe: func(o Observation) { seen = append(seen, o) }})
		api := newAPI(t, transport)
		for _, call := range []Call{Get("get thing", "1"), Post("create thing", 1, "things")} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, err := api.Do(ctx, call, &thing{})
			wantError(t, err, providers.Canceled, "")
		}
		synctest.Wait()
		if diff := cmp.Diff(providers.Health{Healthy: true}, transport.Health()); diff != "" {
			t.Errorf("health (-want +got):\n%s", diff)
		}
		if len(seen) != 2 || seen[0].Kind != providers.Canceled || seen[1].Kind != providers.Canceled {
			t.Errorf("observations = %+v", seen)
		}
		if err := get(t, api); err != nil {
			t.Errorf("the next call: %v", err)
		}
	})
}

// lateBody has its text after a while, unless its context ends before.
type lateBody struct {
	ctx   context.Context
	after time.Duration
	text  string
}

func (b *lateBody) Read(p []byte) (int, error) {
	if err := sleep(b.ctx, b.after); err != nil {
		return 0, err
	}
	b.after = 0
	if b.text == "" {
		return 0, io.EOF
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}

func (b *lateBody) Close() error { return nil }
