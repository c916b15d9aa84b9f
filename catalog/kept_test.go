package catalog

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

// What has to hold when things take long, are repeated, or come back under the same id.

func TestARepetitionTellsThatAnOldTokenWithAnEndOfItsOwnWasNotEnded(t *testing.T) {
	for _, overlap := range []time.Duration{0, day} {
		synctest.Test(t, func(t *testing.T) {
			c, s, _, _ := newPost(t)
			s.set(oldToken, func(token *providers.Token) {
				token.CreatedAt, token.ExpiresAt = time.Now(), time.Now().UTC().Add(300*day)
			})
			s.failing(errDown, "patch", "delete")
			in := RotateToken{Token: oldToken, Overlap: overlap, Repeat: by("ann", "k")}
			halfway(t)(c.RotateToken(t.Context(), in))
			repeated, err := c.RotateToken(t.Context(), in)
			if err != nil || len(repeated.Problems) != 1 || repeated.Token == nil || repeated.Previous == nil {
				t.Errorf("after an overlap of %v the repetition tells %+v, %v; want both tokens and a problem", overlap, repeated, err)
			}
		})
	}
}

func TestAPromiseIsNotAboutATokenThatIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := bare(newWriter(1, 1)), newDiary()
		s.driver.Capabilities.ReplaceFields = allFields
		c := kept(t, s, d, &journal{})
		turned(t)(c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: time.Hour}))
		s.mu.Lock()
		delete(s.tokens, oldToken.OfRegistry()) // past this server
		s.mu.Unlock()
		never := true
		anew := done(t)(c.ReplaceToken(t.Context(), ReplaceToken{Token: oldToken, Name: "again", Expiry: Expiry{Never: &never}, Enabled: true}))
		if anew.Secret.Empty() {
			t.Fatal("the token was not made anew")
		}
		time.Sleep(2 * time.Hour)
		if asked := s.requests()["delete"]; asked != 0 || !there(s, oldToken) {
			t.Errorf("%d tokens were deleted, want the new one left alone", asked)
		}
	})
}

// slowly reads tokens in so much time.
type slowly struct {
	providers.Provider
	reading time.Duration
}

func (s slowly) Token(ctx context.Context, id providers.ID) (providers.Token, error) {
	time.Sleep(s.reading)
	return s.Provider.Token(ctx, id)
}

func TestNothingIsMadeWhenTooLittleTimeIsLeftForItsAnswer(t *testing.T) {
	for reading, want := range map[time.Duration]int{9 * time.Second: 1, 11 * time.Second: 0} {
		synctest.Test(t, func(t *testing.T) {
			s := newWriter(1, 1)
			account := s.account("a")
			account.Provider = slowly{account.Provider, reading}
			c := newCatalog(t, Options{Accounts: []*Account{account}, LoadTimeout: 15 * time.Second})
			rotated, err := c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day})
			if made := s.requests()["create"]; err != nil || made != want || (rotated.Token != nil) != (want == 1) {
				t.Errorf("after %v of reading %d tokens are made: %+v, %v; want %d", reading, made, rotated, err, want)
			}
		})
	}
}

func TestARotationThatWaitsForLongLetsNoOtherBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := newWriter(1, 1), ledger.NewMemory()
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Ledger: l})
		unlock, err := l.Lock(t.Context(), oldToken)
		if err != nil {
			t.Fatal(err)
		}
		results := make(chan Rotated, 2)
		for range 2 {
			go func() {
				rotated, err := c.RotateToken(t.Context(), RotateToken{Token: oldToken, Overlap: day})
				if err != nil {
					t.Error(err)
				}
				results <- rotated
			}()
			time.Sleep(ledger.RotationLease + time.Minute)
		}
		unlock()
		<-results
		<-results
		if made := s.requests()["create"]; made > 1 {
			t.Errorf("%d tokens were made", made)
		}
	})
}
