package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// Organization is an organization as this server last saw it. Immutable and shared, like all that a Catalog returns.
type Organization struct {
	providers.Organization
	// Account is the one that it was read with; likewise below.
	Account    *Account
	ObservedAt time.Time
	// StaleSince is ObservedAt where this may have changed since, and could not be read anew; else zero. Likewise below.
	StaleSince time.Time
}

// Registry is a registry as this server last saw it.
type Registry struct {
	providers.Registry
	Account    *Account
	ObservedAt time.Time
	StaleSince time.Time
}

// User is a person as this server last saw them.
type User struct {
	providers.User
	Account *Account
}

// Token is a token as this server last saw it, with its due date.
type Token struct {
	providers.Token
	Account    *Account
	ObservedAt time.Time
	StaleSince time.Time
	// DueAt is the earlier of the provider's end and the rotation policy's date; zero: never due.
	DueAt time.Time
	// DueSource is empty when the token is never due.
	DueSource DueSource

	warnAhead time.Duration
}

// Version changes with every change of the token that its provider tells of, and with nothing else: neither with the
// server, nor with its time zone, nor with the data of the people who made and changed the token.
func (t *Token) Version() string {
	parts := []string{
		t.ID.String(), t.Name, strconv.FormatBool(t.Enabled), t.Username, t.WebURL,
		instant(t.ExpiresAt), instant(t.CreatedAt), instant(t.UpdatedAt),
	}
	for _, s := range t.Scopes { // sorted by the adapter
		parts = append(parts, s.Type, s.Name, cache.Join(s.Actions...), strconv.FormatBool(s.Implicit))
	}
	sum := sha256.Sum256([]byte(cache.Join(parts...)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// instant is a text for each moment, whatever its zone.
func instant(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }
