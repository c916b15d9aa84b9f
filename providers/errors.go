package providers

import (
	"errors"
	"fmt"
	"time"
)

// Kind sorts failures by what a caller can do about them.
type Kind string

// The kinds of failure.
const (
	// Invalid: the input makes no sense, here or to the provider.
	Invalid Kind = "INVALID"
	// NotFound: it does not exist, or the credential may not see it.
	NotFound Kind = "NOT_FOUND"
	// Conflict: a name is taken, or the thing changed meanwhile.
	Conflict Kind = "CONFLICT"
	// Unsupported: the provider has no such thing. Nothing was sent.
	Unsupported Kind = "UNSUPPORTED"
	// Unauthorized: the provider refuses this server's credential.
	Unauthorized Kind = "UNAUTHORIZED"
	// Forbidden: the credential is good, its rights are not enough.
	Forbidden Kind = "FORBIDDEN"
	// RateLimited: the allowance is used up. Nothing was done.
	RateLimited Kind = "RATE_LIMITED"
	// Unavailable: no answer, or none that makes sense. Error.Reason says which.
	Unavailable Kind = "UNAVAILABLE"
	// OutcomeUnknown: a write was sent and its answer was lost.
	OutcomeUnknown Kind = "OUTCOME_UNKNOWN"
	// Canceled: the caller went away.
	Canceled Kind = "CANCELED"
)

// Reason says why a provider is Unavailable, or why an outcome is unknown.
type Reason string

// The reasons.
const (
	Unreachable     Reason = "UNREACHABLE"
	Timeout         Reason = "TIMEOUT"
	CircuitOpen     Reason = "CIRCUIT_OPEN"
	InvalidResponse Reason = "INVALID_RESPONSE"
)

// Error is every failure at our border. It never holds a response's body, an address or a credential.
type Error struct {
	Kind     Kind
	Reason   Reason // set with Unavailable and OutcomeUnknown
	Provider string // the driver's name
	// Op is what was tried: "get token". What only reads begins with "get" or "list", and nothing else does.
	Op string
	// Message is the vendor's own message, cut to 500 bytes and free of control characters; it may hold personal data:
	// pass it to the caller, keep it out of logs.
	Message string
	// Field is the input at fault, when one is.
	Field string
	// Status is the upstream's HTTP status; 0: none came.
	Status int
	// RetryAfter is how long to wait; 0: not told.
	RetryAfter time.Duration
	// RequiredScope is the right that the credential lacks, when known: "write_registries".
	RequiredScope string
	// Err is the cause, for the log.
	Err error
}

// Error is for logs: kind, provider, operation and cause, without the vendor's message.
func (e *Error) Error() string {
	text := string(e.Kind)
	if e.Reason != "" {
		text += " (" + string(e.Reason) + ")"
	}
	if e.Op != "" {
		text = e.Op + ": " + text
	}
	if e.Provider != "" {
		text = e.Provider + ": " + text
	}
	if e.Status != 0 {
		text += fmt.Sprintf(", status %d", e.Status)
	}
	if e.Field != "" {
		text += ", field " + e.Field
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, and "" when there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// InvalidError says that an input or a setting makes no sense. Nothing was sent. The message is for people.
func InvalidError(provider, op, field, message string) *Error {
	return &Error{Kind: Invalid, Provider: provider, Op: op, Field: field, Message: message}
}

// UnsupportedError says that a provider has no such operation or field. Nothing was sent.
func UnsupportedError(provider, op string, field TokenField) *Error {
	return &Error{Kind: Unsupported, Provider: provider, Op: op, Field: string(field)}
}

// NotFoundError says that there is no such thing, without asking the provider.
func NotFoundError(provider, op string) *Error {
	return &Error{Kind: NotFound, Provider: provider, Op: op}
}
