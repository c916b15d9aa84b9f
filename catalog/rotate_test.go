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

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// What is rotated, and what is beside it.
var oldToken, otherToken = grid.r0.TokenID("t0"), grid.r0.TokenID("t1")

// turned is a rotation's result where nothing may be wrong.
func turned(t testing.TB) func(Rotated, error) Rotated {
	return func(r Rotated, err error) Rotated {
		t.Helper()
		if err != nil || len(r.Problems) > 0 || r.Token == nil || r.Secret.Empty() {
			t.Fatalf("the rotation failed: %v, token %v, problems %+v", err, r.Token, r.Problems)
		}
		return r
	}
}

// stopped is the only problem of a rotation that made nothing.
func stopped(t testing.TB) func(Rotated, error) Problem {
	return func(r Rotated, err error) Problem {
		t.Helper()
		if err != nil || len(r.Problems) != 1 || r.Token != nil || !r.Secret.Empty() || r.Previous != nil || !r.PreviousEnds.IsZero() {
			t.Fatalf("the rotation came to %+v, %v; want one problem and nothing else", r, err)
		}
		return r.Problems[0]
	}
}

// halfway is the only problem of a rotation that made its new token and could not end the old one.
func halfway(t testing.TB) func(Rotated, error) (Rotated, Problem) {
	return func(r Rotated, err error) (Rotated, Problem) {
		t.Helper()
		if err != nil || len(r.Problems) != 1 || r.Token == nil || r.Secret.Empty() || r.Previous == nil {
			t.Fatalf("the rotation came to %+v, %v; want the new token, its secret, the old one and one problem", r, err)
		}
		return r, r.Problems[0]
	}
}

// bare takes from a source what Buildkite has not got either: everything but names.
func bare(s *source) *source {
	s.driver.Capabilities = providers.Capabilities{CreateFields: allFields[:1], RequiredCreateFields: allFields[:1], PatchFields: allFields[:1]}
	return s
}

func TestARotationMakesATokenLikeTheOldOneAndLetsTheProviderEndThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := newWriter(1, 1), newDiary()
		d.fragile = true
		id := oldToken
		born := time.Now().UTC()
		s.set(id, func(token *providers.Token) {
			token.Name, token.Enabled, token.CreatedAt, token.ExpiresAt = "ci", false, born, born.Add(90*day)
			token.Scopes = []providers.Scope{{Type: "repository", Name: "a", Actions: []string{"pull"}}, {Type: "all", Name: "x", Implicit: true}}
		})
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
		time.Sleep(30 * day)

		got := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: id, Overlap: 7 * day}))
		now := time.Now().UTC()
		want := providers.Token{ID: got.Token.ID, Name: "ci", CreatedAt: now, ExpiresAt: now.Add(90 * day),
			Scopes: []providers.Scope{{Type: "repository", Name: "a", Actions: []string{"pull"}}}}
		if diff := cmp.Diff(got.Token.Token, want); diff != "" {
			t.Errorf("the new token differs (-got +want):\n%s", diff)
		}
		if got.Previous == nil || !got.Previous.ExpiresAt.Equal(now.Add(7*day)) || !got.PreviousEnds.Equal(now.Add(7*day)) {
			t.Errorf("the old token is told as %+v, ending at %s; want its end after the overlap", got.Previous, got.PreviousEnds)
		}
		if diff := cmp.Diff(s.requests(), map[string]int{"token": 1, "create": 1, "patch": 1}); diff != "" {
			t.Errorf("requests differ (-got +want):\n%s", diff)
		}
		if promised := d.deletions(); len(promised) > 0 {
			t.Errorf("this server promises %v, want nothing of its own", promised)
		}
	})
}

func TestARotationSaysNothingThatTheProviderCannotBeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 1)), newDiary()
		id := oldToken
		s.set(id, func(token *providers.Token) {
			token.ExpiresAt = time.Now().Add(300 * day)
			token.Scopes = []providers.Scope{{Type: "registry", Name: "r", Actions: []string{"read_packages"}, Implicit: true}}
		})
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
		got := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: id, Overlap: day}))
		if got.Token.Name != "t0" || !got.Token.ExpiresAt.IsZero() || len(got.Token.Scopes) > 0 {
			t.Errorf("the new token is %+v; want the old one's name and nothing else", got.Token.Token)
		}
		if got.Previous == nil || !got.PreviousEnds.Equal(time.Now().Add(day)) {
			t.Errorf("the old token is told as %+v, ending at %s; want it after a day", got.Previous, got.PreviousEnds)
		}
		if diff := cmp.Diff(d.deletions(), map[providers.ID]time.Time{id: got.PreviousEnds}); diff != "" {
			t.Errorf("promises differ (-got +want):\n%s", diff)
		}
	})
}

func TestWithoutAnOverlapTheOldTokenIsDeletedAtOnce(t *testing.T) {
	for name, gone := range map[string]bool{"the old token is there": false, "somebody deletes it meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, d := newWriter(1, 1), newDiary()
				d.fragile = true
				if gone {
					s.failing(errGone, "delete")
				}
				c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
				got := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken}))
				if got.Previous != nil || !got.PreviousEnds.Equal(time.Now()) {
					t.Errorf("the old token is told as %+v, ending at %s; want it gone now", got.Previous, got.PreviousEnds)
				}
				if asked := s.requests(); asked["delete"] != 1 || asked["patch"] != 0 {
					t.Errorf("requests: %v, want one deletion and no patch", asked)
				}
				list := c.TokenLists(t.Context(), []providers.ID{oldToken.OfRegistry()})[0].Value
				if !gone && (len(list) != 1 || list[0].ID != got.Token.ID) {
					t.Errorf("the registry has %v, want the new token alone", list)
				}
			})
		})
	}
}

func TestAnOldTokenIsNeverGivenALaterEnd(t *testing.T) {
	for name, writer := range map[string]func() *source{
		"at a provider with ends": func() *source { return newWriter(1, 1) },
		"at one without":          func() *source { return bare(newWriter(1, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, d := writer(), newDiary()
				end := time.Now().UTC().Add(day)
				s.set(oldToken, func(token *providers.Token) { token.CreatedAt, token.ExpiresAt = time.Now().Add(-day), end })
				c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: d})
				got := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: 7 * day}))
				if !got.PreviousEnds.Equal(end) || got.Previous == nil || !got.Previous.ExpiresAt.Equal(end) {
					t.Errorf("the old token ends at %s, want its own end %s", got.PreviousEnds, end)
				}
				if asked := s.requests(); asked["patch"] != 0 || len(d.deletions()) != 0 {
					t.Errorf("requests: %v, promises: %v, want nothing for the old token", asked, d.deletions())
				}
			})
		})
	}
}

func TestAnOverlapThatNobodyWouldKeepIsRefusedBeforeAnythingIsSent(t *testing.T) {
	hourly := func() *source {
		s := newWriter(1, 1)
		s.driver.Capabilities.SoonestExpiry = time.Hour
		return s
	}
	for name, test := range map[string]struct {
		source  *source
		overlap time.Duration
		durable bool
		message string // empty: it is not refused
	}{
		"a negative one":                           {newWriter(1, 1), -time.Second, true, "cannot be negative"},
		"without ends and without Redis":           {bare(newWriter(1, 1)), day, false, "PT0S to delete the old token at once, or start the server with --redis-url"},
		"too short an end, without Redis":          {hourly(), 59 * time.Minute, false, "no sooner than in PT1H, and"},
		"too short an end, with Redis":             {hourly(), 59 * time.Minute, true, ""},
		"the shortest end that the provider takes": {hourly(), time.Hour, false, ""},
		"none, without ends and without Redis":     {bare(newWriter(1, 1)), 0, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDiary()
			d.fragile = !test.durable
			c := newCatalog(t, Options{Accounts: []*Account{test.source.account("a")}, Ledger: d})
			in := RotateToken{Token: oldToken, Overlap: test.overlap}
			if test.message == "" {
				turned(t)(c.RotateToken(t.Context(), in))
				return
			}
			p := stopped(t)(c.RotateToken(t.Context(), in))
			if p.Kind != providers.Invalid || !slices.Equal(p.Path, []string{"overlap"}) || !strings.Contains(p.Message, test.message) {
				t.Errorf("the problem is %+v, want INVALID at overlap that says %q", p, test.message)
			}
			if asked := test.source.requests(); len(asked) > 0 {
				t.Errorf("requests: %v, want none", asked)
			}
			if asked := d.questions(); len(asked) > 0 {
				t.Errorf("the ledger was asked %v, want nothing", asked)
			}
		})
	}
}

