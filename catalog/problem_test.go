package catalog

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/ledger"
	"regtok/providers"
)

func TestEachFailureOfAProviderIsToldAsItsProblem(t *testing.T) {
	const words = "ada@acme.test says no"
	failure := func(kind providers.Kind, change func(*providers.Error)) *providers.Error {
		e := &providers.Error{Kind: kind, Provider: "p", Op: "write", Status: 499, Err: errors.New("cause")}
		if change != nil {
			change(e)
		}
		return e
	}
	problem := func(kind providers.Kind, change func(*Problem)) Problem {
		p := Problem{Kind: kind, Provider: "p"}
		if change != nil {
			change(&p)
		}
		return p
	}
	for name, test := range map[string]struct {
		err   *providers.Error
		want  Problem
		words []string // in the message
	}{
		"invalid, and it says why": {
			failure(providers.Invalid, func(e *providers.Error) { e.Message, e.Field = words, "NAME" }),
			problem(providers.Invalid, func(p *Problem) { p.Path = []string{"name"} }), []string{"the provider refuses", words},
		},
		"invalid, and it does not say why": {failure(providers.Invalid, nil), problem(providers.Invalid, nil), []string{"does not say why"}},
		"invalid, of a field that no input has": {
			failure(providers.Invalid, func(e *providers.Error) { e.Message, e.Field = words, "body.x" }), problem(providers.Invalid, nil), []string{words},
		},
		"invalid before it was sent": {
			failure(providers.Invalid, func(e *providers.Error) { e.Status, e.Message, e.Field = 0, "the end is odd", "EXPIRY" }),
			problem(providers.Invalid, func(p *Problem) { p.Path = []string{"expiry"}; p.Message = "the end is odd" }), nil,
		},
		"not found": {
			failure(providers.NotFound, func(e *providers.Error) { e.Message = words }),
			problem(providers.NotFound, func(p *Problem) { p.Path = []string{"token"} }), []string{"not visible"},
		},
		"conflict":                          {failure(providers.Conflict, func(e *providers.Error) { e.Message = words }), problem(providers.Conflict, nil), []string{words}},
		"conflict, and it does not say why": {failure(providers.Conflict, nil), problem(providers.Conflict, nil), []string{"for example"}},
		"conflict that this server found": {
			failure(providers.Conflict, func(e *providers.Error) { e.Status, e.Message = 0, "renamed; try again" }),
			problem(providers.Conflict, func(p *Problem) { p.Message = "renamed; try again" }), nil,
		},
		"unsupported field": {
			failure(providers.Unsupported, func(e *providers.Error) { e.Field = "SCOPES" }),
			problem(providers.Unsupported, func(p *Problem) { p.Path, p.Field = []string{"scopes"}, providers.FieldScopes }), []string{"Paper", "leave scopes out"},
		},
		"unsupported operation": {failure(providers.Unsupported, nil), problem(providers.Unsupported, nil), []string{"Paper has no such operation"}},
		"unauthorized": {
			failure(providers.Unauthorized, func(e *providers.Error) { e.Message = words }), problem(providers.Forbidden, nil), []string{"own credential", "renew"},
		},
		"forbidden": {failure(providers.Forbidden, func(e *providers.Error) { e.Message = words }), problem(providers.Forbidden, nil), []string{words}},
		"forbidden for want of a scope": {
			failure(providers.Forbidden, func(e *providers.Error) { e.RequiredScope = "write_registries" }),
			problem(providers.Forbidden, func(p *Problem) { p.RequiredScope = "write_registries" }), []string{"needs the scope write_registries"},
		},
		"rate limited": {
			failure(providers.RateLimited, func(e *providers.Error) { e.RetryAfter = time.Minute }),
			problem(providers.RateLimited, func(p *Problem) { p.RetryAfter = time.Minute }), []string{"nothing was done"},
		},
		"rate limited, nobody knows how long": {
			failure(providers.RateLimited, nil), problem(providers.RateLimited, func(p *Problem) { p.RetryAfter = time.Second }), nil,
		},
		"unreachable": {
			failure(providers.Unavailable, func(e *providers.Error) { e.Reason = providers.Unreachable }),
			problem(providers.Unavailable, nil), []string{"could not be reached", "nothing was done"},
		},
		"left alone for a moment": {
			failure(providers.Unavailable, func(e *providers.Error) { e.Reason, e.RetryAfter = providers.CircuitOpen, 7*time.Second }),
			problem(providers.Unavailable, func(p *Problem) { p.RetryAfter = 7 * time.Second }), []string{"left alone"},
		},
		"not answered in time": {
			failure(providers.Unavailable, func(e *providers.Error) { e.Reason = providers.Timeout }), problem(providers.Unavailable, nil), []string{"in time"},
		},
		"unknown": {
			failure(providers.OutcomeUnknown, func(e *providers.Error) { e.Reason, e.Message = providers.Unreachable, words }),
			problem(providers.OutcomeUnknown, nil), []string{"answer was lost", "read it again"},
		},
	} {
		var log bytes.Buffer
		s := newWriter(1, 1)
		s.failing(test.err, "patch")
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Log: slog.New(slog.NewJSONHandler(&log, nil))})
		got := refused(t)(every(c)["patch"](t.Context()))
		if test.want.Message == "" {
			test.want.Message = got.Message
		}
		if diff := cmp.Diff(got, test.want); diff != "" {
			t.Errorf("%s: the problem differs (-got +want):\n%s", name, diff)
		}
		for _, word := range test.words {
			if !strings.Contains(got.Message, word) {
				t.Errorf("%s: the message is %q, want %q in it", name, got.Message, word)
			}
		}
		if got.Message == "" || strings.Contains(log.String(), words) {
			t.Errorf("%s: the caller is told %q, the log %s; want all, and not the vendor's words", name, got.Message, log.String())
		}
	}
}

