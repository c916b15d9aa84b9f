package activity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/providers"
)

// RedisIndex is an index that is shared by all who use the same prefix of the same Redis. A roster that nobody looks at is
// forgotten after the retention of the log.
type RedisIndex struct {
	// Timeout bounds each call. It must not change once there was one.
	Timeout time.Duration

	client    redis.UniversalClient
	prefix    string
	retention time.Duration
}

var _ Index = (*RedisIndex)(nil)

// mostMoved is how many tokens are put or dropped in one call.
const mostMoved = 500

// NewRedisIndex makes an index whose keys begin with prefix; 0: as long as [eventlog.Retention]. It sends nothing. The client has
// to heed its contexts' deadlines; it stays the caller's, who closes it after the last call.
func NewRedisIndex(client redis.UniversalClient, prefix string, retention time.Duration) *RedisIndex {
	if retention <= 0 {
		retention = eventlog.Retention
	}
	return &RedisIndex{Timeout: eventlog.CallTimeout, client: client, prefix: prefix, retention: retention}
}

// key is where a registry's roster is: a hash of `v` its version, `l` when it was listed, `d` its digest, and `t` and the
// provider's id for each face.
func (r *RedisIndex) key(registry providers.ID) []string {
	sum := sha256.Sum256([]byte(registry.String()))
	return []string{r.prefix + "1:activity:of:" + base64.RawURLEncoding.EncodeToString(sum[:18])}
}

// scripts are what has to happen in one piece, with the key of a roster.
var scripts = struct{ digest, roster, change *redis.Script }{
	// digest: how long it is kept. A roster that is looked at is kept, and that is written once in half that time.
	digest: redis.NewScript(keeping + `return {redis.call('HGET', KEYS[1], 'd') or ''}`),

	// roster: how long it is kept; fields. It returns fields and values by turns: all of them where none are named.
	roster: redis.NewScript(keeping + `
local answer, cursor = {}, '0'
repeat
  if #ARGV > 1 then break end
  local page = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', 1000)
  cursor = page[1]
  for _, part in ipairs(page[2]) do answer[#answer + 1] = part end
until cursor == '0'
for i = 2, #ARGV do
  local found = redis.call('HGET', KEYS[1], ARGV[i])
  if found then
    answer[#answer + 1] = ARGV[i]
    answer[#answer + 1] = found
  end
end
return answer`),

	// change: how long it is kept; the version that is expected, '': any; when listed, '': as before; the digest; how many fields are
	// put; these with their values; fields that are dropped. It returns the new version, or nothing.
	change: redis.NewScript(`
local version = redis.call('HGET', KEYS[1], 'v') or '0'
if ARGV[2] ~= '' and ARGV[2] ~= version then return {} end
local time = redis.call('TIME')
local next = math.max(version + 1, time[1] * 1000000 + time[2])
redis.call('HSET', KEYS[1], 'v', string.format('%.0f', next), 'd', ARGV[4])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'l', ARGV[3]) end
local puts = tonumber(ARGV[5])
for i = 6, 5 + 2 * puts, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = 6 + 2 * puts, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {string.format('%.0f', next)}`),
}

const keeping = `
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < ARGV[1] / 2 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
`

// Digest implements Index.
func (r *RedisIndex) Digest(ctx context.Context, registry providers.ID) (string, error) {
	answer, err := r.run(ctx, scripts.digest, registry)
	if err != nil || len(answer) == 0 {
		return "", err
	}
	return answer[0], nil
}

// Roster implements Index. Where a face cannot be read, it is as if no list had been seen: nothing is then told of it.
func (r *RedisIndex) Roster(ctx context.Context, registry providers.ID, tokens ...string) (Roster, error) {
	var fields []any
	for _, native := range tokens {
		fields = append(fields, "t"+native)
	}
	if len(fields) > 0 {
		fields = append(fields, "v", "l")
	}
	answer, err := r.run(ctx, scripts.roster, registry, fields...)
	if err != nil {
		return Roster{}, err
	}
	roster, readable := Roster{Faces: map[string]Face{}}, true
	for i := 0; i+1 < len(answer); i += 2 {
		field, value := answer[i], answer[i+1]
		switch {
		case field == "v":
			roster.Version, _ = strconv.ParseUint(value, 10, 64)
		case field == "l":
			listed, _ := strconv.ParseInt(value, 10, 64)
			roster.Listed = eventlog.Moment(listed).Time()
		case len(field) > 0 && field[0] == 't':
			face, err := decodeFace(value)
			if err != nil {
				readable = false
				continue
			}
			roster.Faces[field[1:]] = face
		}
	}
	if !readable {
		roster.Listed = time.Time{}
	}
	return roster, nil
}

// Change implements Index. One of very many tokens takes several calls: until the last one nobody knows the digest.
func (r *RedisIndex) Change(ctx context.Context, registry providers.ID, change Change) (done bool, err error) {
	expected := ""
	if change.Strict {
		expected = strconv.FormatUint(change.Version, 10)
	}
	puts, drops := sortedKeys(change.Put), change.Drop
	for {
		put, drop := puts[:min(len(puts), mostMoved)], drops[:min(len(drops), mostMoved)]
		puts, drops = puts[len(put):], drops[len(drop):]
		last := len(puts) == 0 && len(drops) == 0
		args := []any{expected, "", "", len(put)}
		if last {
			args[1], args[2] = listed(change.Listed), change.Digest
		}
		for _, native := range put {
			args = append(args, "t"+native, change.Put[native].encode())
		}
		for _, native := range drop {
			args = append(args, "t"+native)
		}
		answer, err := r.run(ctx, scripts.change, registry, args...)
		if err != nil || len(answer) == 0 {
			return false, err
		}
		if last {
			return true, nil
		}
		if change.Strict {
			expected = answer[0]
		}
	}
}

func listed(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(int64(eventlog.MomentOf(at)), 10)
}

func (r *RedisIndex) run(ctx context.Context, script *redis.Script, registry providers.ID, args ...any) ([]string, error) {
	args = append([]any{r.retention.Milliseconds()}, args...)
	answer, err := eventlog.RunScript(ctx, r.client, r.Timeout, script, r.key(registry), args...)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(answer))
	for i, part := range answer {
		texts[i], _ = part.(string)
	}
	return texts, nil
}
