package cache

import (
	"context"
	"time"
)

// Store is the far tier: bytes that several processes share for a while. A store knows nothing of what it holds; it
// may lose anything at any time, and the cache checks whatever it gives back. Package cachetest is its suite.
// It is safe for concurrent use.
//
// # Generations
//
// A store holds, for each scope, a generation: a number that is never 0 and never the same again after a bump. Every
// value is written with the generation that GetMany returned before that value was loaded, and is read only while
// that generation is still its scope's. This is all that the rule needs: a process that began to load before a bump
// writes an old generation, whenever it writes, and nobody reads it.
//
// A lost generation ends the scope's values too, because the next GetMany makes another. That is why GetMany makes
// it, and not SetMany: else a reader from before a bump could be the first to set the generation that was lost.
//
// # Between processes
//
// A bump reaches the store before the near tier of the process that makes it, and both before Bump returns. Whoever
// needs the store for an answer sees it at once.
//
// What a process has near it uses without asking for no longer than Options.NearFor after the beginning of the call that
// fetched or confirmed it, and only while it is registered, and was from that beginning on. Then it asks, and keeps what it
// has only if the generation is still the one that it got it under. A bump waits until every registered process has heard
// of it, or until Options.NearFor has passed since the generation ended, when nobody uses anything from before without
// asking. So nothing depends on a message: one that is lost costs its sender that wait. See
// docs/decisions/acknowledged-writes.md.
//
// # One load for all
//
// Who misses asks for a lease before it loads. Who does not get it looks again and again until the value is there, or
// the lease is free, and loads all the same when that takes long. A lease promises nothing: two processes that load at
// the same time are a waste and no mistake. It belongs to a generation, so that who comes after a bump does not wait for
// a load from before it.
//
// # Trouble
//
// An error is a miss to the cache, and counted. A store therefore answers soon: ctx always has a deadline, and a
// store that is down says so without waiting for it.
type Store interface {
	// GetMany answers, for each question in order, what is held and its scope's generation, made now if there was none.
	// Both are as they were at some time during the call.
	GetMany(ctx context.Context, questions []Question) ([]Found, error)
	// SetMany holds the items for as long as each says, and gives back the leases that they name. It may leave out those
	// whose generation is past.
	SetMany(ctx context.Context, items []Item) error
	// DeleteMany holds nothing under the keys any more.
	DeleteMany(ctx context.Context, keys []Key) error
	// LeaseMany asks for the rights to load what is claimed, and answers in order.
	LeaseMany(ctx context.Context, claims []Claim) ([]Claimed, error)
	// EndLease gives the right back that LeaseMany gave and that has not run out, where there is nothing to hold.
	EndLease(ctx context.Context, key Key, under Generation) error
	// Bump gives each scope another generation before it returns, and then tells the watchers of other processes. heard is
	// closed when all have heard that are registered, or were a moment ago; perhaps at once. It may stay open for ever,
	// or be nil: when one of them died, or nobody knows who there is.
	Bump(ctx context.Context, scopes ...Scope) (heard <-chan struct{}, err error)
	// Remembers tells whether nothing counts in the store that was written before it lost a bump, whatever it is that answers
	// now. Else it has to be told again after it failed.
	Remembers() bool
	// Watch registers this process and lets w hear of each bump by another one. It returns when ctx ends, and not before.
	// It is called once.
	Watch(ctx context.Context, w Watcher)
}

// Watcher is a process that hears of others' bumps. A Store calls its methods one at a time.
type Watcher interface {
	// Registered tells that each bump by another process which reaches the store between since and until waits until
	// this one has heard. It is called again before until comes, with the same since as long as there was no gap.
	Registered(since, until time.Time)
	// Bumped tells of a bump. When it returns, this process has heard.
	Bumped(Scope)
	// Lost tells that the store may have forgotten some of what it was told last: it is reached again after it was not,
	// and does not know better. What has to be told again is told when it returns, or is kept out of the store by
	// this process until it is.
	Lost()
	// Deaf tells why this process could not be registered just now. It is called for each try.
	Deaf(err error)
}

// Question asks about a key.
type Question struct {
	Key Key
	// Bare asks for the generation only.
	Bare bool
}

// Generation numbers the states of a scope in a Store. They are compared for equality only; 0 is none. The upper 16 bits
// stand for the run of the store, for one that knows runs: between two generations of a run the scope was bumped, between
// those of two runs nobody knows.
type Generation uint64

// run stands for the run that it was made in.
func (g Generation) run() uint16 { return uint16(g >> runShift) }

const runShift = 48

// Found is what a Store holds under a key.
type Found struct {
	// Value is empty when nothing is held. It is the caller's own.
	Value []byte
	// Generation is the scope's, now; 0 when the store could not tell.
	Generation Generation
	// Away tells that this part of the store could not be asked.
	Away bool
}

// Claim asks for the right to load a key.
type Claim struct {
	Key Key
	// Generation is the scope's, under which the value is to be held.
	Generation Generation
	// For is how long the right is left to nobody else. It is positive.
	For time.Duration
}

// Claimed is what a Store says to a claim.
type Claimed struct {
	// Found is what GetMany would tell, but that no generation is made.
	Found
	// Mine is false while another process has the right.
	Mine bool
}

// Item is what a Store is to hold.
type Item struct {
	Key Key
	// Value is never empty, and never changed by anybody.
	Value []byte
	// Generation was the scope's before Value was loaded. It also stands in Value.
	Generation Generation
	// For is how long to hold it. It is positive.
	For time.Duration
	// Leased tells that the right to load it is given back, as by EndLease, once it is held.
	Leased bool
}