// TestWhatIsNoCallersMatterStaysAnError so that it is masked, and stands in the log whole.
func TestWhatIsNoCallersMatterStaysAnError(t *testing.T) {
	bug := errors.New("bug")
	canceled := &providers.Error{Kind: providers.Canceled, Provider: "p", Op: "write", Err: context.Canceled}
	for _, failure := range []error{bug, canceled} {
		s := newWriter(1, 1)
		c := over(t, s.account("a"))
		s.failing(failure, "create", "replace", "patch", "delete")
		for op, write := range every(c) {
			if w, err := write(t.Context()); !errors.Is(err, failure) || len(w.Problems) > 0 || w.Token != nil {
				t.Errorf("%s that fails with %v comes to %+v, %v; want the error alone", op, failure, w, err)
			}
		}
	}
}

// lockless is a ledger that does not answer who asks for a lock.
type lockless struct{ ledger.Ledger }

func (lockless) Lock(context.Context, providers.ID) (func(), error) {
	return nil, ledger.ErrUnavailable
}

func TestWithoutItsLockOnlyAChangeThatLooksAtTheTokenIsRefused(t *testing.T) {
	var log bytes.Buffer
	s := newWriter(1, 1)
	c := newCatalog(t, Options{
		Accounts: []*Account{s.account("a")}, Ledger: lockless{ledger.NewMemory()}, Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	id := grid.r0.TokenID("t0")
	version := c.TokensByID(t.Context(), []providers.ID{id})[0].Value.Version()
	s.requests()
	change := &ScopesPatch{Change: &ScopesChange{Add: []providers.Scope{scope("a", "b", "c")}}}
	expectTold(t, "a change of scopes", []Problem{refused(t)(c.PatchToken(t.Context(), PatchToken{Token: id, Scopes: change}))}, "UNAVAILABLE")
	for op, write := range changes(c, id) {
		expectTold(t, op+" of a version", []Problem{refused(t)(write(t.Context(), &version))}, "UNAVAILABLE")
	}
	expectRequests(t, s.requests(), map[string]int{})
	done(t)(changes(c, id)["patch"](t.Context(), nil))
	if !strings.Contains(log.String(), "without its lock") {
		t.Errorf("the log does not tell: %s", log.String())
	}
}

// leaving is a ledger whose locks are had just when the caller leaves.
type leaving struct {
	ledger.Ledger
	leave context.CancelFunc
}

func (l leaving) Lock(ctx context.Context, token providers.ID) (func(), error) {
	defer l.leave()
	return l.Ledger.Lock(ctx, token)
}

func TestACallerWhoLeavesWhenItsTurnHasComeSendsNothingAndHoldsNobodyUp(t *testing.T) {
	s := newWriter(1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	remembered := ledger.NewMemory()
	c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: leaving{remembered, cancel}})
	if w, err := every(c)["patch"](ctx); !errors.Is(err, context.Canceled) || len(w.Problems) > 0 {
		t.Errorf("the write comes to %+v, %v; want canceled", w, err)
	}
	expectRequests(t, s.requests(), map[string]int{})
	soonOver, cancel := contextFor(t, time.Minute)
	defer cancel()
	unlock, err := remembered.Lock(soonOver, grid.r0.TokenID("t0"))
	if err != nil {
		t.Fatal("the token's lock is still held")
	}
	unlock()
}

// TestNamesThatAreLearntTooSlowlyMeanThatNothingWasSent although a read may take longer than a write.
func TestNamesThatAreLearntTooSlowlyMeanThatNothingWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamed()
		s.driver.Capabilities.CreateFields = allFields
		s.slow(30 * time.Second)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, LoadTimeout: time.Minute, WriteTimeout: 5 * time.Second})
		p := refused(t)(every(c)["create"](t.Context()))
		expectTold(t, "create", []Problem{p}, "UNAVAILABLE")
		if !strings.Contains(p.Message, "in time") {
			t.Errorf("the message is %q, want it to speak of time", p.Message)
		}
		expectRequests(t, s.requests(), map[string]int{"organizations": 1})
	})
}

