package model

import (
	"time"

	"regtok/catalog"
)

// Token is a token.
type Token struct{ *catalog.Token }

// Provider is where it is.
func (t *Token) Provider() *Provider { return &Provider{t.Account.Driver} }

// NativeID is the provider's own id.
func (t *Token) NativeID() string { return t.ID.Native }

// Username goes with the secret at login.
func (t *Token) Username() *string { return orNull(&t.Token.Username) }

// State is where the token is in its life now.
func (t *Token) State() catalog.TokenState { return t.Token.State(time.Now()) }

// DueSource is null when the token is never due.
func (t *Token) DueSource() *catalog.DueSource {
	if t.Token.DueSource == "" {
		return nil
	}
	return &t.Token.DueSource
}

// DueIn is the time left, in whole seconds; null when the token is never due.
func (t *Token) DueIn() *time.Duration {
	if t.DueAt.IsZero() {
		return nil
	}
	left := time.Until(t.DueAt).Truncate(time.Second)
	return &left
}

// TokenSummary counts tokens at one moment.
type TokenSummary struct {
	Active, Expiring, Expired, Disabled, NeverDue int

	tokens []*catalog.Token
	now    time.Time
}

// NewTokenSummary counts.
func NewTokenSummary(tokens []*catalog.Token, now time.Time) *TokenSummary {
	s := TokenSummary{tokens: tokens, now: now}
	for _, t := range tokens {
		switch t.State(now) {
		case catalog.Active:
			s.Active++
		case catalog.Expiring:
			s.Expiring++
		case catalog.Expired:
			s.Expired++
		case catalog.Disabled:
			s.Disabled++
		}
		if t.DueAt.IsZero() {
			s.NeverDue++
		}
	}
	return &s
}

// DueWithin counts the tokens that are due between now and then.
func (s *TokenSummary) DueWithin(duration time.Duration) int {
	count := 0
	for _, t := range s.tokens {
		if !t.DueAt.IsZero() && !t.DueAt.Before(s.now) && t.DueAt.Before(s.now.Add(duration)) {
			count++
		}
	}
	return count
}
