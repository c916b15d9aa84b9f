package catalog

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

var (
	errLost    = &providers.Error{Kind: providers.OutcomeUnknown, Reason: providers.Timeout, Provider: "p", Op: "write"}
	errLimited = &providers.Error{Kind: providers.RateLimited, Provider: "p", Op: "write", Status: 429, RetryAfter: time.Minute}
	errTaken   = &providers.Error{Kind: providers.Conflict, Provider: "p", Op: "write", Status: 409, Message: "taken"}
	errWrong   = &providers.Error{Kind: providers.Invalid, Provider: "p", Op: "write", Status: 400, Message: "not an hour ahead", Field: "EXPIRY"}
	errScope   = &providers.Error{Kind: providers.Forbidden, Provider: "p", Op: "write", Status: 403, RequiredScope: "write_registries"}
	errRefused = &providers.Error{Kind: providers.Unauthorized, Provider: "p", Op: "write", Status: 401}
)

func TestARotationThatMadeNothingCanBeTriedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		op   string
		err  error
		want providers.Kind
	}{
		"the old token cannot be read": {"token", errDown, providers.Unavailable},
		"the old token is gone":        {"token", errGone, providers.NotFound},
		"the credential is refused":    {"create", errRefused, providers.Forbidden},
		"a scope is missing":           {"create", errScope, providers.Forbidden},
		"the registry is gone":         {"create", errGone, providers.NotFound},
		"something is in the way":      {"create", errTaken, providers.Conflict},
		"the input is refused":         {"create", errWrong, providers.Invalid},
		"the allowance is used up":     {"create", errLimited, providers.RateLimited},
		"the provider is down":         {"create", errDown, providers.Unavailable},
		"the answer is lost":           {"create", errLost, providers.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWriter(1, 1)
			s.failing(test.err, test.op)
			c := over(t, s.account("a"))
			in := RotateToken{Token: oldToken, Overlap: day}
			p := stopped(t)(c.RotateToken(t.Context(), in))
			if p.Kind != test.want {
				t.Errorf("the problem is %+v, want %s", p, test.want)
			}
			if asked := s.requests(); asked["create"] > 1 || asked["patch"]+asked["delete"] > 0 {
				t.Errorf("requests: %v, want one try to make the new token and nothing about the old one", asked)
			}
			if !s.now(t, oldToken).ExpiresAt.IsZero() {
				t.Error("the old token has an end, want it left alone")
			}
			s.behave(nil)
			turned(t)(c.RotateToken(t.Context(), in))
		})
	}
}

func TestALostNewTokenIsToldByTheNameThatItWouldHave(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, s.account("a"))
	s.losing(errLost)
	p := stopped(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day}))
	if p.Kind != providers.OutcomeUnknown || !strings.Contains(p.Message, "rotate again. The old token is as it was") || !strings.Contains(p.Message, `would be "t0"`) {
		t.Errorf("the problem is %+v, want how to find the orphan", p)
	}
	if n := len(c.TokenLists(t.Context(), []providers.ID{oldToken.OfRegistry()})[0].Value); n != 2 || s.requests()["create"] != 1 {
		t.Errorf("there are %d tokens, want the orphan beside the old one, sent once", n)
	}
}

// ways are the ways to end an old token, by what each asks: the provider's operation, or the ledger's.
var ways = map[string]struct {
	op      string
	overlap time.Duration
	bare    bool
}{
	"by a date":    {"patch", day, false},
	"by a promise": {"schedule", day, true},
	"at once":      {"delete", 0, false},
}

func TestWhatFailsAfterTheNewTokenTakesNoSecretAway(t *testing.T) {
	broken := errors.New("a fault")
	for way, end := range ways {
		for name, test := range map[string]struct {
			err    error
			want   providers.Kind
			says   string
			ledger bool // whether a ledger fails so
		}{
			"the credential is refused":   {errRefused, providers.Forbidden, "refuses this server's credential", false},
			"a scope is missing":          {errScope, providers.Forbidden, "lacks the scope write_registries", false},
			"the input is refused":        {errWrong, providers.Invalid, "not an hour ahead", false},
			"the allowance is used up":    {errLimited, providers.RateLimited, "allowance is used up", false},
			"the provider is down":        {errDown, providers.Unavailable, "could not be reached", false},
			"the answer is lost":          {errLost, providers.OutcomeUnknown, "may still work or not", false},
			"the ledger is down":          {ledger.ErrUnavailable, providers.Unavailable, "cannot reach what it remembers promises in", true},
			"there is a fault":            {broken, providers.OutcomeUnknown, "may still work or not", true},
			"it takes longer than it may": {context.DeadlineExceeded, providers.OutcomeUnknown, "may still work or not", true},
		} {
			if test.ledger != (end.op == "schedule") && !errors.Is(test.err, broken) {
				continue
			}
			t.Run(way+", "+name, func(t *testing.T) {
				s, d := newWriter(1, 1), newDiary()
				if end.bare {
					bare(s)
				}
				s.failing(test.err, end.op)
				d.failing(end.op, test.err)
				c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
				got, p := halfway(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: end.overlap}))
				if p.Kind != test.want || !slices.Equal(p.Path, []string{"overlap"}) || p.Provider != "p" || !strings.Contains(p.Message, test.says) ||
					!strings.HasPrefix(p.Message, "the new token is made, and its secret is in this answer") || strings.Contains(p.Message, "repeat") {
					t.Errorf("the problem is %+v, want %s at overlap that says %q", p, test.want, test.says)
				}
				if got.Previous.ID != oldToken || !got.PreviousEnds.IsZero() {
					t.Errorf("the old token is told as %+v, ending at %s; want it without an end", got.Previous, got.PreviousEnds)
				}
				again := stopped(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: end.overlap}))
				if again.Kind != providers.Conflict || !strings.Contains(again.Message, got.Token.ID.String()) || !strings.Contains(again.Message, "has no end yet") {
					t.Errorf("a second rotation's problem is %+v, want a CONFLICT that names the new token", again)
				}
				if asked := s.requests(); asked["create"] != 1 || asked[end.op] > 1 {
					t.Errorf("requests: %v, want one of each", asked)
				}
			})
		}
	}
}

