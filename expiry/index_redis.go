package expiry

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/providers"
)

// RedisIndex is an index that is shared by all who use the same prefix of the same Redis, and outlives them. It needs what
// [Redis] needs. Registries are divided among shards, whose keys lie in different places of a cluster; no call is about
// more than a few hundred tokens, however many there are.
//
// What cannot be read there is as if it had never been: the token is new when it is read next.
type RedisIndex struct {
	// Timeout bounds each call. It must not change once there was one.
	Timeout time.Duration

	client redis.UniversalClient
	prefix string
}

var _ Index = (*RedisIndex)(nil)

const (
	// shards must never change: it says where things are.
	shards     = 16
	mostMoved  = 200 // states in one call
	mostGroups = 50  // registries in one round
)

// NewRedisIndex makes an index whose keys begin with prefix. It sends nothing. The client has to heed its contexts'
// deadlines; it stays the caller's, who closes it after the last call.
func NewRedisIndex(client redis.UniversalClient, prefix string) *RedisIndex {
	return &RedisIndex{Timeout: eventlog.CallTimeout, client: client, prefix: prefix}
}

// shardOf is where a registry's tokens are.
func shardOf(registry providers.ID) int {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(registry.String()))
	return int(sum.Sum32() % shards)
}

func (r *RedisIndex) shard(n int) string { return r.prefix + "1:{due" + strconv.Itoa(n) + "}:" }

// looksKey is of a shard's tokens by when to look at them.
func (r *RedisIndex) looksKey(shard int) string { return r.shard(shard) + "looks" }

// keys are of when to look, and of a registry's states.
func (r *RedisIndex) keys(registry providers.ID) []string {
	n := shardOf(registry)
	return []string{r.looksKey(n), r.shard(n) + "of:" + registry.String()}
}

// group is what belongs to one registry, by places in a list.
type group struct {
	registry providers.ID
	places   []int
}

// groups divides tokens by registry into groups of at most mostMoved.
func groups(count int, token func(int) providers.ID) (all []*group) {
	open := map[providers.ID]*group{}
	for i := range count {
		registry := token(i).OfRegistry()
		g := open[registry]
		if g == nil || len(g.places) == mostMoved {
			g = &group{registry: registry}
			open[registry] = g
			all = append(all, g)
		}
		g.places = append(g.places, i)
	}
	return all
}

// Get implements Index.
func (r *RedisIndex) Get(ctx context.Context, tokens []providers.ID) ([]State, error) {
	states, _, err := r.get(ctx, tokens)
	return states, err
}

// get returns the texts as well, as they are found.
func (r *RedisIndex) get(ctx context.Context, tokens []providers.ID) (states []State, texts []string, err error) {
	states, texts = make([]State, len(tokens)), make([]string, len(tokens))
	all := groups(len(tokens), func(i int) providers.ID { return tokens[i] })
	for some := range slices.Chunk(all, mostGroups) {
		bounded, cancel := context.WithTimeout(ctx, r.Timeout)
		found, err := r.client.Pipelined(bounded, func(p redis.Pipeliner) error {
			for _, g := range some {
				names := make([]string, len(g.places))
				for i, place := range g.places {
					names[i] = tokens[place].Native
				}
				p.HMGet(bounded, r.keys(g.registry)[1], names...)
			}
			return nil
		})
		cancel()
		if err != nil {
			return nil, nil, eventlog.Trouble(ctx, err)
		}
		for n, g := range some {
			values := found[n].(*redis.SliceCmd).Val()
			for i, place := range g.places {
				texts[place], _ = values[i].(string)
				states[place] = decodeIndexed(tokens[place], texts[place])
			}
		}
	}
	return states, texts, ctx.Err()
}

// encodeIndexed puts the version before a state, where scripts can read it.
func encodeIndexed(s State, version uint64) (string, error) {
	text, err := encodeState(s)
	return strconv.FormatUint(version, 10) + " " + string(text), err
}

// decodeIndexed reads a token's state. What cannot be read, and nothing, is a state of which no more is known than
// what has to be replaced.
func decodeIndexed(token providers.ID, text string) State {
	none := unknown(token)
	number, body, found := strings.Cut(text, " ")
	version, err := strconv.ParseUint(number, 10, 64)
	if !found || err != nil || strconv.FormatUint(version, 10) != number {
		return none
	}
	s, err := decodeState([]byte(body))
	if err != nil || s.Subject.Token != token {
		s = none
	}
	s.Version = version
	return s
}

// OfRegistry implements Index.
func (r *RedisIndex) OfRegistry(ctx context.Context, registry providers.ID) ([]State, error) {
	key := r.keys(registry)[1]
	seen := map[string]bool{}
	var states []State
	for cursor := uint64(0); ; {
		bounded, cancel := context.WithTimeout(ctx, r.Timeout)
		found, next, err := r.client.HScan(bounded, key, cursor, "", mostMoved).Result()
		cancel()
		if err != nil {
			return nil, eventlog.Trouble(ctx, err)
		}
		for i := 0; i+1 < len(found); i += 2 {
			if seen[found[i]] {
				continue
			}
			seen[found[i]] = true
			if s := decodeIndexed(registry.TokenID(found[i]), found[i+1]); !s.Over() {
				states = append(states, s)
			}
		}
		if cursor = next; cursor == 0 {
			return states, ctx.Err()
		}
	}
}

