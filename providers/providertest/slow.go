package providertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// slowCases take no time: they run in a bubble.
func slowCases() []testCase {
	return []testCase{
		{"however slow the provider, the caller's deadline holds", deadlineHolds, false},
		{"a caller who leaves is let go at once", callerLeaves, false},
		{"a context that has ended sends no request", endedContext, false},
		{"a silent provider is given up", silentProvider, false},
	}
}

// delay holds an answer back at one of its stages.
type delay struct {
	name string
	// status has come all the same; 0: none has.
	status int
	hold   func(http.ResponseWriter, *http.Request)
}

func delays() []delay {
	wait := func(req *http.Request) { <-req.Context().Done() }
	after := func(status int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(status); wait(req) }
	}
	return []delay{
		{"no answer", 0, func(_ http.ResponseWriter, req *http.Request) { wait(req) }},
		{"no body", 200, after(200)},
		{"a refusal without a body", 403, after(403)},
		{"a body that drips", 200, func(w http.ResponseWriter, req *http.Request) {
			for req.Context().Err() == nil {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}},
		{"always 503", 503, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		{"429 for an hour", 429, func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusTooManyRequests, "") }},
	}
}

// allow adds the outcomes that the status alone decides: a refusal, and a delete, which needs no body.
func (d delay) allow(m method, err error, kinds ...providers.Kind) (done bool, allowed []providers.Kind) {
	if d.status == 403 {
		kinds = append(kinds, providers.Forbidden)
	}
	if m.writes {
		kinds = append(kinds, providers.OutcomeUnknown)
	}
	return err == nil && d.status == 200 && m.name == "DeleteToken", kinds
}

// eachDelayed calls each method, warm and cold, while all answers are held back.
func (s subject) eachDelayed(t *testing.T, run func(t *testing.T, r *rig, what string, m method, d delay)) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		for _, d := range delays() {
			for _, m := range r.methods() {
				for what, open := range map[string]func(*testing.T) providers.Provider{"cold": r.open, "warm": r.warm} {
					r.provider = open(t)
					r.spoilAll(d.hold)
					run(t, r, fmt.Sprintf("%s, %s, %s", m.name, what, d.name), m, d)
					r.tap.Spoil(nil)
				}
			}
		}
	})
}

func deadlineHolds(t *testing.T, s subject) {
	s.eachDelayed(t, func(t *testing.T, r *rig, what string, m method, d delay) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		value, err := m.call(ctx, r.provider, r.world)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: it took %v, and the caller had a second", what, took)
		}
		done, kinds := d.allow(m, err, providers.Unavailable, providers.RateLimited)
		if !done && !r.managesWithout(t, what, m, value, err) {
			r.wantKind(t, what, err, kinds...)
		}
	})
}

func callerLeaves(t *testing.T, s subject) {
	s.eachDelayed(t, func(t *testing.T, r *rig, what string, m method, d delay) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		defer time.AfterFunc(time.Second, cancel).Stop()
		start := time.Now()
		value, err := m.call(ctx, r.provider, r.world)
		took := time.Since(start)
		if took > time.Second {
			t.Errorf("%s: it took %v, and the caller left after a second", what, took)
		}
		done, kinds := d.allow(m, err, providers.Canceled)
		if took < time.Second {
			kinds = append(kinds, providers.Unavailable, providers.RateLimited) // it failed before the caller left
		}
		if !done && !r.managesWithout(t, what, m, value, err) {
			r.wantKind(t, what, err, kinds...)
		}
	})
}

func silentProvider(t *testing.T, s subject) {
	s.eachDelayed(t, func(t *testing.T, r *rig, what string, m method, d delay) {
		start := time.Now()
		value, err := m.call(t.Context(), r.provider, r.world)
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("%s: it was given up after %v, want within two minutes", what, took)
		}
		done, kinds := d.allow(m, err, providers.Unavailable, providers.RateLimited)
		if !done && !r.managesWithout(t, what, m, value, err) {
			r.wantKind(t, what, err, kinds...)
		}
	})
}

func endedContext(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		for ctx, kind := range map[context.Context]providers.Kind{canceled: providers.Canceled, late: providers.Unavailable} {
			for _, m := range r.methods() {
				for what, p := range map[string]providers.Provider{"cold": r.open(t), "warm": r.warm(t)} {
					r.tap.Reset()
					value, err := m.call(ctx, p, r.world)
					synctest.Wait() // also for what goes on in the background
					r.wantRequests(t, fmt.Sprintf("%s, %s, for a caller who is %s", m.name, what, kind), 0)
					if !r.managesWithout(t, m.name, m, value, err) {
						r.wantKind(t, m.name, err, kind)
					}
				}
			}
		}
	})
}
