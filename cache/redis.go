package cache

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/redis/go-redis/v9"
)

// generationLife is how long a scope keeps its generation: longer than any value is of use, so that nothing is hidden
// before its time.
const generationLife = 24 * time.Hour

// Redis is a Store that all share who use the same prefix of the same Redis: a single server, one that Sentinel looks
// after, or a cluster. It needs Redis 6.2 or newer, or what speaks like it, and nothing of it on disk.
type Redis struct {
	client redis.UniversalClient
	alone  bool // one server has all keys, so that one command may ask for any of them
	prefix string
	origin string // tells this process's messages from others'
	runs   *Runs  // nil: nobody knows which server answers

	standing standing
	hearings hearings
}

var _ Store = (*Redis)(nil)

// NewRedis makes a Store whose keys and channel begin with prefix. It sends nothing. The client has to end each call
// when its context does (redis.Options.ContextTimeoutEnabled), and to know soon that a server is down. It stays the
// caller's, who closes it after the cache.
func NewRedis(client redis.UniversalClient, prefix string) *Redis {
	_, alone := client.(*redis.Client)
	return &Redis{client: client, alone: alone, prefix: prefix, origin: rand.Text(), hearings: newHearings()}
}

// Heed has the Store tell the runs of its server apart, before it is used. runs.Meet is its client's OnConnect.
func (r *Redis) Heed(runs *Runs) *Redis {
	r.runs = runs
	return r
}

// Remembers implements Store: a generation counts in the run of the server only that it was made in.
func (r *Redis) Remembers() bool { return r.runs.now() != "" }

// GetMany implements Store, in one round trip, or two where a scope has no generation.
func (r *Redis) GetMany(ctx context.Context, questions []Question) ([]Found, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	shelves := r.shelve(questions)
	answers, err := r.fetch(ctx, shelves, questions)
	if err != nil {
		return nil, trouble(err)
	}
	run := r.runs.now() // no older than the server that answered
	found := make([]Found, len(questions))
	var unnumbered []shelf
	for _, shelf := range shelves {
		generation, ok := parseGeneration(answers[0], run)
		switch {
		case shelf.away:
			shelf.missing(found)
		case !ok:
			unnumbered = append(unnumbered, shelf)
		}
		shelf.number(found, generation)
		answers = answers[1:]
		for _, i := range shelf.places {
			if questions[i].Bare {
				continue
			}
			if value, there := answers[0].(string); ok && there {
				found[i].Value = bytesOfAnswer(value)
			}
			answers = answers[1:]
		}
	}
	if err := r.number(ctx, unnumbered, found, run); err != nil {
		return nil, trouble(err)
	}
	return found, nil
}

// fetch returns, for each shelf, its generation and then what is under its keys; nil: nothing.
func (r *Redis) fetch(ctx context.Context, shelves []shelf, questions []Question) ([]any, error) {
	if r.alone {
		names := make([]string, 0, len(shelves)+len(questions))
		for _, shelf := range shelves {
			names = shelf.appendNames(names, questions)
		}
		return whole(r.get(ctx, names), len(names))
	}
	gets, lengths := make([]*redis.SliceCmd, len(shelves)), make([]int, len(shelves))
	// The error is one of the answers', which are looked at below.
	_, _ = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, shelf := range shelves {
			names := shelf.appendNames(nil, questions)
			gets[i], lengths[i] = p.MGet(ctx, names...), len(names)
		}
		return nil
	})
	answers := make([][]any, len(shelves))
	var first error
	there := 0
	for i, get := range gets {
		answer, err := whole(get, lengths[i])
		if err != nil { // of one server, perhaps
			first, shelves[i].away = cmp.Or(first, err), true
			answer = make([]any, lengths[i])
		} else {
			there++
		}
		answers[i] = answer
	}
	if there == 0 {
		return nil, first
	}
	return slices.Concat(answers...), nil
}

// get is the client's MGet, but that it points to the names: to put each into an interface would copy it.
func (r *Redis) get(ctx context.Context, names []string) *redis.SliceCmd {
	args := make([]any, 1+len(names))
	args[0] = "mget"
	for i := range names {
		args[1+i] = &names[i]
	}
	get := redis.NewSliceCmd(ctx, args...)
	_ = r.client.Process(ctx, get) // the error is the answer's
	return get
}

// bytesOfAnswer are a string's own bytes: the client made it for this answer, and nobody else has it.
func bytesOfAnswer(value string) []byte {
	return unsafe.Slice(unsafe.StringData(value), len(value))
}

func whole(get *redis.SliceCmd, length int) ([]any, error) {
	answer, err := get.Result()
	if err == nil && len(answer) != length {
		err = fmt.Errorf("%d answers to %d questions", len(answer), length)
	}
	return answer, err
}

