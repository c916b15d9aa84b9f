package cache

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// Config says what a view holds and for how long. Its functions are called by many goroutines at once.
type Config[K comparable, V any] struct {
	// Name is unique in the cache and says what the view holds, in few words: "tokens of a registry". It is a part
	// of every key.
	Name string
	// Key gives the address of an entry. Equal keys have equal addresses, others have others.
	Key func(K) Key
	// Load asks the upstream once. Its context has the values of some caller's context, but not its end: it ends
	// after Timeout. What Load reads through views of the same cache takes no further turn.
	Load func(ctx context.Context, key K) (V, error)
	// Timeout bounds a load.
	Timeout time.Duration
	// Fresh is how long a value is served as it is. Options.Jitter varies it.
	Fresh func(V) time.Duration
	// Stale is how long a value may be served after that, while it is being renewed or cannot be.
	Stale time.Duration
	// ServeStale tells whether a failure may be covered with a stale value: an upstream that is down, yes; a thing
	// that is gone or forbidden, no. Nil: none may.
	ServeStale func(error) bool
	// Negative is how long a failure is remembered and served; 0, or nil: not at all. It is also the least pause
	// between two tries to renew a stale value.
	Negative func(error) time.Duration
	// Size is about how many bytes a value takes in memory; nil: they are not counted.
	Size func(V) int
	// Encode and Decode make bytes of a key's value for the far tier, and back. Nil: the far tier has none of this view.
	// The bytes given to Decode are its own.
	Encode func(K, V) ([]byte, error)
	Decode func(K, []byte) (V, error)
}

// View is a typed read-through cache of one kind of thing. It is safe for concurrent use.
type View[K comparable, V any] struct {
	cache  *Cache
	config Config[K, V]
	count  *counters
	seed   maphash.Seed
	// coverable tells that some failure may be covered with a stale value.
	coverable bool

	mu      sync.Mutex
	flights map[K]*flight[K, V]
}

// NewView makes a view. It panics on a configuration without Name, Key, Load, Timeout or Fresh, and on a name that
// is taken: these are mistakes in the program.
func NewView[K comparable, V any](c *Cache, config Config[K, V]) *View[K, V] {
	if config.Name == "" || config.Key == nil || config.Load == nil || config.Timeout <= 0 || config.Fresh == nil {
		panic("cache: the view " + config.Name + " lacks Name, Key, Load, Timeout or Fresh")
	}
	coverable := config.ServeStale != nil
	if !coverable {
		config.ServeStale = func(error) bool { return false }
	}
	if config.Negative == nil {
		config.Negative = func(error) time.Duration { return 0 }
	}
	if config.Size == nil {
		config.Size = func(V) int { return 0 }
	}
	return &View[K, V]{
		cache:     c,
		config:    config,
		count:     c.counters(config.Name),
		seed:      maphash.MakeSeed(),
		coverable: coverable,
		flights:   map[K]*flight[K, V]{},
	}
}

// Get returns the entry of one key: from the near tier, the far tier, or a load. Err is set when there is none:
// the load's error, or ctx's.
func (v *View[K, V]) Get(ctx context.Context, key K) Entry[V] {
	now := time.Now()
	if it := v.usable(ctx, key, now); it != nil && (it.fresh(now) || it.contents(tolerance(ctx), now)) {
		return v.serve(it, tolerance(ctx), now)
	}
	return v.GetMany(ctx, []K{key})[0]
}

// GetMany returns the entries of many keys in their order, each as Get would: what is near at once, the rest by one
// question to the far tier and then by loads side by side. One key's failure is that key's alone. It returns when
// all are there, or ctx has ended; the keys that are there by then have their values.
func (v *View[K, V]) GetMany(ctx context.Context, keys []K) []Entry[V] {
	entries := make([]Entry[V], len(keys))
	seats := v.gather(ctx, keys, entries)
	for _, seat := range seats {
		entries[seat.index] = v.wait(ctx, seat.flight)
	}
	for range mostRetries {
		again := deserted(ctx, seats, entries)
		if len(again) == 0 {
			break
		}
		seats = v.retry(ctx, keys, again, entries)
	}
	return entries
}

// mostRetries is how often a reader whose flights were others' who gave up gets another one.
const mostRetries = 3

// retry fills in the places whose flight was somebody else's who gave up.
func (v *View[K, V]) retry(ctx context.Context, keys []K, places []int, entries []Entry[V]) []seat[K, V] {
	wanted, found := make([]K, len(places)), make([]Entry[V], len(places))
	for i, at := range places {
		wanted[i] = keys[at]
	}
	seats := v.gather(ctx, wanted, found)
	for _, seat := range seats {
		found[seat.index] = v.wait(ctx, seat.flight)
	}
	for i, at := range places {
		entries[at] = found[i]
	}
	for i := range seats {
		seats[i].index = places[seats[i].index]
	}
	return seats
}

// seat is a place in an answer that waits for a flight.
type seat[K comparable, V any] struct {
	index  int
	flight *flight[K, V]
	mine   bool // its reader sent it
}