func TestAnEndThatAProviderOnlyJustAcceptsIsPutOffByAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		s.driver.Capabilities.SoonestExpiry = time.Hour
		born := time.Now().UTC()
		s.set(oldToken, func(token *providers.Token) { token.CreatedAt, token.ExpiresAt = born, born.Add(10*day) })
		c := over(t, s.account("a"))
		got := turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		if want := born.Add(61 * time.Minute); !got.PreviousEnds.Equal(want) {
			t.Errorf("the old token ends at %s, want %s", got.PreviousEnds, want)
		}
	})
}

func TestARotationTellsAllThatIsWrongWithItsInput(t *testing.T) {
	s := bare(newWriter(1, 1))
	c := over(t, s.account("a"))
	empty, life := "", day
	got, err := c.RotateToken(t.Context(), RotateToken{Token: oldToken, Name: &empty, Expiry: &Expiry{In: &life}, Overlap: -1})
	kinds := map[string]providers.Kind{}
	for _, p := range got.Problems {
		kinds[strings.Join(p.Path, ".")] = p.Kind
	}
	want := map[string]providers.Kind{"name": providers.Invalid, "expiry": providers.Unsupported, "overlap": providers.Invalid}
	if diff := cmp.Diff(kinds, want); diff != "" || err != nil {
		t.Errorf("problems differ, %v (-got +want):\n%s", err, diff)
	}
	for name, id := range map[string]providers.ID{
		"a registry's id": oldToken.OfRegistry(), "another provider's": providers.OrganizationID("q", "o").RegistryID("r").TokenID("t"), "none": {},
	} {
		p := stopped(t)(c.RotateToken(t.Context(), RotateToken{Token: id}))
		if p.Kind != providers.NotFound || !slices.Equal(p.Path, []string{"token"}) {
			t.Errorf("%s: the problem is %+v, want NOT_FOUND at token", name, p)
		}
	}
	if asked := s.requests(); len(asked) > 0 {
		t.Errorf("requests: %v, want none", asked)
	}
}

func TestTheNewTokensLifeIsChosenOrTheOldOnes(t *testing.T) {
	never, month := true, 30*day
	for name, test := range map[string]struct {
		born, ends time.Duration // from now on; 0: not told, never
		expiry     *Expiry
		want       time.Duration
		refused    bool
	}{
		"as long as the old one's":       {-5 * day, 5 * day, nil, 10 * day, false},
		"never stays never":              {-5 * day, 0, nil, 0, false},
		"never, chosen":                  {-5 * day, 5 * day, &Expiry{Never: &never}, 0, false},
		"a duration, chosen":             {-5 * day, 5 * day, &Expiry{In: &month}, month, false},
		"a birth that nobody tells":      {0, 5 * day, nil, 0, true},
		"a birth that nobody asks for":   {0, 5 * day, &Expiry{In: &month}, month, false},
		"an end that lies before birth":  {5 * day, day, nil, 0, true},
		"neither a birth nor an end":     {0, 0, nil, 0, false},
		"an end just before the overlap": {-5 * day, time.Hour, nil, 5*day + time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from := func(d time.Duration) time.Time {
					if d == 0 {
						return time.Time{}
					}
					return time.Now().UTC().Add(d)
				}
				s := newWriter(1, 1)
				s.set(oldToken, func(token *providers.Token) { token.CreatedAt, token.ExpiresAt = from(test.born), from(test.ends) })
				got, err := over(t, s.account("a")).RotateToken(t.Context(), RotateToken{Token: oldToken, Expiry: test.expiry})
				if test.refused {
					p := stopped(t)(got, err)
					if p.Kind != providers.Invalid || !slices.Equal(p.Path, []string{"expiry"}) {
						t.Errorf("the problem is %+v, want INVALID at expiry", p)
					}
					return
				}
				if turned(t)(got, err); !got.Token.ExpiresAt.Equal(from(test.want)) {
					t.Errorf("the new token ends at %s, want %s", got.Token.ExpiresAt, from(test.want))
				}
			})
		})
	}
}

