package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"regtok/ledger"
)

// remember opens the ledger: in Redis when there is one, up or down, else in this process. forget closes its connections.
func (a api) remember(ctx context.Context, log *slog.Logger) (known ledger.Ledger, forget func()) {
	if a.redis.options == nil {
		return ledger.NewMemory(), func() {}
	}
	logging.Disable() // the client's own lines are no JSON, and hold addresses
	ledger.Suit(a.redis.options)
	client := redis.NewClient(a.redis.options)
	kept := ledger.NewRedis(client, "regtok:")
	const setting = "--redis-url (REGTOK_REDIS_URL)"
	switch err := kept.Check(ctx); {
	case errors.Is(err, ledger.ErrUnavailable):
		log.Warn("Redis cannot be reached: what needs it is refused until it can", "setting", setting, "err", err)
	case errors.Is(err, ledger.ErrForgetful):
		log.Warn("what has to be remembered may be forgotten", "setting", setting, "err", err)
	}
	return kept, func() { _ = client.Close() }
}
