package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A key is regtok_<public id>_<secret>: what it is, which one it is, and 256 random bits with 24 bits of checksum. The
// checksum is the beginning of the SHA-256 of all before it, so that a scanner for leaked keys, and this server, know
// a key from what only looks like one.
const (
	keyPrefix   = "regtok_"
	idBytes     = 5
	secretBytes = 32
	checkBytes  = 3
	hashPrefix  = "sha256:"
)

// letters are those of an id and of a secret: each stands for five bits, and none needs quoting anywhere.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Key is an API key, which is only known to its caller. It does not print: only Reveal gives it away.
type Key struct{ id, text *string }

// NewKey makes a key. No two are alike.
func NewKey() Key {
	random := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(random) // it never fails
	id := letters.EncodeToString(random[:idBytes])
	secret := random[idBytes:]
	text := keyPrefix + id + "_" + letters.EncodeToString(append(secret, checksum(id, secret)...))
	return Key{&id, &text}
}

func checksum(id string, secret []byte) []byte {
	sum := sha256.Sum256([]byte(keyPrefix + id + "_" + letters.EncodeToString(secret)))
	return sum[:checkBytes]
}

// parseKey tells whether a text has the form of a key.
func parseKey(text string) (Key, bool) {
	rest, prefixed := strings.CutPrefix(text, keyPrefix)
	id, tail, parted := strings.Cut(rest, "_")
	if !prefixed || !parted || !validID(id) {
		return Key{}, false
	}
	decoded, err := letters.DecodeString(tail)
	if err != nil || len(decoded) != secretBytes+checkBytes || letters.EncodeToString(decoded) != tail {
		return Key{}, false
	}
	sum := checksum(id, decoded[:secretBytes])
	if subtle.ConstantTimeCompare(sum, decoded[secretBytes:]) == 0 {
		return Key{}, false
	}
	return Key{&id, &text}, true
}

func validID(id string) bool {
	decoded, err := letters.DecodeString(id)
	return err == nil && len(decoded) == idBytes
}

// Reveal returns the key, for the one time when it is shown.
func (k Key) Reveal() string { return *k.text }

// Hash is what a server keeps of the key.
func (k Key) Hash() KeyHash { return KeyHash{id: *k.id, sum: sha256.Sum256([]byte(*k.text))} }

// Format implements fmt.Formatter without the key, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// MarshalText implements encoding.TextMarshaler without the key.
func (k Key) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// KeyHash knows a key again. It is no secret: from it the key cannot be found.
type KeyHash struct {
	id  string
	sum [sha256.Size]byte
}

// errNoHash repeats nothing: people put the key itself where its hash belongs.
var errNoHash = errors.New("this is no hash of a key: `regtok keys new` prints one")

// ParseKeyHash reads what String wrote. No error repeats the text.
func ParseKeyHash(text string) (KeyHash, error) {
	rest, prefixed := strings.CutPrefix(text, hashPrefix)
	id, digits, parted := strings.Cut(rest, ":")
	sum, err := hex.DecodeString(digits)
	if !prefixed || !parted || !validID(id) || err != nil || len(sum) != sha256.Size {
		return KeyHash{}, errNoHash
	}
	return KeyHash{id: id, sum: [sha256.Size]byte(sum)}, nil
}

// ID is the public part of the key.
func (h KeyHash) ID() string { return h.id }

// String is the hash as a configuration holds it.
func (h KeyHash) String() string { return hashPrefix + h.id + ":" + hex.EncodeToString(h.sum[:]) }

// equal takes the same time wherever the two differ.
func (h KeyHash) equal(other KeyHash) bool {
	return subtle.ConstantTimeCompare(h.sum[:], other.sum[:]) == 1
}