func TestASecondRotationDuringTheOverlapIsAConflictThatLeadsToTheNewToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		c := over(t, s.account("a"))
		in := RotateToken{Token: oldToken, Overlap: day}
		first := turned(t)(c.RotateToken(t.Context(), in))
		s.requests()
		p := stopped(t)(c.RotateToken(t.Context(), in))
		if p.Kind != providers.Conflict || !slices.Equal(p.Path, []string{"token"}) || !strings.Contains(p.Message, first.Token.ID.String()) ||
			!strings.Contains(p.Message, "ends at "+first.PreviousEnds.Format(time.RFC3339)) {
			t.Errorf("the problem is %+v, want a CONFLICT that names the new token and the old one's end", p)
		}
		if asked := s.requests(); len(asked) > 0 {
			t.Errorf("requests: %v, want none", asked)
		}
		turned(t)(c.RotateToken(t.Context(), RotateToken{Token: first.Token.ID, Overlap: day}))
	})
}

func TestTwoRotationsAtTheSameTimeMakeOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		s.slow(time.Second)
		c := over(t, s.account("a"))
		in := RotateToken{Token: oldToken, Overlap: day}
		results := make(chan Rotated)
		for range 2 {
			go func() {
				got, err := c.RotateToken(t.Context(), in)
				if err != nil {
					t.Error(err)
				}
				results <- got
			}()
		}
		var kinds []providers.Kind
		made := 0
		for range 2 {
			got := <-results
			if got.Token != nil {
				made++
			}
			for _, p := range got.Problems {
				kinds = append(kinds, p.Kind)
				if !strings.Contains(p.Message, "in rotation since") {
					t.Errorf("the problem says %q, want that another rotation is under way", p.Message)
				}
			}
		}
		if made != 1 || !slices.Equal(kinds, []providers.Kind{providers.Conflict}) || s.requests()["create"] != 1 {
			t.Errorf("%d tokens were made, problems %v; want one of each", made, kinds)
		}
	})
}

func TestARotationOfAnotherVersionSendsNothing(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, s.account("a"))
	id := oldToken
	old := c.TokensByID(t.Context(), []providers.ID{id})[0].Value.Version()
	s.set(id, func(token *providers.Token) { token.Enabled = false })
	s.requests()
	p := stopped(t)(c.RotateToken(t.Context(), RotateToken{Token: id, IfVersion: &old}))
	if p.Kind != providers.Conflict || p.CurrentVersion == "" || p.CurrentVersion == old {
		t.Errorf("the problem is %+v, want a CONFLICT with another version", p)
	}
	if diff := cmp.Diff(s.requests(), map[string]int{"token": 1}); diff != "" {
		t.Errorf("requests differ (-got +want):\n%s", diff)
	}
	turned(t)(c.RotateToken(t.Context(), RotateToken{Token: id, IfVersion: &p.CurrentVersion}))
}

func TestARotationIsSeenByTheNextReaderOfEveryAccount(t *testing.T) {
	s := newWriter(1, 1)
	c := over(t, s.account("a"), s.account("b"))
	registry := oldToken.OfRegistry()
	count := func() int { return len(c.TokenLists(t.Context(), []providers.ID{registry})[0].Value) }
	if got := count(); got != 1 {
		t.Fatalf("there are %d tokens, want 1", got)
	}
	turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day}))
	if got := count(); got != 2 {
		t.Errorf("after a rotation there are %d tokens, want 2", got)
	}
	entry := c.TokensByID(t.Context(), []providers.ID{oldToken})[0]
	if entry.Err != nil || entry.Value.ExpiresAt.IsZero() {
		t.Errorf("the old token is read as %+v, %v; want it with its end", entry.Value, entry.Err)
	}
}

func TestACallerWhoLeavesDoesNotLeaveHalfARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		s.slow(time.Second)
		c := over(t, s.account("a"))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel) // while the new token is made
		got := turned(t)(c.RotateToken(ctx, RotateToken{Token: oldToken, Overlap: day}))
		if s.now(t, oldToken).ExpiresAt.IsZero() || got.PreviousEnds.IsZero() {
			t.Error("the old token has no end, want it carried through")
		}
		if _, err := c.RotateToken(ctx, RotateToken{Token: got.Token.ID}); !errors.Is(err, context.Canceled) {
			t.Errorf("a rotation for nobody answers %v, want context.Canceled", err)
		}
		if asked := s.requests(); !maps.Equal(asked, map[string]int{"token": 1, "create": 1, "patch": 1}) {
			t.Errorf("requests: %v, want one rotation", asked)
		}
	})
}
