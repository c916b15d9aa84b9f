package catalog

import (
	"time"

	"regtok/providers"
)

// Written is what became of a write.
type Written struct {
	// Token is as its provider told it; nil: see Problems.
	Token *Token
	// Secret is empty when the provider made no new one, and when the call repeated an earlier one.
	Secret providers.Secret
	// Problems are why it failed. A rotation may have both a token and a problem.
	Problems []Problem
}

// Rotated is what became of a rotation: Token and Secret are the new token's.
type Rotated struct {
	Written
	repeated bool // an earlier call with the same idempotency key had done it
	// Previous is the old token as it is now; nil: it is gone, or see Problems.
	Previous *Token
	// PreviousEnds is when the old token stops working, or stopped; zero: never, or see Problems.
	PreviousEnds time.Time
}

// Problem is a failure that a caller can do something about. Its kind is one of Invalid, NotFound, Conflict, Unsupported,
// Forbidden, RateLimited, Unavailable and OutcomeUnknown.
type Problem struct {
	Kind providers.Kind
	// Message is for people: what is wrong and what to do. It may hold the vendor's own words, which may hold personal
	// data: it is for the caller, not for the log.
	Message string
	// Path leads to the input field at fault, from the input's root; nil: no single one.
	Path []string
	// Provider is the driver's name; empty: none is concerned.
	Provider string
	// Field is set with Unsupported, unless the whole operation is.
	Field providers.TokenField
	// CurrentVersion is set with Conflict when the token's version is not the one that was expected.
	CurrentVersion string
	// RequiredScope is set with Forbidden where it is known.
	RequiredScope string
	// RetryAfter is set with RateLimited, and with Unavailable where it is known.
	RetryAfter time.Duration
}
