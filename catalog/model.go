package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"regtok/providers"
)

// Organization is an organization as this server last saw it. Immutable and shared, like all that a Catalog returns.
type Organization struct {
	providers.Organization
	// Account is the one that it was read with; likewise below.
	Account    *Account
	ObservedAt time.Time
}

// Registry is a registry as this server last saw it.
type Registry struct {
	providers.Registry
	Account    *Account
	ObservedAt time.Time
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
	// DueAt is the earlier of the provider's end and the rotation policy's date; zero: never due.
	DueAt time.Time
	// DueSource is empty when the token is never due.
	DueSource DueSource

	warnAhead time.Duration
}

// Version changes with every change of the token that its provider tells of. It is the same for every server and
// does not depend on the order of scopes.
func (t *Token) Version() string {
	told := t.Token
	told.CreatedBy, told.UpdatedBy = nil, nil // people's own data may change without the token
	body, err := json.Marshal(told)
	if err != nil {
		panic("a token does not encode: " + err.Error())
	}
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
