package catalog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/ledger"
	"regtok/providers"
)

// by is a repeatable call's key.
func by(caller, key string) Repeat { return Repeat{Caller: caller, IdempotencyKey: &key} }

// newPost is a catalog over one provider whose ledger a test reads.
func newPost(t testing.TB) (*Catalog, *source, *diary, *journal) {
	t.Helper()
	s, d, j := newWriter(1, 1), newDiary(), &journal{}
	return newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d, Log: j.log()}), s, d, j
}

// again is an earlier call's token, told without its secret.
func again(t testing.TB) func(Written, error) *Token {
	return func(w Written, err error) *Token {
		t.Helper()
		if err != nil || len(w.Problems) > 0 || w.Token == nil || !w.Secret.Empty() {
			t.Fatalf("the repetition came to %+v, %v; want the token alone", w, err)
		}
		return w.Token
	}
}

func TestARepeatedCallTellsTheTokenAndNoSecret(t *testing.T) {
	c, s, _, _ := newPost(t)
	in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
	first := done(t)(c.CreateToken(t.Context(), in))
	if first.Secret.Empty() {
		t.Fatal("the first call tells no secret")
	}
	for range 3 {
		if repeated := again(t)(c.CreateToken(t.Context(), in)); repeated.ID != first.Token.ID || repeated.Name != "ci" {
			t.Errorf("the repetition tells %+v, want %+v", repeated, first.Token)
		}
	}
	if asked := s.requests(); asked["create"] != 1 {
		t.Errorf("requests: %v, want one new token", asked)
	}
}

func TestAKeyThatWasUsedForSomethingElseIsAConflict(t *testing.T) {
	c, s, _, _ := newPost(t)
	done(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}))
	s.requests()
	p := refused(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "cd", Repeat: by("ann", "k")}))
	rotation := stopped(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Repeat: by("ann", "k")}))
	for _, p := range []Problem{p, rotation} {
		if p.Kind != providers.Conflict || !slices.Equal(p.Path, []string{"idempotencyKey"}) || !strings.Contains(p.Message, "choose another") {
			t.Errorf("the problem is %+v, want a CONFLICT at idempotencyKey that says what to do", p)
		}
	}
	if asked := s.requests(); len(asked) > 0 {
		t.Errorf("requests: %v, want none", asked)
	}
}

func TestCallersDoNotShareKeys(t *testing.T) {
	c, s, _, _ := newPost(t)
	made := map[providers.ID]bool{}
	for _, repeat := range []Repeat{by("ann", "k"), by("bob", "k"), by("ann", "l"), by("", "k"), by("annk", "")} {
		if *repeat.IdempotencyKey == "" {
			continue
		}
		w := done(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "ci", Repeat: repeat}))
		made[w.Token.ID] = true
	}
	if len(made) != 4 || s.requests()["create"] != 4 {
		t.Errorf("%d tokens were made, want one for each caller and key", len(made))
	}
}

func TestWhileTheFirstCallRunsItsRepetitionIsAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := newPost(t)
		s.slow(5 * time.Second)
		in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
		first := make(chan Written)
		go func() {
			w, err := c.CreateToken(t.Context(), in)
			if err != nil {
				t.Error(err)
			}
			first <- w
		}()
		time.Sleep(time.Second)
		p := refused(t)(c.CreateToken(t.Context(), in))
		if p.Kind != providers.Conflict || !slices.Equal(p.Path, []string{"idempotencyKey"}) || !strings.Contains(p.Message, "still running") {
			t.Errorf("the problem is %+v, want a CONFLICT that says that the first call runs", p)
		}
		made := <-first
		if repeated := again(t)(c.CreateToken(t.Context(), in)); repeated.ID != made.Token.ID || s.requests()["create"] != 1 {
			t.Errorf("the repetition tells %+v, want the one new token", repeated)
		}
	})
}

func TestACallThatDidNothingLeavesItsKeyFree(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	hurried, cancelHurried := contextFor(t, time.Second)
	defer cancelHurried()
	for name, test := range map[string]struct {
		ctx  context.Context
		name string
		err  error
	}{
		"its input is wrong":       {t.Context(), "", nil},
		"the provider refuses it":  {t.Context(), "ci", errWrong},
		"the provider is down":     {t.Context(), "ci", errDown},
		"the allowance is used up": {t.Context(), "ci", errLimited},
		"something is in the way":  {t.Context(), "ci", errTaken},
		"it has too little time":   {hurried, "ci", nil},
		"its caller has left":      {gone, "ci", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, s, d, _ := newPost(t)
			s.failing(test.err, "create")
			w, _ := c.CreateToken(test.ctx, CreateToken{Registry: grid.r0, Name: test.name, Repeat: by("ann", "k")})
			if w.Token != nil {
				t.Fatalf("the call made %+v, want nothing", w.Token)
			}
			s.behave(nil)
			done(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "another", Repeat: by("ann", "k")}))
			if n := len(d.calls); n != 1 {
				t.Errorf("%d calls are remembered, want that which made something", n)
			}
		})
	}
}

