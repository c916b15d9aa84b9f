package cache

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// registeredFor is how long a process counts as a listener after it last said so, and registerEvery how often it does.
	registeredFor = 3 * time.Second
	registerEvery = time.Second
	// registeredSlack is by how much less it reckons with itself: two clocks do not run alike.
	registeredSlack = 500 * time.Millisecond
)

// registerScript lets a listener count for so many milliseconds more, and returns until when, and 1 if it has counted
// without a gap since it said so last. What nobody prolongs is gone after a minute, and what is no list of listeners at once.
// Who counts for longer than anybody may, by a clock that was set back since or by a strange hand, counts for as long.
const registerScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.pcall('ZSCORE', KEYS[1], ARGV[1])
if type(before) == 'table' then
  redis.call('DEL', KEYS[1])
  before = false
end
before = tonumber(before or 0)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
for _, longer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now + ARGV[2], '+inf', 'LIMIT', 0, 100)) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], longer)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
redis.call('PEXPIRE', KEYS[1], 60000)
return {now + ARGV[2], before == tonumber(ARGV[3]) and before > now and 1 or 0}`

// listenersScript returns who counts, each with until when.
const listenersScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES')`

// standing is this process's own registration.
type standing struct {
	mu    sync.Mutex
	since time.Time // zero: it is none
	score int64     // what stands there, or less, when it is being prolonged
	run   string
}

// register registers this process, or prolongs that, and tells w.
func (r *Redis) register(ctx context.Context, w Watcher) error {
	ctx, cancel := context.WithTimeout(ctx, registerEvery)
	defer cancel()
	began, last := time.Now(), r.standing.last()
	answer, err := r.client.Eval(ctx, registerScript, []string{r.listenersName()},
		r.origin, registeredFor.Milliseconds(), last).Int64Slice()
	if err == nil && len(answer) != 2 {
		err = fmt.Errorf("%d answers of 2", len(answer))
	}
	if err != nil {
		return trouble(err)
	}
	since := r.standing.note(answer[0], answer[1] == 1, r.runs.now())
	w.Registered(since, began.Add(registeredFor-registeredSlack))
	return nil
}

// leave ends the registration, so that nobody waits for this process any more.
func (r *Redis) leave(ctx context.Context, w Watcher) {
	r.standing.forget()
	now := time.Now()
	w.Registered(now, now)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), registerEvery/4)
	defer cancel()
	_ = r.client.ZRem(ctx, r.listenersName(), r.origin).Err() // else it ends by itself
}

// others are the processes that have to hear of a bump, as the listeners' script tells. They are known only if this
// process has stood there itself for as long as a registration counts: a Redis that lost the others, as one does that
// starts again or is flushed, lost this one too, and by then the others have registered again or ceased to believe.
func (r *Redis) others(listeners *redis.Cmd) (others []string, known bool) {
	pairs, err := listeners.StringSlice()
	if err != nil {
		return nil, false
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != r.origin {
			others = append(others, pairs[i])
			continue
		}
		score, err := strconv.ParseInt(pairs[i+1], 10, 64)
		known = err == nil && r.standing.proves(score, r.runs.now())
	}
	return others, known
}

func (s *standing) last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.score
}

// note notes what stands there now, and returns since when without a gap.
func (s *standing) note(score int64, kept bool, run string) (since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !kept || s.since.IsZero() || s.run != run {
		s.since, s.run = time.Now(), run
	}
	s.score = score
	return s.since
}

func (s *standing) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since, s.score = time.Time{}, 0
}

// proves tells whether the others that were found beside this score are all there are. A lesser score than was noted comes
// from an older copy.
func (s *standing) proves(score int64, run string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.since.IsZero() && time.Since(s.since) >= registeredFor && score >= s.score && run == s.run
}
