package quota

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"

	"regtok/rediserr"
)

const (
	// failuresToRest is how many calls in a row have to fail until Redis is left alone, and restFor how long that is.
	failuresToRest = 3
	restFor        = time.Second
)

// take: key; the price and the largest debt, in microseconds. It returns whether the price was taken, and the debt, by Redis's
// clock. What lies under the key is when the debt is over; anything else is as good as nothing, and a moment further away than
// the largest debt is what a clock left behind that was set back, or a larger allowance: the largest debt lies there from then on.
var take = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local price, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local found = redis.pcall('GET', KEYS[1])
local debt, taken = 0, 1
if type(found) == 'string' and string.match(found, '^%d+$') then
  debt = math.max(0, tonumber(found) - now)
end
local far = debt > most
if far then debt = most end
if debt + price > most then taken, price = 0, 0 end
if taken == 0 and not far then return {0, debt} end
debt = debt + price
redis.call('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000) + 1)
return {taken, debt}`)

// RedisConfig is what a Redis is made of.
type RedisConfig struct {
	// Client has to end each call when its context does (redis.Options.ContextTimeoutEnabled). It stays the caller's.
	Client redis.UniversalClient
	// Prefix begins each key.
	Prefix string
	// Timeout is how long a call may take.
	Timeout time.Duration
	// Report hears that callers' allowances are not shared, and why, again and again while they are not, and nil when they
	// are. It is called by many goroutines, and must not wait. Nil: nobody.
	Report func(error)
}

// Redis is where replicas with the same prefix of the same Redis spend callers' points together: a single server, one that
// Sentinel looks after, or a cluster. It is safe for concurrent use.
type Redis struct {
	config  RedisConfig
	breaker *gobreaker.CircuitBreaker[[]int64]

	mu      sync.Mutex
	trouble error // why the breaker is open; nil: it is not
}

// NewRedis makes one. It sends nothing.
func NewRedis(c RedisConfig) *Redis {
	if c.Report == nil {
		c.Report = func(error) {}
	}
	return &Redis{config: c, breaker: gobreaker.NewCircuitBreaker[[]int64](gobreaker.Settings{
		Timeout:     restFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresToRest },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
	})}
}

// spend takes a price from a caller, unless the debt would be more than most. Not ok: Redis could not be asked.
func (r *Redis) spend(ctx context.Context, caller string, price, most time.Duration) (debt time.Duration, taken, ok bool) {
	answer, err := r.breaker.Execute(func() ([]int64, error) {
		ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
		defer cancel()
		return take.Run(ctx, r.config.Client, []string{r.key(caller)}, price.Microseconds(), most.Microseconds()).Int64Slice()
	})
	r.tell(err)
	const parts = 2
	if err != nil || len(answer) != parts {
		return 0, false, false
	}
	return time.Duration(answer[1]) * time.Microsecond, answer[0] == 1, true
}

// tell reports what concerns more than one call.
func (r *Redis) tell(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.trouble = nil
		r.config.Report(nil)
		return
	case errors.Is(err, context.Canceled), r.breaker.State() == gobreaker.StateClosed:
		return
	case !errors.Is(err, gobreaker.ErrOpenState) && !errors.Is(err, gobreaker.ErrTooManyRequests):
		r.trouble = rediserr.New(err)
	}
	if r.trouble != nil { // else whoever opened the breaker is about to tell why
		r.config.Report(r.trouble)
	}
}

// key is where a caller's debt lies. Nobody can read names from it.
func (r *Redis) key(caller string) string {
	hash := sha256.Sum256([]byte(caller))
	return r.config.Prefix + "quota1:" + base64.RawURLEncoding.EncodeToString(hash[:16])
}