// gather fills in the entries that are there, and sends off the flights that nobody else has sent for the rest.
func (v *View[K, V]) gather(ctx context.Context, keys []K, entries []Entry[V]) (seats []seat[K, V]) {
	var departing []*flight[K, V]
	// Deferred, so that a panic in Config.Key leaves no reader waiting at a flight that never departs.
	defer func() { v.depart(ctx, departing) }()
	now := time.Now()
	for i, key := range keys {
		it := v.usable(ctx, key, now)
		if it == nil {
			if err := ctx.Err(); err != nil {
				entries[i].Err = err
				continue
			}
			var f *flight[K, V]
			var mine bool
			if it, f, mine = v.board(ctx, key); it == nil {
				seats = append(seats, seat[K, V]{i, f, mine})
			}
			if mine {
				departing = append(departing, f)
			}
		}
		if it != nil {
			entries[i] = v.serve(it, tolerance(ctx), now)
			if f := v.renewal(it, tolerance(ctx), now); f != nil {
				departing = append(departing, f)
			}
		}
	}
	return seats
}

// Peek returns what the near tier has for a key, fresh or stale, a remembered failure too. It loads and renews nothing;
// where a Store has to confirm it, that is asked. Under NoCache it overlooks what is too old.
func (v *View[K, V]) Peek(ctx context.Context, key K) (Entry[V], bool) {
	entries, there := v.PeekMany(ctx, []K{key})
	return entries[0], there[0]
}

// PeekMany is Peek of many keys, with one question to the Store for all.
func (v *View[K, V]) PeekMany(ctx context.Context, keys []K) (entries []Entry[V], there []bool) {
	now := time.Now()
	entries, there = make([]Entry[V], len(keys)), make([]bool, len(keys))
	var doubted []*item[K, V]
	var places []int
	for i, key := range keys {
		it := v.held(key, now)
		switch {
		case it == nil || !it.satisfies(since(ctx)):
		case v.believed(it, now):
			entries[i], there[i] = it.entry(now), true
		default:
			doubted, places = append(doubted, it), append(places, i)
		}
	}
	if len(doubted) > 0 {
		for i, answer := range v.doubt(ctx, doubted) {
			entries[places[i]], there[places[i]] = v.peeked(doubted[i], answer)
		}
	}
	return entries, there
}

// Put keeps near what an answer told about key beside what it was asked for: a list's items, for example. since is
// the moment before that answer was asked for; after a bump of the key's scope since then nothing is kept. Call it
// right after the answer came. The answer to a write says nothing lasting: bump instead. With a Store it is kept for
// Options.NearFor after since only, because there is no generation to confirm it by.
func (v *View[K, V]) Put(key K, value V, since Moment) {
	if v.cache.near == nil {
		return
	}
	it := v.newItem(key, v.cache.scopes.get(v.config.Key(key).Scope), since, answer{})
	v.fill(it, value, time.Now())
	v.keep(it)
}

// Stats returns the view's counters.
func (v *View[K, V]) Stats() ViewStats { return v.count.read() }

// serve counts a reader who need not wait.
func (v *View[K, V]) serve(it *item[K, V], tolerance time.Duration, now time.Time) Entry[V] {
	if it.fresh(now) {
		v.count.hits.Add(1)
	} else {
		v.count.stale.Add(1)
	}
	return it.contenting(tolerance, now)
}

// usable is the near item that ctx's reader may have now; nil: none.
func (v *View[K, V]) usable(ctx context.Context, key K, now time.Time) *item[K, V] {
	it := v.held(key, now)
	if it == nil || !it.satisfies(since(ctx)) {
		return nil
	}
	if !v.believed(it, now) {
		return nil
	}
	return it
}

// held is the near item of key that is neither ended by a bump nor gone; nil: none.
func (v *View[K, V]) held(key K, now time.Time) *item[K, V] {
	if v.cache.near == nil {
		return nil
	}
	it, ok := v.cache.near.get(v.hash(key)).(*item[K, V])
	if !ok || it.view != v || it.key != key || it.gone(now) || !it.scope.holds(it.moment) {
		return nil
	}
	return it
}

func (v *View[K, V]) hash(key K) uint64 { return maphash.Comparable(v.seed, key) }

// newItem is an item without content, of what was asked for at the moment, or later under what the far tier told.
func (v *View[K, V]) newItem(key K, scope *scope, moment Moment, far answer) *item[K, V] {
	it := &item[K, V]{view: v, key: key, scope: scope, moment: moment, generation: far.Generation}
	if far.asked {
		v.knew(it, far.at)
	} else {
		v.knew(it, moment.at)
	}
	return it
}

// fill gives it a value and the ages that follow from it.
func (v *View[K, V]) fill(it *item[K, V], value V, observed time.Time) {
	it.value = value
	it.observed = observed
	it.freshUntil = observed.Add(v.cache.spread(v.config.Fresh(value)))
	it.goneAt = it.freshUntil.Add(v.config.Stale)
	it.bytes = bytesOf(v.config.Size(value))
}

// keep puts it near if it is worth that.
func (v *View[K, V]) keep(it *item[K, V]) {
	if v.cache.near == nil || it.gone(time.Now()) || !it.scope.holds(it.moment) {
		return
	}
	v.cache.near.put(v.hash(it.key), it)
}