func TestAnOwnerWhoCannotBeFoundIsToldAsAnyFailure(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"down": {errDown, "UNAVAILABLE"}, "forbidden": {errForbidden, "FORBIDDEN"}, "none lists it": {nil, "NOT_FOUND token"},
	} {
		s := newWriter(1, 1)
		c := over(t, s.account("a"), s.account("b"))
		if test.err != nil {
			s.failing(test.err, "organizations")
		}
		p := refused(t)(c.DeleteToken(t.Context(), DeleteToken{Token: tokenAt("p", "elsewhere"), AllowMissing: true}))
		expectTold(t, name, []Problem{p}, test.want)
		expectRequests(t, s.requests(), map[string]int{"organizations": 2})
	}
}

// TestNamesThatCannotBeLearntMeanThatNothingWasSent at the provider whose URLs need them.
func TestNamesThatCannotBeLearntMeanThatNothingWasSent(t *testing.T) {
	u := emulate(t, driver(t, "buildkite"), providers.EmulatorOptions{})
	story := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
	token := tokensOf(t, story, TokenFilter{}).Items[0].ID
	for status, want := range map[int]string{503: "UNAVAILABLE", 403: "FORBIDDEN", 401: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED"} {
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}, WriteTimeout: 5 * time.Second})
		u.Spoil(refuse(status))
		u.Reset()
		p := refused(t)(c.PatchToken(t.Context(), PatchToken{Token: token, Name: new("n")}))
		u.Spoil(nil)
		if p.Kind == providers.NotFound {
			want += " token"
		}
		expectTold(t, http.StatusText(status), []Problem{p}, want)
		if got := u.Requests(); len(got) != 1 || got["GET /v2/organizations"] != 1 {
			t.Errorf("%d: the requests are %v, want the list of organizations", status, got)
		}
	}
}
