package activity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"

	"regtok/providers"
)

// Roster is what is known of a registry's tokens.
type Roster struct {
	// Listed is when the newest list was asked for that this follows from; zero: there was none, and nothing is known of tokens
	// that are not in Faces.
	Listed time.Time
	// Faces are by the provider's ids of the tokens. Those that are gone stay until a later list shows it, too.
	Faces map[string]Face
	// Version changes with each change; 0: nothing is known.
	Version uint64
}

// Change is what changes in a roster.
type Change struct {
	// Version is the one that the roster has to have, where Strict.
	Version uint64
	Strict  bool
	// Listed is zero where no list is behind it: then that of before stays.
	Listed time.Time
	// Digest is of the list, where the roster says the same; empty: nobody knows whether it does.
	Digest string
	Put    map[string]Face
	Drop   []string
}

// Index keeps rosters. Its methods are safe for concurrent use, by many processes where it is shared. Their errors are
// [eventlog.ErrUnavailable] and the context's. It is bounded, and may forget a roster whole.
//
// There are two: [MemoryIndex] and [RedisIndex].
type Index interface {
	// Digest is of the list that a registry's roster was last found to be like; empty: it was not, or has changed since.
	Digest(ctx context.Context, registry providers.ID) (string, error)
	// Roster returns what is known of a registry's tokens, and, where some are named by their provider's ids, of no others.
	Roster(ctx context.Context, registry providers.ID, tokens ...string) (Roster, error)
	// Change changes a roster; done is false where it has another version.
	Change(ctx context.Context, registry providers.ID, change Change) (done bool, err error)
}

// digest is the same for lists that show the same tokens with the same faces, whenever they were read.
func digest(faces map[string]Face) string {
	sum := sha256.New()
	for _, native := range sortedKeys(faces) {
		face := faces[native]
		face.At = time.Time{}
		for _, part := range [...]string{native, face.encode()} {
			_ = binary.Write(sum, binary.BigEndian, uint64(len(part))) // a hash takes all that it is given
			_, _ = sum.Write([]byte(part))
		}
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:18])
}

func sortedKeys(faces map[string]Face) []string {
	keys := make([]string, 0, len(faces))
	for key := range faces {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