// Put implements Index.
func (r *RedisIndex) Put(ctx context.Context, states []State) (saved []bool, err error) {
	if err := wholeStates(states); err != nil {
		return nil, err
	}
	saved = make([]bool, len(states))
	now := time.Now()
	for _, g := range groups(len(states), func(i int) providers.ID { return states[i].Subject.Token }) {
		if err := r.put(ctx, g, states, saved, now); err != nil {
			return nil, err
		}
	}
	return saved, ctx.Err()
}

func (r *RedisIndex) put(ctx context.Context, g *group, states []State, saved []bool, now time.Time) error {
	args := make([]any, 0, 5*len(g.places))
	versions := make([]uint64, len(g.places))
	for i, place := range g.places {
		s := states[place]
		text, at := "", ""
		if !s.Over() {
			var err error
			versions[i] = s.nextVersion(now)
			if text, err = encodeIndexed(s, versions[i]); err != nil {
				return err
			}
			if look := s.look(now); !look.IsZero() {
				at = strconv.FormatInt(ceil(look).UnixMilli(), 10)
			}
		}
		args = append(args, s.Subject.Token.String(), s.Subject.Token.Native, s.Version, text, at)
	}
	answers, err := eventlog.RunScript(ctx, r.client, r.Timeout, scripts.put, r.keys(g.registry), args...)
	if err != nil {
		return err
	}
	if len(answers) != len(g.places) {
		return eventlog.ErrUnreadable
	}
	for i, place := range g.places {
		if saved[place] = answers[i] == int64(1); saved[place] {
			states[place].Version = versions[i]
		}
	}
	return nil
}

// Take implements Index.
func (r *RedisIndex) Take(ctx context.Context, now time.Time, limit int, lease time.Duration) (states []State, next time.Time, err error) {
	first := rand.IntN(shards) // so that none is always last
	for n := range shards {
		taken, soonest, err := r.take(ctx, (first+n)%shards, now, min(limit-len(states), mostMoved), lease)
		if err != nil {
			return nil, time.Time{}, err
		}
		states = append(states, taken...)
		if !soonest.IsZero() && (next.IsZero() || soonest.Before(next)) {
			next = soonest
		}
	}
	slices.SortStableFunc(states, func(a, b State) int { return a.Look.Compare(b.Look) })
	return states, next, nil
}

func (r *RedisIndex) take(ctx context.Context, shard int, now time.Time, limit int, lease time.Duration) (states []State, next time.Time, err error) {
	found, err := eventlog.RunScript(ctx, r.client, r.Timeout, scripts.take, []string{r.looksKey(shard)},
		now.UnixMilli(), max(limit, 0), ceil(now.Add(lease)).UnixMilli())
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(found) == 0 {
		return nil, time.Time{}, eventlog.ErrUnreadable
	}
	if next, err = scoreTime(found[0]); err != nil {
		return nil, time.Time{}, err
	}
	var tokens []providers.ID
	for _, member := range found[1:] {
		text, _ := member.(string)
		if token, err := providers.ParseID(text); err == nil {
			tokens = append(tokens, token)
		}
	}
	known, texts, err := r.get(ctx, tokens)
	if err != nil {
		return nil, time.Time{}, err
	}
	for i, s := range known {
		if s.Over() {
			err = errors.Join(err, r.drop(ctx, tokens[i], texts[i]))
			continue
		}
		states = append(states, s)
	}
	return states, next, err
}

// Count implements Index. It counts what is to be looked at one day, which all that is watched is.
func (r *RedisIndex) Count(ctx context.Context) (int, error) {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	found, err := r.client.Pipelined(bounded, func(p redis.Pipeliner) error {
		for n := range shards {
			p.ZCard(bounded, r.looksKey(n))
		}
		return nil
	})
	if err != nil {
		return 0, eventlog.Trouble(ctx, err)
	}
	total := 0
	for _, answer := range found {
		total += int(answer.(*redis.IntCmd).Val())
	}
	return total, nil
}

// drop forgets what has no state that can be read, unless it has another by now.
func (r *RedisIndex) drop(ctx context.Context, token providers.ID, text string) error {
	_, err := eventlog.RunScript(ctx, r.client, r.Timeout, scripts.drop, r.keys(token.OfRegistry()), token.String(), token.Native, text)
	return err
}

func scoreTime(score any) (time.Time, error) {
	text, _ := score.(string)
	if text == "" {
		return time.Time{}, nil
	}
	milli, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, eventlog.ErrUnreadable
	}
	return time.UnixMilli(int64(milli)).UTC(), nil
}