func TestALostCallStaysLostAndSendsNothing(t *testing.T) {
	for name, err := range map[string]error{"its answer was lost": errLost, "there was a fault": errors.New("a fault")} {
		t.Run(name, func(t *testing.T) {
			c, s, _, _ := newPost(t)
			s.losing(err)
			in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
			first, failure := c.CreateToken(t.Context(), in)
			if unknown := has(first.Problems, providers.OutcomeUnknown); unknown == (failure != nil) {
				t.Fatalf("the first call came to %+v, %v; want an unknown outcome, or the fault", first, failure)
			}
			s.losing(nil)
			s.requests()
			p := refused(t)(c.CreateToken(t.Context(), in))
			if p.Kind != providers.OutcomeUnknown || p.Provider != "p" || !strings.Contains(p.Message, "nothing was sent now") ||
				!strings.Contains(p.Message, string(lookForOrphan)) {
				t.Errorf("the problem is %+v, want OUTCOME_UNKNOWN that says what to look for", p)
			}
			rotation := RotateToken{Token: oldToken, Repeat: by("ann", "r")}
			s.losing(err)
			if got, _ := c.RotateToken(t.Context(), rotation); got.Token != nil {
				t.Fatalf("the rotation tells %+v, want nothing", got.Token)
			}
			s.losing(nil)
			s.requests()
			if p := stopped(t)(c.RotateToken(t.Context(), rotation)); p.Kind != providers.OutcomeUnknown || !strings.Contains(p.Message, string(lookForSuccessor)) {
				t.Errorf("the problem is %+v, want OUTCOME_UNKNOWN that says what to look for", p)
			}
			if asked := s.requests(); len(asked) > 0 {
				t.Errorf("requests: %v, want none", asked)
			}
		})
	}
}

func TestACallThatDiedIsNotMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := newPost(t)
		s.behave(func(op string, _ providers.ID) error {
			if op == "create" {
				panic("out of paper")
			}
			return nil
		})
		in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is gone, want it to reach whoever logs it")
				}
			}()
			_, _ = c.CreateToken(t.Context(), in)
		}()
		s.behave(nil)
		s.requests()
		time.Sleep(ledger.CallsKept - time.Second)
		p := refused(t)(c.CreateToken(t.Context(), in))
		if p.Kind != providers.OutcomeUnknown || !strings.Contains(p.Message, "was cut off") || len(s.requests()) > 0 {
			t.Errorf("the problem is %+v, want an OUTCOME_UNKNOWN and nothing sent", p)
		}
		time.Sleep(time.Second)
		done(t)(c.CreateToken(t.Context(), in))
	})
}

func TestAKeyIsFreeADayLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := newPost(t)
		in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
		first := done(t)(c.CreateToken(t.Context(), in))
		time.Sleep(ledger.CallsKept - time.Second)
		again(t)(c.CreateToken(t.Context(), in))
		time.Sleep(time.Second)
		if second := done(t)(c.CreateToken(t.Context(), in)); second.Token.ID == first.Token.ID || second.Secret.Empty() || s.requests()["create"] != 2 {
			t.Errorf("a day later the call tells %+v, want another token", second)
		}
	})
}

