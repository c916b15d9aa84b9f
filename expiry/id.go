package expiry

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"regtok/providers"
)

const (
	idVersion = 1
	idKind    = 'e' // tells it from the ids of other things: see providers.ID
	idSum     = 22  // makes 32 characters in all, and is more than anybody can find two of
)

// eventID names a step by what makes it that step.
func eventID(e Event) string {
	parts := [...]string{e.Subject.Token.String(), string(e.Kind)}
	raw := make([]byte, 0, 256)
	for _, part := range parts {
		raw = binary.BigEndian.AppendUint64(raw, uint64(len(part)))
		raw = append(raw, part...)
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(e.DueAt.UnixMilli()))
	raw = binary.BigEndian.AppendUint64(raw, uint64(e.Threshold.Milliseconds()))
	if !e.Was.IsZero() {
		raw = binary.BigEndian.AppendUint64(raw, uint64(e.Was.UnixMilli()))
	}
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(append([]byte{idVersion, idKind}, sum[:idSum]...))
}

// IsEventID tells whether an id is an event's, as far as can be seen. No other thing of this server has such an id.
func IsEventID(id string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(id)
	return err == nil && len(raw) == 2+idSum && raw[0] == idVersion && raw[1] == idKind && base64.RawURLEncoding.EncodeToString(raw) == id
}

// ofToken tells whether an id is a token's that can be written down.
func ofToken(id providers.ID) bool { return id.Kind == providers.TokenKind && id.String() != "" }
