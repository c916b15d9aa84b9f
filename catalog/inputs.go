package catalog

import (
	"time"

	"regtok/providers"
)

// What a caller wants written. Nil and empty mean "not said", unless a field's comment says otherwise.

// CreateToken is a token to be created.
type CreateToken struct {
	Registry providers.ID
	Name     string
	Expiry   *Expiry
	// Scopes: nil leaves them to the provider; an empty list is said.
	Scopes  []providers.Scope
	Enabled *bool
	Repeat
}

// ReplaceToken is the whole new state of a token.
type ReplaceToken struct {
	Token   providers.ID
	Name    string
	Expiry  Expiry
	Scopes  []providers.Scope // none where it is empty
	Enabled bool
	// IfVersion: only if the token still has this version, likewise below.
	IfVersion *string
	// MustExist: a token that is gone is not made again.
	MustExist bool
}

// PatchToken is what shall change of a token.
type PatchToken struct {
	Token     providers.ID
	Name      *string
	Expiry    *Expiry
	Scopes    *ScopesPatch
	Enabled   *bool
	IfVersion *string
}

// DeleteToken is a token to be deleted.
type DeleteToken struct {
	Token     providers.ID
	IfVersion *string
	// AllowMissing: that it is gone already is as good.
	AllowMissing bool
}

// RotateToken is a token that a new one shall take the place of.
type RotateToken struct {
	Token     providers.ID
	Name      *string // nil: the old one's, with a counter where names are unique
	Expiry    *Expiry // nil: as long a life as the old one's
	Overlap   time.Duration
	IfVersion *string
	Repeat
}

// Repeat makes a repeated call safe.
type Repeat struct {
	// Caller names whose key it is: two callers' keys never meet.
	Caller string
	// IdempotencyKey: nil, the call is made whenever it is asked for.
	IdempotencyKey *string
}

// Expiry says when a token ends, by exactly one of its fields.
type Expiry struct {
	At *time.Time
	// In is counted from this server's clock.
	In *time.Duration
	// Never has to be true where it is set.
	Never *bool
}

// ScopesPatch changes scopes, by exactly one of its fields.
type ScopesPatch struct {
	// Set is the whole list. Nil is not said; an empty list takes all scopes away.
	Set    []providers.Scope
	Change *ScopesChange
}

// ScopesChange takes scopes away and then gives some. Scopes are told apart by type and name, and what is taken and
// given are their actions; Remove without actions takes the whole scope.
type ScopesChange struct {
	Remove, Add []providers.Scope
}
