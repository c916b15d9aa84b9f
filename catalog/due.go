package catalog

import (
	"slices"
	"time"

	"regtok/providers"
)

// DueSource says which clock makes a token due.
type DueSource string

// The clocks that make a token due.
const (
	DueByProvider DueSource = "PROVIDER"
	DueByPolicy   DueSource = "POLICY"
)

// TokenState is where a token is in its life.
type TokenState string

// The states of a token, in no order.
const (
	Active   TokenState = "ACTIVE"
	Expiring TokenState = "EXPIRING"
	Expired  TokenState = "EXPIRED"
	Disabled TokenState = "DISABLED"
)

// Policy decides when tokens are due and when that is near.
type Policy struct {
	// MaxAge is the rotation policy: how old a provider's tokens may become, by the driver's name. None: they may
	// become as old as their provider lets them.
	MaxAge map[string]time.Duration
	// Thresholds are how long before its due date a token is worth a warning. The longest makes it EXPIRING.
	Thresholds []time.Duration
}

// DefaultThresholds are used when a configuration names none, longest first.
func DefaultThresholds() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{30 * day, 14 * day, 7 * day, 3 * day, day, time.Hour}
}

// Due tells when a token is due and which clock says so; zero and "" when it never is.
func (p Policy) Due(t providers.Token) (time.Time, DueSource) {
	due, source := t.ExpiresAt, DueByProvider
	if age, ok := p.MaxAge[t.ID.Provider]; ok && age > 0 && !t.CreatedAt.IsZero() {
		if byPolicy := t.CreatedAt.Add(age); due.IsZero() || byPolicy.Before(due) {
			due, source = byPolicy, DueByPolicy
		}
	}
	if due.IsZero() {
		return time.Time{}, ""
	}
	return due, source
}

func (p Policy) warnAhead() time.Duration {
	if len(p.Thresholds) == 0 {
		return 0
	}
	return slices.Max(p.Thresholds)
}

// State tells where the token is in its life at a moment. EXPIRED goes before DISABLED, that before EXPIRING.
func (t *Token) State(now time.Time) TokenState {
	switch {
	case !t.DueAt.IsZero() && !now.Before(t.DueAt):
		return Expired
	case !t.Enabled:
		return Disabled
	case !t.DueAt.IsZero() && t.DueAt.Sub(now) <= t.warnAhead:
		return Expiring
	}
	return Active
}
