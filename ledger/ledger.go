// Package ledger remembers what this server has done and promised by itself, which no provider can tell: calls with an
// idempotency key, who is changing which token, rotations, deletions that fall due later, and which process holds an
// office that one at a time can hold.
//
// Nothing in it is a secret. A [Ledger] in memory lasts as long as its process; one in Redis is shared by all replicas
// and outlives them. Unlike a cache, a ledger that does not answer is an error: a promise that cannot be entered must
// not be given.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"regtok/providers"
)

// Ledger is what this server remembers. All its methods are safe for concurrent use, by many processes where it is
// shared. Their errors are [ErrUnavailable], or the context's. What failed may have been entered, when only its
// answer was lost, but it is not entered any later.
type Ledger interface {
	// Durable tells whether what is entered outlives this process.
	Durable() bool

	// Claim enters call under key, unless there is one already, which is returned then: mine is false. A call stays
	// for CallsKept after it was claimed.
	Claim(ctx context.Context, key Key, call Call) (present Call, mine bool, err error)
	// Settle puts what became of a call in the place of a claimed one, for what is left of its time; also when the claim
	// was lost meanwhile.
	Settle(ctx context.Context, key Key, call Call) error
	// Release forgets a claimed call that did nothing, so that it may be made again. One that was settled stays.
	Release(ctx context.Context, key Key) error

	// Lock waits until nobody else holds the token's lock, or ctx ends. unlock gives it back, also when ctx has ended;
	// it has to be called, and may be more than once. The lock of a process that dies, or that the ledger does not hear
	// of, ends within LockLease: then another process may have it.
	Lock(ctx context.Context, token providers.ID) (unlock func(), err error)

	// BeginRotation enters that old is being rotated, unless a rotation of it is under way or in its overlap, which
	// is returned then: mine is false. An overlap whose end is not known lasts for as long as the rotation is known. A
	// rotation that is neither finished nor abandoned is forgotten after RotationLease.
	BeginRotation(ctx context.Context, rotation Rotation) (present Rotation, mine bool, err error)
	// FinishRotation enters what became of a rotation that was begun: from then on both tokens know each other, until
	// RotationsKept after Ends, or after Began when it never ends.
	FinishRotation(ctx context.Context, rotation Rotation) error
	// AbandonRotation forgets a rotation that was begun and made nothing. One that was finished stays.
	AbandonRotation(ctx context.Context, old providers.ID) error
	// Successors returns, in the order of olds, the tokens that took their place; the zero ID where none is known.
	Successors(ctx context.Context, olds []providers.ID) ([]providers.ID, error)
	// Predecessors returns, in the order of news, the tokens whose place they took; the zero ID where none is known.
	Predecessors(ctx context.Context, news []providers.ID) ([]providers.ID, error)

	// Schedule enters a deletion, or puts off or forward the one that there is of the same token.
	Schedule(ctx context.Context, deletion Deletion) error
	// Unschedule forgets the deletion of a token, once it is done or no longer wanted.
	Unschedule(ctx context.Context, token providers.ID) error
	// TakeDue hands out at most limit deletions that are due at now, soonest first, and hides each until now+lease:
	// whoever took one has so long to do it and Unschedule it, then it is handed out again. next is when the next
	// deletion is due, or visible again; zero: there is none.
	TakeDue(ctx context.Context, now time.Time, limit int, lease time.Duration) (due []Deletion, next time.Time, err error)

	// Lead takes an office for so long, or prolongs it when this process holds it already; mine is false while another
	// process does. Each time that an office is taken anew its term is a later one: whoever is told the terms of both can
	// tell a holder that was paused from the one that came after. A term that was prolonged stays the same.
	Lead(ctx context.Context, office string, life time.Duration) (term uint64, mine bool, err error)
	// Resign gives an office back that this process holds in that term. One that was lost meanwhile stays as it is.
	Resign(ctx context.Context, office string, term uint64) error
}

// How long things are remembered.
const (
	CallsKept     = 24 * time.Hour
	LockLease     = time.Minute
	RotationLease = 5 * time.Minute
	RotationsKept = 35 * 24 * time.Hour
)

// ErrUnavailable says that the ledger cannot be reached, is full, or holds what cannot be read. Errors that wrap it say
// which, and hold no address and nothing of what was asked.
var ErrUnavailable = errors.New("the ledger is not available")

// Key names a call by its caller and the key that the caller chose. Neither has to be of any form.
type Key struct{ Caller, Key string }

// keySum stands for a key, whatever is in it and however long it is.
type keySum [sha256.Size]byte

func (k Key) sum() keySum { return sumOf(k.Caller, k.Key) }

// sumOf keeps ("ab","c") apart from ("a","bc").
func sumOf(parts ...string) keySum {
	var all []byte
	for _, part := range parts {
		all = binary.BigEndian.AppendUint64(all, uint64(len(part)))
		all = append(all, part...)
	}
	return sha256.Sum256(all)
}

// CallState is how far a call came.
type CallState string

// The states of a call.
const (
	Running CallState = "RUNNING" // claimed, and not settled yet, or never because its process died
	Done    CallState = "DONE"
	Lost    CallState = "LOST" // it was sent and its answer was lost
)

// Call is a call that has an idempotency key. It holds no secret.
type Call struct {
	// Fingerprint is of the operation and its input: two calls with one key have to agree in it.
	Fingerprint string
	State       CallState
	Began       time.Time
	// Token is what a call that is Done made; Previous and PreviousEnds are set where it took another's place.
	Token        providers.ID
	Previous     providers.ID
	PreviousEnds time.Time
	// Unended: it could not set the end of the previous token.
	Unended bool
}

// Rotation is a token that takes the place of another one of its registry.
type Rotation struct {
	Old providers.ID
	// New is zero while the rotation is under way.
	New   providers.ID
	Began time.Time
	// Ends is when the old token stops working; zero: never, as far as is known.
	Ends time.Time
}

// overlapEnds is until when a finished rotation keeps others of the same token from beginning.
func (r Rotation) overlapEnds() time.Time {
	if r.Ends.IsZero() {
		return r.keptUntil()
	}
	return r.Ends
}

// keptUntil is until when both tokens of a finished rotation know each other.
func (r Rotation) keptUntil() time.Time {
	if r.Ends.IsZero() {
		return r.Began.Add(RotationsKept)
	}
	return r.Ends.Add(RotationsKept)
}

// Deletion is a token that has to be deleted.
type Deletion struct {
	Token providers.ID
	// At is when; a ledger may round it up to the next millisecond.
	At time.Time
	// By names whoever asked for it; empty: not told.
	By string
}
