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
// A bump reaches the store before the near tier of the process that makes it, and both before Bump returns. Other
// processes hear of it from Watch. One that does not hear believes its near tier for Options.NearFor, then asks, and
// keeps what it has only if the generation is the one that it got it under. Whoever needs the store for an answer
// sees the bump at once.
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
	// GetMany returns, for each key in order, what is held and its scope's generation, made now if there was none.
	// Both are as they were at some time during the call.
	GetMany(ctx context.Context, keys []Key) ([]Found, error)
	// SetMany holds the items for as long as each says. It may leave out those whose generation is past.
	SetMany(ctx context.Context, items []Item) error
	// DeleteMany holds nothing under the keys any more.
	DeleteMany(ctx context.Context, keys []Key) error
	// Lease asks for the right to load key under a generation, and leaves it to nobody else for so long; mine is false
	// while another process has it. Then found is what GetMany would tell, but that no generation is made.
	Lease(ctx context.Context, key Key, under Generation, life time.Duration) (found Found, mine bool, err error)
	// EndLease gives the right back that Lease gave and that has not run out.
	EndLease(ctx context.Context, key Key, under Generation) error
	// Bump gives each scope another generation before it returns, and then tells the watchers of other processes.
	Bump(ctx context.Context, scopes ...Scope) error
	// Watch calls bumped for each bump by another process, and lost whenever it may have missed some and begins to
	// hear: at first, and when it was cut off and is connected again. It returns when ctx ends, and not before. It is
	// called once.
	Watch(ctx context.Context, bumped func(Scope), lost func())
}

// Generation numbers the states of a scope in a Store. They are compared for equality only; 0 is none.
type Generation uint64

// Found is what a Store holds under a key.
type Found struct {
	// Value is empty when nothing is held. It is the caller's own.
	Value []byte
	// Generation is the scope's, now; 0 when the store could not tell.
	Generation Generation
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
}
