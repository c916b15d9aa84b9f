package auth

// Reason is why a caller was not admitted. There are few, so it may be a label of a figure.
type Reason string

// The reasons.
const (
	// Missing: there was no credential.
	Missing Reason = "missing"
	// Malformed: what was presented has not the form of a credential.
	Malformed Reason = "malformed"
	// Unknown: nobody with this credential is known.
	Unknown Reason = "unknown"
	// Expired: the credential has ended.
	Expired Reason = "expired"
	// Unavailable: the credential cannot be checked now, because the issuer of tokens does not answer.
	Unavailable Reason = "unavailable"
)

// Error says why a caller was not admitted. Neither its message nor its cause holds anything of the credential.
type Error struct {
	Reason Reason
	// Message is for the caller.
	Message string
	// Err is for the log alone. Nil: the message says all.
	Err error
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
