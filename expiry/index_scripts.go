package expiry

import "github.com/redis/go-redis/v9"

// scripts are what has to happen in one piece.
var scripts = struct{ put, take, drop *redis.Script }{
	// put: keys of when to look and of a registry's states; then of each state its member, its name in the registry, the
	// version that is expected, the text, empty: none, and when to look, empty: not. It returns 1 for each that is
	// as it shall be. What has no version may be overwritten.
	put: redis.NewScript(`
local answer = {}
for i = 1, #ARGV, 5 do
  local member, name, expected, text, look = unpack(ARGV, i, i + 4)
  local found = redis.call('HGET', KEYS[2], name) or ''
  local version = string.match(found, '^(%d+) ') or '0'
  local mine = version == expected
  if mine and text == '' then
    redis.call('HDEL', KEYS[2], name)
  elseif mine then
    redis.call('HSET', KEYS[2], name, text)
  end
  if mine and look == '' then
    redis.call('ZREM', KEYS[1], member)
  elseif mine then
    redis.call('ZADD', KEYS[1], look, member)
  end
  answer[#answer + 1] = (mine or found == text) and 1 or 0
end
return answer`),

	// take: key of when to look; now, how many, the end of the lease. It returns when the next is to be looked at, or '', and
	// the members.
	take: redis.NewScript(`
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[3], member) end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
table.insert(due, 1, next[2] or '')
return due`),

	// drop: keys of when to look and of a registry's states; member and name of what has no state that can be read, and what is
	// there.
	drop: redis.NewScript(`
if (redis.call('HGET', KEYS[2], ARGV[2]) or '') == ARGV[3] then
  redis.call('HDEL', KEYS[2], ARGV[2])
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return {}`),
}
