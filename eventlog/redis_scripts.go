package eventlog

import "github.com/redis/go-redis/v9"

// scripts are what has to happen in one piece. They have the keys of the stream, of the ids in it, and of its life: epoch, trimmed
// and last. A life begins with whoever comes first.
var scripts = struct{ append, read, find *redis.Script }{
	// append: a new epoch, how long events are kept, how many are trimmed at once; id and text of each event. It returns 1 for
	// each that is new. What is trimmed is counted, so that an append after a long silence takes no long time.
	append: redis.NewScript(living + `
local answer = {}
for i = 4, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    answer[#answer + 1] = 0
  else
    last = redis.call('XADD', KEYS[1], '*', 'i', ARGV[i], 'e', ARGV[i + 1])
    redis.call('HSET', KEYS[2], ARGV[i], last)
    answer[#answer + 1] = 1
  end
end
redis.call('HSET', KEYS[3], 'last', last)
local time, most = redis.call('TIME'), tonumber(ARGV[3])
local oldest = string.format('%.0f', math.max(time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[2], 1))
local old = redis.call('XRANGE', KEYS[1], '-', '(' .. oldest .. '-0', 'COUNT', most)
if #old > 0 then
  local ids = {}
  for i, entry in ipairs(old) do ids[i] = entry[2][2] end
  redis.call('HDEL', KEYS[2], unpack(ids))
  redis.call('HSET', KEYS[3], 'trimmed', old[#old][1])
  local ms, seq = string.match(old[#old][1], '^(%d+)-(%d+)$')
  redis.call('XTRIM', KEYS[1], 'MINID', ms .. '-' .. string.format('%.0f', seq + 1))
end
return answer`),

	// read: a new epoch, the position to read after, how many. It returns epoch, trimmed and last, then position and text of
	// each entry.
	read: redis.NewScript(living + `
local answer = {epoch, trimmed, last}
if tonumber(ARGV[3]) > 0 then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+', 'COUNT', ARGV[3])) do
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = entry[2][4]
  end
end
return answer`),

	// find: an id. It returns the epoch, position and text, or nothing.
	find: redis.NewScript(`
local at = redis.call('HGET', KEYS[2], ARGV[1])
local found = at and redis.call('XRANGE', KEYS[1], at, at)
if not found or #found == 0 then return {} end
return {redis.call('HGET', KEYS[3], 'epoch'), at, found[1][2][4]}`),
}

// living makes sure that the log has a life, and writes nothing where it has.
const living = `
local found = redis.call('HMGET', KEYS[3], 'epoch', 'trimmed', 'last')
if not found[1] then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[3], 'epoch', ARGV[1], 'trimmed', '0-0', 'last', '0-0')
  found = {ARGV[1], '0-0', '0-0'}
end
local epoch, trimmed, last = found[1], found[2], found[3]
`
