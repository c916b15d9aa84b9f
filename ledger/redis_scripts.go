package ledger

import "github.com/redis/go-redis/v9"

// scripts are what has to happen in one piece. Those that write get the latest time to do so as their first argument.
var scripts = struct{ clock, take, renew, drop, settle, finish, schedule, unschedule, takeDue, lead *redis.Script }{
	// clock is the time of the server that has the key, in milliseconds.
	clock: redis.NewScript(`
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)`),

	// take: key; value, its life. It returns what is there instead. What is there already because this is repeated is
	// no other.
	take: writing(`
local found = redis.call('GET', KEYS[1])
if foreign(found) then return unreadable() end
if found and found ~= ARGV[2] then return found end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return false`),

	// renew: key; the value that it has to have, its life from now.
	renew: writing(`
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return false`),

	// drop: key; the value that it has to have. It may happen at any time, because no other value is the same.
	drop: redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`),

	// settle: key; value, its life where there is nothing, else what is left there.
	settle: writing(`
local found = redis.call('GET', KEYS[1])
if foreign(found) then return unreadable() end
if found then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
elseif tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return false`),

	// finish: keys begun, next, previous; value and life of each.
	finish: writing(`
for i, key in ipairs(KEYS) do
  if foreign(redis.call('GET', key)) then return unreadable() end
end
for i, key in ipairs(KEYS) do
  if tonumber(ARGV[2 * i + 1]) > 0 then
    redis.call('SET', key, ARGV[2 * i], 'PX', ARGV[2 * i + 1])
  else
    redis.call('DEL', key)
  end
end
return false`),

	// schedule: keys due, taken, by; member, when it is due, who asked for it. What is not due before it would be visible again is not taken
	// any more: so whatever is taken becomes visible at the end of its lease.
	schedule: writing(`
local hidden = redis.call('ZSCORE', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], ARGV[2], ARGV[4]) else redis.call('HDEL', KEYS[3], ARGV[2]) end
if hidden and tonumber(hidden) <= tonumber(ARGV[3]) then redis.call('ZREM', KEYS[2], ARGV[2]) end
return false`),

	// unschedule: keys due, taken, by; member.
	unschedule: writing(`
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
return false`),

	// takeDue: keys due, taken, by; now, limit, end of the lease. It returns when the next is due, or '', and then member,
	// time, and who asked for it, of each. Times go in and out as texts: Lua would round them.
	takeDue: writing(`
local now, limit = ARGV[2], tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local hidden = redis.call('ZCARD', KEYS[2])
local answer = {''}
local function sooner(at)
  if answer[1] == '' or tonumber(at) < tonumber(answer[1]) then answer[1] = at end
end
-- look calls each with the member and time of the first that are due between, and not taken, until it returns true.
local function look(from, to, most, each)
  local found = redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'WITHSCORES', 'LIMIT', 0, hidden + most)
  for i = 1, #found, 2 do
    if not redis.call('ZSCORE', KEYS[2], found[i]) and each(found[i], found[i + 1]) then return end
  end
end
local taken = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if taken[2] then sooner(taken[2]) end
local most = 1 + 3 * limit
look('-inf', now, limit + 1, function(member, at)
  if #answer == most then
    sooner(at)
    return true
  end
  table.insert(answer, member)
  table.insert(answer, at)
  table.insert(answer, redis.call('HGET', KEYS[3], member) or '')
end)
look('(' .. now, '+inf', 1, function(_, at)
  sooner(at)
  return true
end)
for i = 2, #answer, 3 do
  redis.call('ZADD', KEYS[2], ARGV[4], answer[i])
  sooner(ARGV[4])
end
return answer`),

	// lead: keys holder, term; how the record of this process begins, its life, and how long its term is remembered. It
	// returns the record of whoever holds the office now. What is in a holder's place and never ends is no holder, and
	// gets an end, whatever it is. A term is no less than the time in microseconds: so it grows although Redis forgot the
	// last one, or something else is in its place.
	lead: writing(`
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
local found = redis.call('GET', KEYS[1])
if foreign(found) then return unreadable() end
if found then
  if string.sub(found, 1, #ARGV[2]) == ARGV[2] then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
  return found
end
local last = redis.pcall('GET', KEYS[2])
if type(last) ~= 'string' or not string.match(last, '^%d+$') or #last > 16 then last = 0 end
local term = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
local mine = ARGV[2] .. term .. '}}'
redis.call('SET', KEYS[2], term, 'PX', ARGV[4])
redis.call('SET', KEYS[1], mine, 'PX', ARGV[3])
return mine`),
}

// writing is a script that refuses to write too late, and knows records that it must not touch: what another wrote
// there, or a later version.
func writing(script string) *redis.Script {
	return redis.NewScript(`
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(ARGV[1]) then
  return redis.error_reply('LATE it arrived too late')
end
local function foreign(found) return found and string.sub(found, 1, 7) ~= '{"v":1,' end
local function unreadable() return redis.error_reply('UNREADABLE it holds what another wrote') end
` + script)
}
