package providers

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a credential. It does not print, log, format or encode: every such way shows "[redacted]".
// Only Reveal gives it away. The zero value is no secret. It is immutable and safe to share.
// Equal credentials wrapped twice are not equal by ==.
type Secret struct {
	// A pointer, because fmt calls no methods on unexported fields and with wrong verbs (%p, %w): it prints what
	// is inside, and of a pointer that is the address.
	value *string
}

// NewSecret wraps a credential as soon as it is read.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the credential. Call it where a request header is written or a payload is marshalled.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty tells whether there is no secret.
func (s Secret) Empty() bool { return s.value == nil }

// String implements fmt.Stringer without the secret.
func (s Secret) String() string { return redacted }

// GoString implements fmt.GoStringer without the secret.
func (s Secret) GoString() string { return redacted }

// Format implements fmt.Formatter without the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer without the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements json.Marshaler without the secret.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText implements encoding.TextMarshaler without the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalBinary implements encoding.BinaryMarshaler without the secret. It also covers gob.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }
