package eventlog

import (
	"crypto/sha256"
	"encoding/base64"
)

const (
	idVersion = 1
	idSum     = 22 // makes 32 characters in all, and is more than anybody can find two of
)

// NewID names an event of a kind by what makes it that event. A kind is a letter that no other kind, and no kind of
// providers.ID, has.
func NewID(kind byte, what []byte) string {
	sum := sha256.Sum256(what)
	return base64.RawURLEncoding.EncodeToString(append([]byte{idVersion, kind}, sum[:idSum]...))
}

// IsID tells whether an id is that of an event of a kind, as far as can be seen.
func IsID(kind byte, id string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(id)
	return err == nil && len(raw) == 2+idSum && raw[0] == idVersion && raw[1] == kind && base64.RawURLEncoding.EncodeToString(raw) == id
}
