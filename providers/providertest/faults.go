package providertest

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

func faultCases() []testCase {
	return []testCase{
		{"refused twice then answered is one result after three requests", refusedTwice, false},
		{"a write that may be repeated is", writeRepeated, false},
		{"a create is sent once", createSentOnce, false},
		{"a create that was told to wait makes one token", createTold, false},
		{"a delete whose answer was lost is done in the end", lostDelete, false},
		{"however slow the provider, the caller's deadline holds", deadlineHolds, false},
		{"a caller who leaves is let go at once", callerLeaves, false},
		{"a context that has ended sends no request", endedContext, false},
		{"a silent provider is given up", silentProvider, false},
	}
}

// troubles pass: the same request works the next time.
func troubles() map[string]func(http.ResponseWriter, *http.Request) {
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	return map[string]func(http.ResponseWriter, *http.Request){
		"500": status(500), "502": status(502), "503": status(503), "504": status(504),
		"429": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
}

// spoilFirst makes trouble for the next n requests.
func (r *rig) spoilFirst(n int, trouble func(http.ResponseWriter, *http.Request)) {
	r.tap.Spoil(func(w http.ResponseWriter, req *http.Request, nth int) bool {
		if nth > n {
			return false
		}
		trouble(w, req)
		return true
	})
}

// spoilAll makes trouble until the tap's Spoil is nil again.
func (r *rig) spoilAll(trouble func(http.ResponseWriter, *http.Request)) {
	r.spoilFirst(math.MaxInt, trouble)
}

func refusedTwice(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		for name, trouble := range troubles() {
			for _, m := range r.methods() {
				if m.writes || m.cost.Warm == 0 {
					continue
				}
				r.provider = r.warm(t)
				want := must(m.call(t.Context(), r.provider, r.world))(t)
				r.tap.Reset()
				r.spoilFirst(2, trouble)
				what := m.name + " after twice " + name
				got, err := m.call(t.Context(), r.provider, r.world)
				r.tap.Spoil(nil)
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				same(t, what+": the result differs", got, want)
				r.wantRequests(t, what, m.cost.Warm+2)
			}
		}
	})
}

func writeRepeated(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		for name, trouble := range troubles() {
			for _, m := range r.methods() {
				if !m.writes || m.name == "CreateToken" {
					continue
				}
				r.provider = r.warm(t)
				created, _ := r.create(t)
				w := r.world
				w.token = created.Token
				r.tap.Reset()
				r.spoilFirst(2, trouble)
				what := m.name + " after twice " + name
				_, err := m.call(t.Context(), r.provider, w)
				r.tap.Spoil(nil)
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
				r.wantRequests(t, what, m.cost.Warm+2)
			}
		}
	})
}

// losses are what can become of a create's answer. Of some the provider has done what was asked for.
func (r *rig) losses() map[string]func(http.ResponseWriter, *http.Request) {
	done := func(req *http.Request) { r.emulator.Handler.ServeHTTP(httptest.NewRecorder(), req) }
	return map[string]func(http.ResponseWriter, *http.Request){
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"503 with a wait": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"done, then 502":      func(w http.ResponseWriter, req *http.Request) { done(req); w.WriteHeader(http.StatusBadGateway) },
		"done, then silence":  func(_ http.ResponseWriter, req *http.Request) { done(req); <-req.Context().Done() },
		"done, then a broken connection": func(_ http.ResponseWriter, req *http.Request) {
			done(req)
			panic(http.ErrAbortHandler)
		},
		"done, then half an answer": func(w http.ResponseWriter, req *http.Request) {
			done(req)
			_, _ = io.WriteString(w, `{"id":"`)
		},
		"done, then another answer": func(w http.ResponseWriter, req *http.Request) {
			done(req)
			_, _ = io.WriteString(w, `{}`)
		},
	}
}

func createSentOnce(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		for name, loss := range r.losses() {
			before := len(must(r.tokens(t.Context(), r.provider, r.world.registry))(t))
			var sent atomic.Int32
			r.tap.Spoil(func(w http.ResponseWriter, req *http.Request, _ int) bool {
				if req.Method == http.MethodGet {
					return false
				}
				sent.Add(1)
				loss(w, req)
				return true
			})
			_, err := r.provider.CreateToken(t.Context(), r.world.registry, state(r.driver.Capabilities.CreateFields, r.newName()))
			r.tap.Spoil(nil)
			r.wantKind(t, name, err, providers.OutcomeUnknown)
			if got := sent.Load(); got != 1 {
				t.Errorf("%s: the create was sent %d times, want once", name, got)
			}
			if got := len(must(r.tokens(t.Context(), r.provider, r.world.registry))(t)); got > before+1 {
				t.Errorf("%s: there are %d tokens more, want at most one", name, got-before)
			}
		}
	})
}

func createTold(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		before := len(must(r.tokens(t.Context(), r.provider, r.world.registry))(t))
		r.spoilFirst(2, troubles()["429"])
		created, _ := r.create(t)
		r.tap.Spoil(nil)
		r.wantStored(t, "the create", created.Token)
		if got := len(must(r.tokens(t.Context(), r.provider, r.world.registry))(t)); got != before+1 {
			t.Errorf("there are %d tokens more, want one", got-before)
		}
	})
}

func lostDelete(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		r.spoilFirst(1, r.losses()["done, then a broken connection"])
		err := r.provider.DeleteToken(t.Context(), r.world.token.ID)
		r.tap.Spoil(nil)
		if err != nil {
			t.Errorf("the delete was done, and then: %v", err)
		}
		r.wantGone(t, "after the delete", r.world.token.ID)
	})
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
