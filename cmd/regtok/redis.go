package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"regtok/cache"
	"regtok/ledger"
	"regtok/providers/budget"
)

// redisPrefix begins every key and channel of ours.
const redisPrefix = "regtok:"

// shared is what replicas have in common when there is a Redis, be it up or down; else each process has its own.
type shared struct {
	ledger ledger.Ledger
	store  cache.Store // nil: the cache is this process's own
	// budgets is where processes count requests together; nil: each counts its own.
	budgets budget.Shared
	// events is where tokens' ends are told; nil: nowhere.
	events *eventStore
	// leave closes the connections, when nothing needs them any more.
	leave func()
}

// share connects to Redis.
func (a api) share(ctx context.Context, log *slog.Logger) shared {
	if a.redis.options == nil {
		return shared{ledger: ledger.NewMemory(), events: a.events(nil), leave: func() {}}
	}
	logging.Disable() // the client's own lines are no JSON, and hold addresses
	ledger.Suit(a.redis.options)
	var runs cache.Runs // of the server, so that nothing counts that an older copy brings back
	a.redis.options.OnConnect = runs.Meet
	client := redis.NewUniversalClient(a.redis.options)
	kept := ledger.NewRedis(client, redisPrefix)
	const setting = "--redis-url (REGTOK_REDIS_URL)"
	switch err := kept.Check(ctx); {
	case errors.Is(err, ledger.ErrUnavailable):
		log.Warn("Redis cannot be reached: what needs it is refused until it can", "setting", setting, "err", err)
	case errors.Is(err, ledger.ErrForgetful):
		log.Warn("what has to be remembered may be forgotten", "setting", setting, "err", err)
	}
	common := shared{
		ledger: kept, budgets: budget.NewRedis(client, redisPrefix), events: a.events(client), leave: func() { _ = client.Close() },
	}
	if a.sharesCache() {
		common.store = cache.NewRedis(client, redisPrefix).Heed(&runs)
	}
	return common
}

// sharesCache tells whether what is read lies in Redis.
func (a api) sharesCache() bool { return a.redis.options != nil && a.Cache != "off" }