func TestAnAbsurdKeyIsRefused(t *testing.T) {
	c, s, d, _ := newPost(t)
	for name, key := range map[string]string{
		"an empty one": "", "a long one": strings.Repeat("ö", 256), "a line end": "a\nb", "no text": "a\xff", "a zero": "a\x00",
	} {
		p := refused(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", key)}))
		if p.Kind != providers.Invalid || !slices.Equal(p.Path, []string{"idempotencyKey"}) {
			t.Errorf("%s: the problem is %+v, want INVALID at idempotencyKey", name, p)
		}
	}
	if asked := s.requests(); len(asked) > 0 || len(d.questions()) > 0 {
		t.Errorf("requests: %v, want none, and nothing asked of the ledger", asked)
	}
	for _, key := range []string{"k", strings.Repeat("ö", 255), " ", "a b/c:{}", "🗝"} {
		done(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", key)}))
	}
}

func TestALedgerThatIsDownStopsACallWithAKeyBeforeItIsSent(t *testing.T) {
	c, s, d, j := newPost(t)
	in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
	d.failing("claim", ledger.ErrUnavailable)
	if p := refused(t)(c.CreateToken(t.Context(), in)); p.Kind != providers.Unavailable || len(s.requests()) > 0 {
		t.Errorf("the problem is %+v, want UNAVAILABLE before anything is sent", p)
	}
	done(t)(c.CreateToken(t.Context(), CreateToken{Registry: grid.r0, Name: "ci"}))
	d.failing("settle", ledger.ErrUnavailable)
	if w := done(t)(c.CreateToken(t.Context(), in)); w.Secret.Empty() || j.lines("a repetition will be refused") != 1 {
		t.Errorf("the log says %q, want the secret told and a line", j.text.String())
	}
	d.failing("", nil)
	if p := refused(t)(c.CreateToken(t.Context(), in)); p.Kind != providers.Conflict || s.requests()["create"] != 2 {
		t.Errorf("the problem is %+v, want a CONFLICT: nobody knows what became of the first call", p)
	}
}

// TestAProcessThatHasNotHeardOfATokenFindsItByItsKey lets one catalog make a token, and another that read before it repeat the call.
func TestAProcessThatHasNotHeardOfATokenFindsItByItsKey(t *testing.T) {
	s, d := newWriter(1, 1), newDiary()
	one := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
	other := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
	if lists := other.TokenLists(t.Context(), []providers.ID{grid.r0}); lists[0].Err != nil {
		t.Fatal(lists[0].Err)
	}
	in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
	first := done(t)(one.CreateToken(t.Context(), in))
	if repeated := again(t)(other.CreateToken(t.Context(), in)); repeated.ID != first.Token.ID {
		t.Errorf("the repetition tells %+v, want %+v", repeated, first.Token)
	}
}

func TestARepeatedRotationTellsBothTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := newPost(t)
		in := RotateToken{Token: oldToken, Overlap: day, Repeat: by("ann", "k")}
		first := turned(t)(c.RotateToken(t.Context(), in))
		expect := func(previous *Token) {
			t.Helper()
			repeated, err := c.RotateToken(t.Context(), in)
			if again(t)(repeated.Written, err).ID != first.Token.ID || !repeated.PreviousEnds.Equal(first.PreviousEnds) {
				t.Errorf("the repetition tells %+v, want the new token and when the old one ends", repeated)
			}
			if (repeated.Previous == nil) != (previous == nil) || previous != nil && repeated.Previous.Version() != previous.Version() {
				t.Errorf("the repetition tells the old token as %+v, want %+v", repeated.Previous, previous)
			}
		}
		expect(first.Previous)
		if asked := s.requests(); asked["create"] != 1 || asked["patch"] != 1 {
			t.Errorf("requests: %v, want one rotation", asked)
		}
		done(t)(c.DeleteToken(t.Context(), DeleteToken{Token: oldToken}))
		expect(nil)
	})
}

func TestARepeatedRotationTellsThatTheOldTokenWasNotEnded(t *testing.T) {
	c, s, _, _ := newPost(t)
	s.failing(errDown, "patch")
	in := RotateToken{Token: oldToken, Overlap: day, Repeat: by("ann", "k")}
	first, _ := halfway(t)(c.RotateToken(t.Context(), in))
	repeated, err := c.RotateToken(t.Context(), in)
	if err != nil || repeated.Token == nil || repeated.Token.ID != first.Token.ID || !repeated.Secret.Empty() || repeated.Previous == nil {
		t.Fatalf("the repetition tells %+v, %v; want both tokens and no secret", repeated, err)
	}
	if len(repeated.Problems) != 1 || repeated.Problems[0].Kind != providers.OutcomeUnknown || !slices.Equal(repeated.Problems[0].Path, []string{"overlap"}) {
		t.Errorf("problems: %+v, want that the old token was not ended", repeated.Problems)
	}
}

func TestWhatAnEarlierCallMadeMayBeOutOfSight(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want providers.Kind
		says string
	}{
		"it is gone":               {errGone, providers.NotFound, "gone since; use another key"},
		"the provider is down":     {errDown, providers.Unavailable, "was done, but"},
		"the credential may not":   {errForbidden, providers.Forbidden, "was done, but"},
		"there is a fault":         {errors.New("a fault"), "", ""},
		"the allowance is used up": {errLimited, providers.RateLimited, "was done, but"},
	} {
		t.Run(name, func(t *testing.T) {
			c, s, _, _ := newPost(t)
			in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
			done(t)(c.CreateToken(t.Context(), in))
			s.failing(test.err, "token", "tokens")
			w, err := c.CreateToken(t.Context(), in)
			if test.want == "" {
				if err == nil {
					t.Errorf("the repetition tells %+v, want the fault", w)
				}
				return
			}
			if p := refused(t)(w, err); p.Kind != test.want || !slices.Equal(p.Path, []string{"idempotencyKey"}) || !strings.Contains(p.Message, test.says) {
				t.Errorf("the problem is %+v, want %s that says %q", p, test.want, test.says)
			}
		})
	}
}

func TestOneCallAtATimeHasAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := newPost(t)
		s.slow(time.Second)
		in := CreateToken{Registry: grid.r0, Name: "ci", Repeat: by("ann", "k")}
		results := make(chan Written)
		for range 20 {
			go func() {
				w, err := c.CreateToken(t.Context(), in)
				if err != nil {
					t.Error(err)
				}
				results <- w
			}()
		}
		count := map[string]int{}
		for range 20 {
			switch w := <-results; {
			case w.Token != nil && !w.Secret.Empty():
				count["made"]++
			case has(w.Problems, providers.Conflict):
				count["conflict"]++
			default:
				count["other"]++
			}
		}
		if diff := cmp.Diff(count, map[string]int{"made": 1, "conflict": 19}); diff != "" || s.requests()["create"] != 1 {
			t.Errorf("results differ (-got +want):\n%s", diff)
		}
	})
}