// number gives shelves a generation that have none, unless another process is quicker, and enters it into found.
func (r *Redis) number(ctx context.Context, shelves []shelf, found []Found, run string) error {
	if len(shelves) == 0 {
		return nil
	}
	sets, gets := make([]*redis.BoolCmd, len(shelves)), make([]*redis.StringCmd, len(shelves))
	_, _ = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, shelf := range shelves {
			sets[i] = p.SetNX(ctx, shelf.name, newGeneration(run).text(run), generationLife)
			gets[i] = p.Get(ctx, shelf.name)
		}
		return nil
	})
	for i, shelf := range shelves {
		text, err := gets[i].Result()
		if err := cause(sets[i].Err(), err); err != nil {
			if r.alone {
				return err
			}
			shelf.missing(found)
			continue
		}
		generation, ok := parseGeneration(text, run)
		if !ok {
			// It is no generation, or of another run. To make another is to bump, and always right.
			generation = newGeneration(run)
			if err := r.client.Set(ctx, shelf.name, generation.text(run), generationLife).Err(); err != nil {
				return err
			}
		}
		shelf.number(found, generation)
	}
	if r.runs.now() != run {
		return errMoved
	}
	return nil
}

// cause is why a scope's generation could neither be made nor read; nil: it could, or something else is in its place.
func cause(set, get error) error {
	if set != nil {
		return set
	}
	if get == nil || errors.Is(get, redis.Nil) || redis.HasErrorPrefix(get, "WRONGTYPE") {
		return nil
	}
	return get
}

// SetMany implements Store.
func (r *Redis) SetMany(ctx context.Context, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, item := range items {
			scope := r.scopeName(item.Key.Scope)
			p.Set(ctx, entryName(scope, item.Key), item.Value, max(item.For, time.Millisecond))
			if item.Leased {
				p.Del(ctx, leaseName(scope, item.Key, item.Generation))
			}
		}
		return nil
	})
	return trouble(err)
}

// DeleteMany implements Store.
func (r *Redis) DeleteMany(ctx context.Context, keys []Key) error {
	if len(keys) == 0 {
		return nil
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = entryName(r.scopeName(key.Scope), key)
	}
	return trouble(r.remove(ctx, names))
}

// LeaseMany implements Store.
func (r *Redis) LeaseMany(ctx context.Context, claims []Claim) ([]Claimed, error) {
	sets, gets := make([]*redis.BoolCmd, len(claims)), make([]*redis.SliceCmd, len(claims))
	// The errors are the answers', which are looked at below.
	_, _ = r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, claim := range claims {
			scope := r.scopeName(claim.Key.Scope)
			lease := leaseName(scope, claim.Key, claim.Generation)
			sets[i] = p.SetNX(ctx, lease, r.origin, max(claim.For, time.Millisecond))
			gets[i] = p.MGet(ctx, scope, entryName(scope, claim.Key))
		}
		return nil
	})
	run := r.runs.now() // no older than the server that answered
	claimed := make([]Claimed, len(claims))
	for i := range claimed {
		answers, err := whole(gets[i], 2)
		if err = cmp.Or(sets[i].Err(), err); err != nil {
			if r.alone || len(claims) == 1 {
				return nil, trouble(err)
			}
			claimed[i].Away = true
			continue
		}
		value, _ := answers[1].(string)
		claimed[i].Value = bytesOfAnswer(value)
		claimed[i].Generation, _ = parseGeneration(answers[0], run)
		claimed[i].Mine = sets[i].Val()
	}
	return claimed, nil
}

// EndLease implements Store.
func (r *Redis) EndLease(ctx context.Context, key Key, under Generation) error {
	return trouble(r.client.Del(ctx, leaseName(r.scopeName(key.Scope), key, under)).Err())
}

// remove removes what is under names, each by a command of its own: in a cluster they lie apart.
func (r *Redis) remove(ctx context.Context, names []string) error {
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			p.Del(ctx, name)
		}
		return nil
	})
	return err
}

// newGeneration makes one of a run. That two runs look alike is unlikely, and then they are taken for one.
func newGeneration(run string) Generation {
	of := crc32.ChecksumIEEE([]byte(run)) & (1<<16 - 1)
	return Generation(uint64(of)<<runShift | mathrand.Uint64N(1<<runShift-1) + 1)
}

// text is how a generation of a run lies in Redis.
func (g Generation) text(run string) string { return g.number() + "." + run }

func (g Generation) number() string { return strconv.FormatUint(uint64(g), 16) }

// parseGeneration reads one of this run; ok is false for anything else. Who does not know the run takes any.
func parseGeneration(text any, run string) (g Generation, ok bool) {
	written, _ := text.(string)
	number, of, _ := strings.Cut(written, ".")
	n, err := strconv.ParseUint(number, 16, 64)
	return Generation(n), err == nil && n != 0 && (run == "" || of == run)
}
