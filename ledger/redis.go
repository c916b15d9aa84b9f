package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"regtok/providers"
)

// Redis is a ledger that is shared by all who use the same prefix of the same Redis, and outlives them. It needs Redis
// 6.2 or newer, or what speaks like it, alone or as a cluster: one that keeps on disk what it is told, and evicts nothing.
type Redis struct {
	// Timeout bounds each call, apart from the wait for a lock. It must not change once there was one.
	Timeout time.Duration

	client  redis.UniversalClient
	prefix  string
	mark    string // of this process, in the offices that it holds
	locks   locks  // of this process: only one of it waits in Redis
	renewal time.Duration
}

var _ Ledger = (*Redis)(nil)

const (
	callTimeout = 250 * time.Millisecond
	// takeBackTimeout is what a call may take longer when it failed: see takeBack.
	takeBackTimeout = 50 * time.Millisecond
)

// NewRedis makes a ledger whose keys begin with prefix. It sends nothing. The client has to be one that [Suit] suited
// or that heeds its contexts' deadlines as well; it stays the caller's, who closes it after the last call.
func NewRedis(client redis.UniversalClient, prefix string) *Redis {
	return &Redis{Timeout: callTimeout, client: client, prefix: prefix, mark: rand.Text(), renewal: LockLease / 3}
}

// Suit sets in o what a ledger asks of a client, of a single server, Sentinel's or a cluster's, and leaves what else is
// said in it: a call ends when its context does, and a server that is down is known for that at once.
func Suit(o *redis.UniversalOptions) {
	o.ContextTimeoutEnabled = true
	o.DialTimeout = cmp.Or(o.DialTimeout, time.Second) // it goes on for the next call when this one is over
	o.DialerRetries = cmp.Or(o.DialerRetries, 1)
	o.MaxRetries = cmp.Or(o.MaxRetries, 1)
	o.MinRetryBackoff = cmp.Or(o.MinRetryBackoff, 5*time.Millisecond)
	o.MaxRetryBackoff = cmp.Or(o.MaxRetryBackoff, 20*time.Millisecond)
	o.PipelinePoolSize = cmp.Or(o.PipelinePoolSize, -1) // no connections of its own
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// Durable implements Ledger: it is, as far as its Redis is.
func (r *Redis) Durable() bool { return true }

// ErrForgetful says that a Redis may lose what is entered in it.
var ErrForgetful = errors.New("this Redis may forget")

// Check returns [ErrUnavailable] when the ledger cannot be reached, and [ErrForgetful] when it is set up to lose what
// it was told, as far as it tells; both with a reason.
func (r *Redis) Check(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	if err := r.client.Ping(bounded).Err(); err != nil {
		return trouble(ctx, err)
	}
	// A sentinel answers as well, and keeps nothing.
	if err := r.client.Get(bounded, r.prefix+"check").Err(); err != nil && !errors.Is(err, redis.Nil) {
		return trouble(ctx, err)
	}
	// Not everybody may ask, and what is not told is taken for right.
	facts := r.client.Info(bounded, "memory").Val() + r.client.Info(bounded, "persistence").Val()
	switch {
	case strings.Contains(facts, "maxmemory_policy:") && !strings.Contains(facts, "maxmemory_policy:noeviction"):
		return fmt.Errorf("%w: it evicts keys when its memory is full; set maxmemory-policy to noeviction", ErrForgetful)
	case strings.Contains(facts, "aof_enabled:0"):
		return fmt.Errorf("%w: it does not write down each change; set appendonly to yes", ErrForgetful)
	}
	return nil
}

// Lock implements Ledger.
func (r *Redis) Lock(ctx context.Context, token providers.ID) (unlock func(), err error) {
	value, err := encode(struct{}{})
	if err != nil {
		return nil, err
	}
	unlockHere, err := r.locks.lock(ctx, token)
	if err != nil {
		return nil, err
	}
	key := r.key("lock", sumOfID(token))
	for {
		present, err := r.take(ctx, key, value, LockLease)
		if err == nil && present == "" {
			break
		}
		if err == nil {
			err = pause(ctx)
		}
		if err != nil {
			unlockHere()
			return nil, err
		}
	}
	letGo := r.hold(context.WithoutCancel(ctx), key, value)
	return sync.OnceFunc(func() {
		defer unlockHere()
		letGo()
		r.takeBack(ctx, r.Timeout, key, value)
	}), nil
}

// hold renews a lock's lease again and again, until letGo is called.
func (r *Redis) hold(ctx context.Context, key, value string) (letGo func()) {
	ctx, cancel := context.WithCancel(ctx)
	var holding sync.WaitGroup
	holding.Go(func() {
		ticker := time.NewTicker(r.renewal)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_ = r.enter(ctx, scripts.renew, []string{key}, value, milliseconds(LockLease)) // else the next time
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		holding.Wait()
	}
}

// pause waits before asking for a lock again: a few times in the tenth of a second, and not all at once.
func pause(ctx context.Context) error {
	select {
	case <-time.After(15*time.Millisecond + mathrand.N(30*time.Millisecond)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take enters value, which nobody else has, under key for so long, unless there is one already: that is returned then.
func (r *Redis) take(ctx context.Context, key, value string, life time.Duration) (present string, err error) {
	answer, err := r.write(ctx, scripts.take, []string{key}, value, milliseconds(life))
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil {
		r.takeBack(ctx, takeBackTimeout, key, value)
		return "", trouble(ctx, err)
	}
	present, _ = answer.(string)
	return present, nil
}

// takeBack removes what is under key if it is value, which may have been entered though the answer was lost. Where that
// fails too, the value's time ends it.
func (r *Redis) takeBack(ctx context.Context, within time.Duration, key, value string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	_ = scripts.drop.Run(ctx, r.client, []string{key}, value).Err()
}

// write runs a script that writes, which gets the latest time to do so before args. Redis itself refuses it later:
// what failed here because it took too long must not happen afterwards, when Redis has got round to it. By Redis's own
// clock, since nobody's agrees with it.
func (r *Redis) write(ctx context.Context, script *redis.Script, keys []string, args ...any) (answer any, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	now, err := scripts.clock.Run(ctx, r.client, keys[:1]).Int64()
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	latest := now + time.Until(deadline).Milliseconds()
	return script.Run(ctx, r.client, keys, append([]any{latest}, args...)...).Result()
}

// enter is write where the answer says nothing.
func (r *Redis) enter(ctx context.Context, script *redis.Script, keys []string, args ...any) error {
	_, err := r.write(ctx, script, keys, args...)
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return trouble(ctx, err)
}

// read returns what is under each key, in order; empty: nothing.
func (r *Redis) read(ctx context.Context, keys ...string) ([]string, error) {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	gets := make([]*redis.StringCmd, len(keys))
	// The error is one of the answers', which are looked at below.
	_, _ = r.client.Pipelined(bounded, func(p redis.Pipeliner) error {
		for i, key := range keys {
			gets[i] = p.Get(bounded, key)
		}
		return nil
	})
	values := make([]string, len(keys))
	for i, get := range gets {
		switch value, err := get.Result(); {
		case errors.Is(err, redis.Nil):
		case err != nil:
			return nil, trouble(ctx, err)
		case value == "":
			return nil, errUnreadable
		default:
			values[i] = value
		}
	}
	return values, nil
}

// milliseconds of what is longer than nothing are at least 1.
func milliseconds(d time.Duration) int64 {
	return (d + time.Millisecond - 1).Milliseconds()
}
