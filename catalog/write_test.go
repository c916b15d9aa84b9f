package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/ledger"
	"regtok/providers"
)

func TestWhatIsWrittenIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 0)
		c := over(t, s.account("a"))
		created := done(t)(c.CreateToken(t.Context(), CreateToken{
			Registry: grid.r0, Name: "ci", Expiry: lasting(time.Hour), Scopes: []providers.Scope{scope("a", "x", "pull")}, Enabled: new(false),
		}))
		id := grid.r0.TokenID("new1")
		expect := func(what string, got Written, want providers.Token, secret bool) {
			t.Helper()
			if diff := cmp.Diff(got.Token.Token, want); diff != "" {
				t.Errorf("%s: the token told differs (-got +want):\n%s", what, diff)
			}
			if diff := cmp.Diff(s.now(t, id), want); diff != "" {
				t.Errorf("%s: the token there differs (-got +want):\n%s", what, diff)
			}
			if got.Token.Account.Name != "a" || got.Token.ObservedAt.IsZero() || got.Secret.Empty() == secret {
				t.Errorf("%s: %+v, want the account, the time, and a secret: %v", what, got, secret)
			}
		}
		now := time.Now().UTC()
		want := providers.Token{ID: id, Name: "ci", ExpiresAt: now.Add(time.Hour), Scopes: []providers.Scope{scope("a", "x", "pull")}, CreatedAt: now}
		expect("create", created, want, true)
		time.Sleep(time.Minute)
		patched := done(t)(c.PatchToken(t.Context(), PatchToken{Token: id, Enabled: new(true), Scopes: &ScopesPatch{Set: []providers.Scope{}}}))
		want.Enabled, want.Scopes, want.UpdatedAt = true, []providers.Scope{}, time.Now().UTC()
		expect("patch", patched, want, false)
		replaced := done(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: id, Name: "cd", Expiry: *never(), Enabled: false}))
		want.Name, want.Enabled, want.ExpiresAt = "cd", false, time.Time{}
		expect("replace", replaced, want, false)
		deleted := done(t)(c.DeleteToken(t.Context(), DeleteToken{Token: id}))
		if deleted.Token != nil {
			t.Errorf("a delete tells of the token %+v, want none", deleted.Token)
		}
		id = grid.r0.TokenID("chosen")
		want = providers.Token{ID: id, Name: "cd", Enabled: true, Scopes: []providers.Scope{}, CreatedAt: time.Now().UTC()}
		expect("replace of a missing one", done(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: id, Name: "cd", Expiry: *never(), Enabled: true})), want, true)
		expectRequests(t, s.requests(), map[string]int{"create": 1, "patch": 1, "replace": 2, "delete": 1})
	})
}

func TestAnEndIsCountedFromThisServersClockAndOnlyNeverTakesItAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		c := over(t, s.account("a"))
		id := grid.r0.TokenID("t0")
		patch := func(what string, in PatchToken, want time.Time) {
			t.Helper()
			in.Token = id
			if got := done(t)(c.PatchToken(t.Context(), in)).Token.ExpiresAt; !got.Equal(want) {
				t.Errorf("%s: the token ends at %v, want %v", what, got, want)
			}
		}
		ends := time.Now().UTC().Add(30 * 24 * time.Hour)
		patch("in 30 days", PatchToken{Expiry: lasting(30 * 24 * time.Hour)}, ends)
		time.Sleep(time.Hour)
		patch("what is not said stays", PatchToken{Name: new("n")}, ends)
		patch("in 30 days, an hour later", PatchToken{Expiry: lasting(30 * 24 * time.Hour)}, ends.Add(time.Hour))
		west := time.FixedZone("west", -5*3600)
		patch("at a date", PatchToken{Expiry: until(ends.In(west))}, ends)
		if zone := s.now(t, id).ExpiresAt.Location(); zone != time.UTC {
			t.Errorf("the provider is told the end in %v, want UTC", zone)
		}
		for _, expiry := range []Expiry{{}, {Never: new(false)}} {
			refused(t)(c.PatchToken(t.Context(), PatchToken{Token: id, Expiry: &expiry}))
		}
		if got := s.now(t, id).ExpiresAt; !got.Equal(ends) {
			t.Errorf("after two patches that say nothing the token ends at %v, want %v", got, ends)
		}
		patch("never", PatchToken{Expiry: never()}, time.Time{})
	})
}

// changes are the writes to a token that is there, with the version that they expect.
func changes(c *Catalog, id providers.ID) map[string]func(ctx context.Context, version *string) (Written, error) {
	return map[string]func(context.Context, *string) (Written, error){
		"replace": func(ctx context.Context, version *string) (Written, error) {
			return c.ReplaceToken(ctx, ReplaceToken{Token: id, Name: "t0", Expiry: *never(), IfVersion: version})
		},
		"patch": func(ctx context.Context, version *string) (Written, error) {
			return c.PatchToken(ctx, PatchToken{Token: id, Enabled: new(false), IfVersion: version})
		},
		"delete": func(ctx context.Context, version *string) (Written, error) {
			return c.DeleteToken(ctx, DeleteToken{Token: id, IfVersion: version})
		},
	}
}

