package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"regtok/cache"
	"regtok/catalog"
	"regtok/ledger"
	"regtok/providers/budget"
	"regtok/quota"
	"regtok/rediserr"
)

// redisPrefix begins every key and channel of ours.
const redisPrefix = "regtok:"

// How sure it is that what has to be remembered is, as the log tells it.
const (
	durable     = "yes"
	forgotten   = "no, it ends with this process"
	forgetful   = "no, Redis may forget"
	undecidable = "unknown, Redis fails"
)

// shared is what replicas have in common when there is a Redis, be it up or down; else each process has its own.
type shared struct {
	ledger  ledger.Ledger
	durable string // how surely what has to be remembered is
	// health hears who is without Redis.
	health *rediserr.Health
	store  cache.Store // nil: the cache is this process's own
	// budgets is where processes count requests together; nil: each counts its own.
	budgets budget.Shared
	// events is where tokens' ends are told; nil: nowhere.
	events *eventStore
	// quota is where processes take callers' points together; nil: each takes them by itself.
	quota *quota.Redis
	// leave closes the connections, when nothing needs them any more.
	leave func()
}

// share connects to Redis.
func (a api) share(ctx context.Context, log *slog.Logger) shared {
	if a.redis.options == nil {
		health := rediserr.NewHealth(rediserr.Server{}, log) // of which nobody says anything
		return shared{ledger: ledger.NewMemory(), durable: forgotten, health: health, events: a.events(nil), leave: func() {}}
	}
	logging.Disable() // the client's own lines are no JSON, and hold addresses
	ledger.Suit(a.redis.options)
	var runs cache.Runs // of the server, so that nothing counts that an older copy brings back
	a.redis.options.OnConnect = runs.Meet
	client := redis.NewUniversalClient(a.redis.options)
	kept := ledger.NewRedis(client, redisPrefix)
	kept.Timeout = a.redisTimeout * 5
	health := rediserr.NewHealth(a.redis.server(), log)
	common := shared{
		ledger: kept, durable: a.tried(ctx, kept, health, log), health: health, budgets: budget.NewRedis(client, redisPrefix), events: a.events(client), leave: func() { _ = client.Close() },
	}
	common.quota = quota.NewRedis(quota.RedisConfig{Client: client, Prefix: redisPrefix, Timeout: a.redisTimeout, Report: health.Of("callers' allowances")})
	if a.sharesCache() {
		common.store = cache.NewRedis(client, redisPrefix).Heed(&runs)
	}
	return common
}

// tried tells whether Redis is there and keeps what it is told.
func (a api) tried(ctx context.Context, kept *ledger.Redis, health *rediserr.Health, log *slog.Logger) string {
	switch err := kept.Check(ctx); {
	case errors.Is(err, ledger.ErrUnavailable):
		health.Report(catalog.PromisedDeletions, err) // who looks for these is the first to try again
		return undecidable
	case errors.Is(err, ledger.ErrForgetful):
		log.Warn("what has to be remembered may be forgotten", "setting", a.redis.setting, "err", err)
		return forgetful
	}
	return durable
}

// redisWorks tells whether nothing is without Redis; nil: there is none.
func (a api) redisWorks(common shared) func() bool {
	if a.redis.options == nil {
		return nil
	}
	return common.health.Works
}

// sharesCache tells whether what is read lies in Redis.
func (a api) sharesCache() bool { return a.redis.options != nil && a.Cache != "off" }