func TestAnOldTokenThatCouldNotBeEndedIsToldWithItsOwnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		end := time.Now().UTC().Add(9 * day)
		s.set(oldToken, func(token *providers.Token) { token.CreatedAt, token.ExpiresAt = time.Now(), end })
		s.failing(errLimited, "patch")
		got, p := halfway(t)(over(t, s.account("a")).RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day}))
		if !got.PreviousEnds.Equal(end) || !strings.Contains(p.Message, "until "+end.Format(time.RFC3339)) || p.RetryAfter != time.Minute {
			t.Errorf("the old token ends at %s, with %+v; want its own end in both", got.PreviousEnds, p)
		}
	})
}

func TestAPanicAfterTheNewTokenTakesNoSecretAway(t *testing.T) {
	for way, end := range ways {
		for _, op := range []string{end.op, "finish", "settle"} {
			t.Run(way+", in "+op, func(t *testing.T) {
				s, d, j := newWriter(1, 1), newDiary(), &journal{}
				if end.bare {
					bare(s)
				}
				panics := func(asked string) error {
					if asked == op {
						panic("out of paper")
					}
					return nil
				}
				s.behave(func(asked string, _ providers.ID) error { return panics(asked) })
				d.behave(panics)
				c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d, Log: j.log()})
				key := "k"
				in := RotateToken{Token: oldToken, Overlap: end.overlap, Repeat: Repeat{IdempotencyKey: &key}}
				got, err := c.RotateToken(t.Context(), in)
				if err != nil || got.Token == nil || got.Secret.Empty() {
					t.Fatalf("the rotation came to %+v, %v; want the new token and its secret", got, err)
				}
				if unended := len(got.Problems) == 1; unended != (op == end.op) {
					t.Errorf("problems: %+v; want one only if the old token was not ended", got.Problems)
				}
				if j.lines("out of paper") != 1 {
					t.Errorf("the log says %q, want the panic once", j.text.String())
				}
			})
		}
	}
}

func TestALedgerThatIsDownStopsARotationOnlyBeforeItIsSent(t *testing.T) {
	for op, logged := range map[string]string{"begin": "", "lock": "", "finish": "what became of a rotation is not remembered"} {
		t.Run(op, func(t *testing.T) {
			s, d, j := newWriter(1, 1), newDiary(), &journal{}
			d.failing(op, ledger.ErrUnavailable)
			c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d, Log: j.log()})
			in := RotateToken{Token: oldToken, Overlap: day}
			if logged != "" {
				turned(t)(c.RotateToken(t.Context(), in))
				if j.lines(logged) != 1 {
					t.Errorf("the log says %q, want %q once", j.text.String(), logged)
				}
				return
			}
			if p := stopped(t)(c.RotateToken(t.Context(), in)); p.Kind != providers.Unavailable || len(s.requests()) > 0 {
				t.Errorf("the problem is %+v, want UNAVAILABLE before anything is sent", p)
			}
			d.failing(op, nil)
			turned(t)(c.RotateToken(t.Context(), in))
		})
	}
}

// silent is a ledger that does not answer one question.
type silent struct {
	*diary
	op string
}