func TestATokenThatChangedSinceItsVersionIsAConflictAndNothingIsSent(t *testing.T) {
	for op := range changes(nil, providers.ID{}) {
		s := newWriter(1, 1)
		c := over(t, s.account("a"))
		id := grid.r0.TokenID("t0")
		write := changes(c, id)[op]
		seen := c.TokensByID(t.Context(), []providers.ID{id})[0].Value.Version()
		s.set(id, func(t *providers.Token) { t.Name = "renamed" })
		if stale := c.TokensByID(t.Context(), []providers.ID{id})[0].Value.Version(); stale != seen {
			t.Fatal("the cache does not have the old token, so this test says nothing")
		}
		s.requests()
		p := refused(t)(write(t.Context(), &seen))
		expectRequests(t, s.requests(), map[string]int{"token": 1})
		now := Token{Token: s.now(t, id)}
		want := Problem{Kind: providers.Conflict, Provider: "p", Path: []string{"ifVersion"}, CurrentVersion: now.Version(), Message: p.Message}
		if diff := cmp.Diff(p, want); diff != "" {
			t.Errorf("%s: the problem differs (-got +want):\n%s", op, diff)
		}
		done(t)(write(t.Context(), &p.CurrentVersion))
		expectRequests(t, s.requests(), map[string]int{"token": 1, op: 1})
	}
}

func TestAVersionIsExpectedOfATokenThatIsThere(t *testing.T) {
	for op := range changes(nil, providers.ID{}) {
		s := newWriter(1, 1)
		c := over(t, s.account("a"))
		p := refused(t)(changes(c, grid.r0.TokenID("gone"))[op](t.Context(), new("version")))
		expectTold(t, op, []Problem{p}, "NOT_FOUND token")
		expectRequests(t, s.requests(), map[string]int{"token": 1})
	}
}

// TestOfManyWhoExpectTheSameVersionOneSucceeds: comparing and setting is one step for all who use this server.
func TestOfManyWhoExpectTheSameVersionOneSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		s.slow(10 * time.Millisecond)
		c := over(t, s.account("a"))
		id := grid.r0.TokenID("t0")
		version := c.TokensByID(t.Context(), []providers.ID{id})[0].Value.Version()
		results := make(chan Written)
		for i := range 16 {
			go func() {
				results <- written(t)(c.PatchToken(t.Context(), PatchToken{Token: id, Name: new(fmt.Sprint("n", i)), IfVersion: &version}))
			}()
		}
		succeeded := 0
		for range 16 {
			if w := <-results; w.Token != nil {
				succeeded++
			} else {
				expectTold(t, "one that comes later", w.Problems, "CONFLICT ifVersion")
			}
		}
		if succeeded != 1 {
			t.Errorf("%d changes succeeded, want 1", succeeded)
		}
	})
}

func TestADeleteOfWhatIsGoneSucceedsWhereThatIsAllowed(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, s.account("a"))
	gone, there := grid.r0.TokenID("gone"), grid.r0.TokenID("t0")
	version := c.TokensByID(t.Context(), []providers.ID{there})[0].Value.Version()
	expectTold(t, "not allowed", []Problem{refused(t)(c.DeleteToken(t.Context(), DeleteToken{Token: gone}))}, "NOT_FOUND token")
	done(t)(c.DeleteToken(t.Context(), DeleteToken{Token: gone, AllowMissing: true}))
	done(t)(c.DeleteToken(t.Context(), DeleteToken{Token: gone, AllowMissing: true, IfVersion: &version}))
	p := refused(t)(c.DeleteToken(t.Context(), DeleteToken{Token: there, AllowMissing: true, IfVersion: new("another")}))
	expectTold(t, "of another version", []Problem{p}, "CONFLICT ifVersion")
	s.failing(errForbidden, "delete")
	expectTold(t, "forbidden", []Problem{refused(t)(c.DeleteToken(t.Context(), DeleteToken{Token: there, AllowMissing: true}))}, "FORBIDDEN")
}

// every is every write, each of which changes something in grid.r0.
func every(c *Catalog) map[string]func(ctx context.Context) (Written, error) {
	writes := map[string]func(context.Context) (Written, error){
		"create": func(ctx context.Context) (Written, error) {
			return c.CreateToken(ctx, CreateToken{Registry: grid.r0, Name: "n"})
		},
	}
	for op, write := range changes(c, grid.r0.TokenID("t0")) {
		writes[op] = func(ctx context.Context) (Written, error) { return write(ctx, nil) }
	}
	return writes
}

