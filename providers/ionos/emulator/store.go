package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// store holds everything that changes. Its user holds the lock.
type store struct {
	registries  []*registry // in the order of their creation
	byID        map[string]*registry
	sequence    int64
	expiryDelay time.Duration
	wake        time.Time // before it, nothing is due to go; zero: never
}

func newStore(expiryDelay time.Duration) *store {
	return &store{byID: map[string]*registry{}, expiryDelay: expiryDelay}
}

// registry is a container registry.
type registry struct {
	id, name, location string
	sequence           int64  // its place in lists
	state              string // a fixed state; empty: it follows the registry's age
	schedule           *schedule
	storage            int64
	storageAt          time.Time
	scanning           bool
	allowList          []string
	created, modified  mark
	goneAt             time.Time // set when it is being deleted
	tokens             []*token  // in the order of their creation
	encoded            []byte    // as of encodedState; nil: changed since
	encodedState       string
}

// token is a registry token. Its password is not kept: nothing ever reads it.
type token struct {
	id, name, status  string
	scopes            []scope
	expiry            time.Time // zero: never
	created, modified mark
	encoded           []byte // nil: changed since
}

// mark is when something was done and by whom; zero: not yet.
type mark struct {
	at time.Time
	by author
}

func (r *registry) token(id string) *token {
	i := slices.IndexFunc(r.tokens, func(t *token) bool { return t.id == id })
	if i < 0 {
		return nil
	}
	return r.tokens[i]
}

func (r *registry) hasTokenNamed(name string) bool {
	return slices.ContainsFunc(r.tokens, func(t *token) bool { return t.name == name })
}

// stateAt is the registry's state. A registry takes delay to run, half of it waiting for storage.
func (r *registry) stateAt(now time.Time, delay time.Duration) string {
	age := now.Sub(r.created.at)
	switch {
	case !r.goneAt.IsZero():
		return "Deleting"
	case r.state != "":
		return r.state
	case age >= delay:
		return "Running"
	case age >= delay/2:
		return "WaitingForStorage"
	}
	return "New"
}

// hostname is allocated when the registry has its storage.
func (r *registry) hostname(state string) string {
	if state == "New" || state == "WaitingForStorage" || strings.HasPrefix(state, "FAILED") {
		return ""
	}
	return r.name + ".cr." + strings.ReplaceAll(r.location, "/", "-") + ".ionos.com"
}

func (s *store) add(r *registry) {
	s.sequence++
	r.sequence = s.sequence
	s.registries = append(s.registries, r)
	s.byID[r.id] = r
}

func (s *store) nameTaken(name string) bool {
	return slices.ContainsFunc(s.registries, func(r *registry) bool { return r.name == name })
}

func (s *store) addToken(r *registry, t *token) {
	r.tokens = append(r.tokens, t)
	s.expire(t)
}

// expire remembers that a token has a date at which it goes.
func (s *store) expire(t *token) {
	if !t.expiry.IsZero() {
		s.wakeAt(t.expiry.Add(s.expiryDelay))
	}
}

// remove makes a registry go at a time.
func (s *store) remove(r *registry, at time.Time) {
	r.goneAt = at
	s.wakeAt(at)
}

func (s *store) wakeAt(at time.Time) {
	if s.wake.IsZero() || at.Before(s.wake) {
		s.wake = at
	}
}

// sweep deletes what is due. Every request begins with it, so that most must cost nothing.
func (s *store) sweep(now time.Time) {
	if s.wake.IsZero() || now.Before(s.wake) {
		return
	}
	s.wake = time.Time{}
	s.registries = slices.DeleteFunc(s.registries, func(r *registry) bool {
		if r.goneAt.IsZero() {
			return false
		}
		if now.Before(r.goneAt) {
			s.wakeAt(r.goneAt)
			return false
		}
		delete(s.byID, r.id)
		return true
	})
	for _, r := range s.registries {
		r.tokens = slices.DeleteFunc(r.tokens, func(t *token) bool {
			if t.expiry.IsZero() {
				return false
			}
			if now.Before(t.expiry.Add(s.expiryDelay)) {
				s.expire(t)
				return false
			}
			return true
		})
	}
}

// newID is a random UUID.
func newID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	return formatID(raw)
}

// fixedID is the same UUID for the same names, looking like a random one.
func fixedID(names ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	return formatID([16]byte(sum[:16]))
}

func formatID(raw [16]byte) string {
	raw[6] = raw[6]&0x0f | 0x40 // version 4
	raw[8] = raw[8]&0x3f | 0x80 // variant of RFC 9562
	text := hex.EncodeToString(raw[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
