package providertest

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"regtok/providers"
)

func faultCases() []testCase {
	return []testCase{
		{"refused twice then answered is one result after three requests", refusedTwice, false},
		{"a write that may be repeated is", writeRepeated, false},
		{"what may create a token is sent once", createSentOnce, false},
		{"a create that was told to wait makes one token", createTold, false},
		{"a delete whose answer was lost is done in the end", lostDelete, false},
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
				if !m.writes || m.creates() {
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

// losses are what can become of a write's answer. Of some the provider has done what was asked for.
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
			for _, m := range r.methods() {
				if m.creates() {
					r.tryLoss(t, m.name+": "+name, m, loss)
				}
			}
		}
	})
}

// tryLoss creates a token whose answer is lost. A replace creates the world's token, which is made to be missing.
func (r *rig) tryLoss(t *testing.T, what string, m method, loss func(http.ResponseWriter, *http.Request)) {
	t.Helper()
	if err := r.provider.DeleteToken(t.Context(), r.world.token.ID); err != nil {
		r.wantKind(t, what+": the delete", err, providers.NotFound)
	}
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
	_, err := m.call(t.Context(), r.provider, r.world)
	r.tap.Spoil(nil)
	r.wantKind(t, what, err, providers.OutcomeUnknown)
	if got := sent.Load(); got != 1 {
		t.Errorf("%s: it was sent %d times, want once", what, got)
	}
	if got := len(must(r.tokens(t.Context(), r.provider, r.world.registry))(t)); got > before+1 {
		t.Errorf("%s: there are %d tokens more, want at most one", what, got-before)
	}
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