func TestAWriteIsCarriedThroughAlthoughItsCallerLeaves(t *testing.T) {
	for op := range every(nil) {
		synctest.Test(t, func(t *testing.T) {
			s := newWriter(1, 1)
			c := over(t, s.account("a"))
			s.slow(10 * time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(5*time.Second, cancel)
			done(t)(every(c)[op](ctx))
			if ctx.Err() == nil {
				t.Errorf("%s: the caller had not left", op)
			}
		})
	}
}

func TestACallerWhoLeftOrHasTooLittleTimeSendsNothing(t *testing.T) {
	for op := range every(nil) {
		synctest.Test(t, func(t *testing.T) {
			s := newWriter(1, 1)
			c := over(t, s.account("a"), s.account("b")) // so that owners would be looked up
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if w, err := every(c)[op](ctx); !errors.Is(err, context.Canceled) || len(w.Problems) > 0 {
				t.Errorf("%s: a caller who left gets %+v, %v; want canceled", op, w, err)
			}
			soonOver, cancel := contextFor(t, 15*time.Second-soon)
			defer cancel()
			expectTold(t, op, []Problem{refused(t)(every(c)[op](soonOver))}, "UNAVAILABLE")
			expectRequests(t, s.requests(), map[string]int{})
			inTime, cancel := contextFor(t, 15*time.Second+soon)
			defer cancel()
			done(t)(every(c)[op](inTime))
		})
	}
}

func TestAWriteThatTakesTooLongIsNotKnownToBeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		s.slow(time.Hour)
		// However long one may take, it ends while its lock is held for certain.
		for allowed, want := range map[time.Duration]time.Duration{5 * time.Second: 5 * time.Second, time.Hour: ledger.LockLease / 2} {
			c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, WriteTimeout: allowed})
			began := time.Now()
			expectTold(t, "create", []Problem{refused(t)(every(c)["create"](t.Context()))}, "OUTCOME_UNKNOWN")
			if took := time.Since(began); took != want {
				t.Errorf("a write that may take %v took %v, want %v", allowed, took, want)
			}
		}
	})
}

func TestAChangeWaitsForItsTurnWhileThereIsTimeForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 2)
		s.slow(10 * time.Second)
		c := over(t, s.account("a"))
		first := make(chan Written)
		go func() { first <- done(t)(every(c)["patch"](t.Context())) }()
		synctest.Wait()

		brief, cancel := contextFor(t, 20*time.Second)
		defer cancel()
		began := time.Now()
		p := refused(t)(every(c)["delete"](brief))
		if took := time.Since(began); took != 5*time.Second || p.RetryAfter <= 0 {
			t.Errorf("it is told after %v to come back in %v, want after 5s and soon", took, p.RetryAfter)
		}
		expectTold(t, "too little time", []Problem{p}, "UNAVAILABLE")

		leaving, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if _, err := every(c)["delete"](leaving); !errors.Is(err, context.Canceled) {
			t.Errorf("who leaves while waiting gets %v, want canceled", err)
		}
		done(t)(c.PatchToken(t.Context(), PatchToken{Token: grid.r0.TokenID("t1"), Name: new("n")})) // nobody's else turn
		<-first
		done(t)(every(c)["delete"](t.Context()))
		expectRequests(t, s.requests(), map[string]int{"patch": 2, "delete": 1})
	})
}

func TestAPanicKeepsNobodyFromATokensTurn(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, s.account("a"))
	s.behave(func(string, providers.ID) error { panic("bug") })
	func() {
		defer func() { _ = recover() }()
		_, _ = every(c)["patch"](t.Context())
		t.Error("the panic is swallowed")
	}()
	s.behave(nil)
	done(t)(every(c)["patch"](t.Context()))
}

func TestALostAnswerIsToldWithWhatToDoNextAndACreateIsSentOnce(t *testing.T) {
	lost := &providers.Error{Kind: providers.OutcomeUnknown, Reason: providers.Unreachable, Provider: "p", Op: "write", Status: 503}
	for op, advice := range map[string][]string{
		"create":  {"look for it", "delete it", "create another"},
		"replace": {"read it again", "secret is lost", "delete the token"},
		"patch":   {"read it again", "Repeating the call is safe"},
		"delete":  {"read it again", "allowMissing: true"},
	} {
		s := newWriter(1, 1)
		s.losing(lost)
		c := over(t, s.account("a"))
		p := refused(t)(every(c)[op](t.Context()))
		expectTold(t, op, []Problem{p}, "OUTCOME_UNKNOWN")
		for _, words := range advice {
			if !strings.Contains(p.Message, words) {
				t.Errorf("%s: the message is %q, want %q in it", op, p.Message, words)
			}
		}
		expectRequests(t, s.requests(), map[string]int{op: 1})
	}
}
