package budget

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/rediserr"
)

// redisLife is how long a budget is remembered that nobody uses.
const redisLife = 24 * time.Hour

// swap: key; the known value's stamp, the known server, the latest and earliest time in microseconds; value, its life in
// milliseconds. It returns whether it did, the server and its time, and what is there instead. A value's stamp is how it
// begins, which no other does. The server's run is asked for, because one that was started again, or took over, may have
// forgotten what was last told to it.
var swap = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local found = redis.pcall('GET', KEYS[1])
if type(found) ~= 'string' then found = '' end
if string.sub(found, 1, 16) == ARGV[1] and server == ARGV[2] and now <= tonumber(ARGV[3]) and now >= tonumber(ARGV[4]) then
  redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[6])
  return {1, server, string.format('%.0f', now), ''}
end
return {0, server, string.format('%.0f', now), found}`)

// Redis is what replicas share who use the same prefix of the same Redis: a single server, one that Sentinel looks
// after, or a cluster.
type Redis struct {
	client redis.UniversalClient
	prefix string
}

var _ Shared = (*Redis)(nil)

// NewRedis makes a Shared whose keys begin with prefix. It sends nothing. The client has to end each call when its
// context does (redis.Options.ContextTimeoutEnabled). It stays the caller's, who closes it after the last budget.
func NewRedis(client redis.UniversalClient, prefix string) *Redis {
	return &Redis{client: client, prefix: prefix}
}

// stampLength is how many bytes tell one value from every other.
const stampLength = 16

// Swap implements Shared.
func (r *Redis) Swap(ctx context.Context, key string, known Known, value []byte) (Present, error) {
	now := known.Now.UnixMicro()
	slack := ClockSlack.Microseconds()
	answer, err := swap.Run(ctx, r.client, []string{r.name(key)},
		known.Value[:min(len(known.Value), stampLength)], known.Server, now+slack, now-slack,
		value, redisLife.Milliseconds()).Slice()
	if err != nil {
		return Present{}, trouble(err)
	}
	return present(answer)
}

func present(answer []any) (Present, error) {
	const parts = 4
	if len(answer) != parts {
		return Present{}, errStrange
	}
	swapped, okSwapped := answer[0].(int64)
	server, okServer := answer[1].(string)
	clock, okClock := answer[2].(string)
	found, okFound := answer[3].(string)
	now, err := strconv.ParseInt(clock, 10, 64)
	if !okSwapped || !okServer || !okClock || !okFound || err != nil {
		return Present{}, errStrange
	}
	p := Present{Swapped: swapped == 1, Server: server, Now: time.UnixMicro(now)}
	if found != "" {
		p.Value = []byte(found)
	}
	return p, nil
}

// name is where an account's state lies.
func (r *Redis) name(key string) string {
	hash := sha256.Sum256([]byte(key))
	return r.prefix + "budget1:" + base64.RawURLEncoding.EncodeToString(hash[:16])
}

var errStrange = errors.New("Redis: it does not speak as it should")

// trouble makes an error for the log of what a client of Redis said.
func trouble(err error) error { return rediserr.New(err) }