func (l silent) wait(ctx context.Context, op string) error {
	if op == l.op {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (l silent) Claim(ctx context.Context, key ledger.Key, call ledger.Call) (ledger.Call, bool, error) {
	if err := l.wait(ctx, "claim"); err != nil {
		return ledger.Call{}, false, err
	}
	return l.diary.Claim(ctx, key, call)
}

func (l silent) BeginRotation(ctx context.Context, rotation ledger.Rotation) (ledger.Rotation, bool, error) {
	if err := l.wait(ctx, "begin"); err != nil {
		return ledger.Rotation{}, false, err
	}
	return l.diary.BeginRotation(ctx, rotation)
}

func (l silent) FinishRotation(ctx context.Context, rotation ledger.Rotation) error {
	if err := l.wait(ctx, "finish"); err != nil {
		return err
	}
	return l.diary.FinishRotation(ctx, rotation)
}

func TestASilentLedgerIsNotWaitedForLong(t *testing.T) {
	for op, made := range map[string]bool{"claim": false, "begin": false, "finish": true} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newWriter(1, 1)
				c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: silent{newDiary(), op}})
				began := time.Now()
				got, err := c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day, Repeat: by("ann", "k")})
				if took := time.Since(began); took != time.Second {
					t.Errorf("the rotation took %s, want a second", took)
				}
				if made {
					turned(t)(got, err)
				} else if p := stopped(t)(got, err); p.Kind != providers.Unavailable || len(s.requests()) > 0 {
					t.Errorf("the problem is %+v, want UNAVAILABLE before anything is sent", p)
				}
			})
		})
	}
}

func TestARotationThatCannotBeAbandonedIsFreeAfterItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, j := newWriter(1, 1), newDiary(), &journal{}
		s.failing(errDown, "create")
		d.failing("abandon", ledger.ErrUnavailable)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d, Log: j.log()})
		in := RotateToken{Token: oldToken, Overlap: day}
		if p := stopped(t)(c.RotateToken(t.Context(), in)); p.Kind != providers.Unavailable || j.lines("cannot be tried again for some minutes") != 1 {
			t.Errorf("the problem is %+v, the log says %q; want UNAVAILABLE and a line", p, j.text.String())
		}
		s.behave(nil)
		if p := stopped(t)(c.RotateToken(t.Context(), in)); p.Kind != providers.Conflict || !strings.Contains(p.Message, "5 minutes after it began") {
			t.Errorf("the problem is %+v, want a CONFLICT that says when it is over", p)
		}
		time.Sleep(ledger.RotationLease)
		turned(t)(c.RotateToken(t.Context(), in))
	})
}

func TestTheSecondStepHasTimeOfItsOwn(t *testing.T) {
	for name, test := range map[string]struct {
		patch   time.Duration
		after   time.Duration
		unknown bool
	}{
		"enough for it": {9 * time.Second, 23 * time.Second, false},
		"too little":    {time.Minute, 24 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newWriter(1, 1)
				s.behave(func(op string, _ providers.ID) error {
					if op == "create" {
						time.Sleep(14 * time.Second)
						s.slow(test.patch)
					}
					return nil
				})
				c := over(t, s.account("a"))
				ctx, cancel := contextFor(t, 30*time.Second)
				defer cancel()
				began := time.Now()
				got, err := c.RotateToken(ctx, RotateToken{Token: oldToken, Overlap: day})
				if took := time.Since(began); took != test.after || ctx.Err() != nil {
					t.Errorf("the rotation took %s, want %s", took, test.after)
				}
				if !test.unknown {
					turned(t)(got, err)
				} else if _, p := halfway(t)(got, err); p.Kind != providers.OutcomeUnknown {
					t.Errorf("the problem is %+v, want OUTCOME_UNKNOWN", p)
				}
			})
		})
	}
}

func TestARotationIsBegunOnlyWhileItsAnswerCanBeHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := newWriter(1, 1), newDiary()
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
		in := RotateToken{Token: oldToken, Overlap: day}
		for _, left := range []time.Duration{10 * time.Second, 26 * time.Second} {
			ctx, cancel := contextFor(t, left)
			p := stopped(t)(c.RotateToken(ctx, in))
			cancel()
			if p.Kind != providers.Unavailable || !strings.Contains(p.Message, "send it alone") {
				t.Errorf("with %s left the problem is %+v, want that there is too little time", left, p)
			}
		}
		release, err := d.Memory.Lock(t.Context(), oldToken)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextFor(t, 30*time.Second)
		defer cancel()
		began := time.Now()
		if p := stopped(t)(c.RotateToken(ctx, in)); p.Kind != providers.Unavailable || time.Since(began) != 3*time.Second {
			t.Errorf("behind another change the problem is %+v after %s, want it while a rotation's time is left", p, time.Since(began))
		}
		if asked := s.requests(); len(asked) > 0 {
			t.Errorf("requests: %v, want none", asked)
		}
		release()
		turned(t)(c.RotateToken(t.Context(), in))
		if asked := s.requests(); !maps.Equal(asked, map[string]int{"token": 1, "create": 1, "patch": 1}) {
			t.Errorf("requests: %v, want one rotation", asked)
		}
	})
}

func TestAProviderThatForgetsAnEndHasNotSetIt(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, &Account{Name: "a", Driver: s.driver, Provider: forgetful{s}})
	if _, p := halfway(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day})); p.Kind != providers.OutcomeUnknown {
		t.Errorf("the problem is %+v, want OUTCOME_UNKNOWN", p)
	}
}

// forgetful says that a patch is done, and does nothing.
type forgetful struct{ *source }

func (f forgetful) PatchToken(ctx context.Context, id providers.ID, _ providers.TokenPatch) (providers.Token, error) {
	return f.Token(ctx, id)
}
