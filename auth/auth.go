// Package auth says who calls this API and what they may do.
package auth

import (
	"context"
	"slices"
	"time"

	"regtok/providers"
)

// Permission is a right of a caller. Its value is the name that the GraphQL enum has.
type Permission string

// The permissions.
const (
	// TokensRead lets a caller see accounts, organizations, registries, tokens and users.
	TokensRead Permission = "TOKENS_READ"
	// TokensWrite lets a caller create, replace, patch and rotate tokens. New secrets are shown to them.
	TokensWrite Permission = "TOKENS_WRITE"
	// TokensDelete lets a caller delete tokens.
	TokensDelete Permission = "TOKENS_DELETE"
	// EventsRead lets a caller read and follow the events of tokens' ends.
	EventsRead Permission = "EVENTS_READ"
	// ActivityRead lets a caller read and follow what happens to tokens, and who did it.
	ActivityRead Permission = "ACTIVITY_READ"
	// MetricsRead lets a caller read the figures at /metrics.
	MetricsRead Permission = "METRICS_READ"
)

// Permissions returns all permissions that there are.
func Permissions() []Permission {
	return []Permission{TokensRead, TokensWrite, TokensDelete, EventsRead, ActivityRead, MetricsRead}
}

// Viewer is the caller of one request. It is not changed once it is made, so it may be shared.
// The zero Viewer is nobody and may do nothing.
type Viewer struct {
	// Subject names the caller, for people and for logs. It is no credential.
	Subject string
	// Permissions are in no particular order, each one once.
	Permissions []Permission
	// Until is when the caller's credential ends. Zero: it does not.
	Until time.Time
	// Reach is what the permissions are for: everything, unless it was narrowed.
	Reach providers.Reach
	// Allowance is how many points the viewer may spend. Nil: as many as every caller.
	Allowance *Allowance

	life *lifetime // of the key; nil: it is none, or not one of Callers
}

// Equal tells whether two viewers may do the same under the same name, for the same time.
func (v Viewer) Equal(other Viewer) bool {
	return v.Subject == other.Subject && sameSet(v.Permissions, other.Permissions) && v.Until.Equal(other.Until) && v.Reach.Equal(other.Reach) &&
		v.Allowance.Equal(other.Allowance)
}

// sameSet is about lists in which each one stands once.
func sameSet(a, b []Permission) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p Permission) bool { return !slices.Contains(b, p) })
}

// May tells whether the viewer holds p. Figures are those of everything, so who is narrowed may not read them.
func (v Viewer) May(p Permission) bool {
	return slices.Contains(v.Permissions, p) && (p != MetricsRead || v.Reach.Everywhere())
}

// Local returns the viewer of a server that knows no callers: whoever reaches its loopback address may do everything.
func Local() Viewer {
	return Viewer{Subject: "local", Permissions: Permissions()}
}

type viewerKey struct{}

// NewContext returns ctx with v as its viewer.
func NewContext(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// FromContext returns the viewer of ctx, and nobody when it has none.
func FromContext(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}
