// Package cache remembers what upstreams answered. It imports nothing of ours and knows no provider.
//
// A [View] is a typed, batched, read-through cache of one kind of thing; a [Cache] is what all views of a process
// share: the near tier (decoded values in the process, bounded in bytes), perhaps a far tier (a [Store] that
// several processes share), the order of writes, and the bound on loads.
//
// # Ages
//
// An entry is fresh for Config.Fresh: it is served as it is. Then it is stale for Config.Stale: it is served at once
// while one load in the background renews it, and still when that fails in a way that Config.ServeStale allows. Then
// it is gone. A failed renewal is left alone for a second, or for as long as Config.Negative remembers that error, so
// that an ailing upstream is not asked by every reader.
//
// # Sharing
//
// Readers of one key share one flight: a look into the far tier and then, when that does not answer, one load.
// A flight belongs to nobody: a reader who goes away leaves it to the others, and only a flight whose turn to load
// has not come is given up when nobody waits for it. Values are shared by all readers: never change one.
// Processes with the same Store let one of them load what several miss, unless a reader insists.
//
// # Writes
//
// [Cache.Bump] ends everything older than itself in one [Scope], near and far, before it returns. Reads and bumps
// are put in order by a [Moment]: a value counts as long as its scope was not bumped since its flight began. So
//
//   - a reader who comes after a bump never gets what was kept before it, and never joins a flight that began before it;
//   - a flight that began before a bump still answers those who wait for it, and keeps nothing;
//   - [View.Put] keeps what an answer told only if no bump came since the moment before that answer was asked for.
//
// How the same holds between processes is told in store.go, at [Store].
//
// The cache may be wrong for its ages, never about rights: a load gets the context values of whoever came first, so
// it must not depend on them, and what tells two callers' data apart belongs into the key.
package cache

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrClosed is the error of a read whose load Close has ended or prevented.
var ErrClosed = errors.New("cache: closed")

// Options shape a Cache. The zero value is a near tier of 64 MiB and nothing else.
type Options struct {
	// Off keeps nothing, near or far. Equal reads at the same time still share one load.
	Off bool
	// Bytes bounds the near tier, measured with Config.Size; 0: 64 MiB.
	Bytes int64
	// Parallel bounds the loads of one tenant that run at the same time; 0: 32. A tenant never waits for another's.
	Parallel int
	// Store is the far tier; nil: none.
	Store Store
	// NearFor is how long, with a Store, the near tier is believed without asking the Store; 0: 1 s. It is about the
	// longest that Bump takes when another process does not hear of it. All processes with a Store have the same.
	NearFor time.Duration
	// Jitter is by how much, with a Store, an entry may be fresh for longer or shorter than Config.Fresh, as a share of
	// it, so that processes do not renew everything at the same moment; 0: a tenth, negative: not at all.
	Jitter float64
	// StoreTimeout bounds each call of the Store that somebody waits for; 0: 50 ms. Values may take 2 s to get there.
	StoreTimeout time.Duration
	// LeaseFor is how long, with a Store, one process may load before another does so too, if its view's Timeout is no
	// shorter; 0: 3 s, which is longer than most loads take, and no longer than readers may be kept waiting by a process
	// that died.
	LeaseFor time.Duration
	// Report hears why the Store does not work, again and again while it does not, and nil when it does again; nil: nobody.
	// It must not wait, or call the cache.
	Report func(error)
	// Log gets the panics of loads that no caller waits for; nil: nobody.
	Log *slog.Logger
}

// Cache is what the views of one process share. Make it with New, close it with Close; it is safe for concurrent use.
type Cache struct {
	near     *near // nil: off
	far      *far  // nil: none
	scopes   *scopes
	log      *slog.Logger
	parallel int
	jitter   float64
	leaseFor time.Duration

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	lanes  map[string]chan struct{}
	views  map[string]*counters
}

// New makes a cache. It waits for nothing: a Store that is down is asked again and again.
func New(options Options) *Cache {
	c := &Cache{
		scopes:   newScopes(maxScopes),
		log:      options.Log,
		parallel: orDefault(options.Parallel, 32),
		lanes:    map[string]chan struct{}{},
		views:    map[string]*counters{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if options.Off {
		return c
	}
	c.near = newNear(orDefault(options.Bytes, 64<<20))
	if options.Store != nil {
		c.far = newFar(options, func() { c.start(c.mend) })
		c.jitter = max(cmp.Or(options.Jitter, 0.1), 0)
		c.leaseFor = orDefault(options.LeaseFor, 3*time.Second)
		c.work.Go(func() { c.far.store.Watch(c.ctx, ears{c}) })
	}
	return c
}

// Bump ends everything in the scopes that is older than this call, before it returns: it is to be called after a
// write was done, or may have been done, and before that is told to anybody. It succeeds although ctx is cancelled,
// because the write happened all the same. With a Store it returns when every other process has dropped what it had,
// in about the time that a message takes there and back; where one does not say so, or the Store does not answer, after
// Options.NearFor, when none uses it any more without asking. Of a Store that does not answer the scopes are kept out
// by this process, and bumped again until it has understood. So is what it was told in the minute before it failed, if it may have forgotten that.
func (c *Cache) Bump(ctx context.Context, scopes ...Scope) {
	// The far tier goes first: were the near tier first, a reader between the two could fetch the old value from
	// the far tier and keep it near.
	var w *word
	if c.far != nil && len(scopes) > 0 {
		w = c.far.bump(ctx, scopes)
	}
	for _, scope := range scopes {
		c.scopes.bump(scope)
	}
	if w != nil {
		c.far.passOn(w)
	}
}

// ears are a cache that hears of other processes' bumps.
type ears struct{ *Cache }

// Registered implements Watcher.
func (e ears) Registered(since, until time.Time) {
	e.far.belief.registered(since, until)
	if until.After(since) {
		e.far.heard()
	}
}

// Deaf implements Watcher.
func (e ears) Deaf(err error) { e.far.deafened(err) }

// Bumped implements Watcher.
func (e ears) Bumped(scope Scope) { e.scopes.bump(scope) }

// Lost implements Watcher.
func (e ears) Lost() {
	e.far.oweTold()
	e.far.hurry()
}

// Close ends the loads under way and waits for every goroutine of the cache; what is on its way to the Store gets
// there, or has 2 s for that. Afterwards only what is kept near can be read. It may be called more than once.
func (c *Cache) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.work.Wait()
}

// start runs do in a goroutine that Close waits for; false: it is too late for that.
func (c *Cache) start(do func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.work.Go(do)
	return true
}

// lane is where the loads of one tenant take their turn.
func (c *Cache) lane(tenant string) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	lane := c.lanes[tenant]
	if lane == nil {
		lane = make(chan struct{}, c.parallel)
		c.lanes[tenant] = lane
	}
	return lane
}

// spread makes a time to live a little shorter or longer than d.
func (c *Cache) spread(d time.Duration) time.Duration {
	if c.jitter == 0 {
		return d
	}
	return d + time.Duration(float64(d)*c.jitter*(2*rand.Float64()-1))
}

func orDefault[N int | int64 | time.Duration](n, otherwise N) N {
	if n <= 0 {
		return otherwise
	}
	return n
}
