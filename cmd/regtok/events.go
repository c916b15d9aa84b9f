package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/activity"
	"regtok/catalog"
	"regtok/expiry"
)

// eventStore is where it is kept what was told of tokens' ends, and of what happens to them, and what has to be remembered for it.
type eventStore struct {
	log       expiry.Log
	index     expiry.Index
	activity  activity.Log
	rosters   activity.Index
	retention time.Duration // 0: what is told ends with this process
	shared    bool
}

// events is that place: in Redis, for all processes that share it, or in this process. nil: --events=off.
func (a api) events(client redis.UniversalClient) *eventStore {
	switch {
	case a.Events == "off":
		return nil
	case client == nil:
		return &eventStore{
			log: expiry.NewMemory(0, 0), index: expiry.NewMemoryIndex(),
			activity: activity.NewMemory(0, 0), rosters: activity.NewMemoryIndex(0),
		}
	}
	retention := time.Duration(a.eventRetention)
	return &eventStore{
		log: expiry.NewRedis(client, redisPrefix, retention), index: expiry.NewRedisIndex(client, redisPrefix),
		activity: activity.NewRedis(client, redisPrefix, retention), rosters: activity.NewRedisIndex(client, redisPrefix, retention),
		retention: retention, shared: true,
	}
}

// watch is what sees to it that tokens' ends are told, and what happens to them; all of it is nil with --events=off.
type watch struct {
	watcher  *expiry.Watcher
	events   *expiry.Events
	figures  func() expiry.Figures
	tell     func(expiry.List)
	deeds    func() activity.Figures
	trail    *activity.Trail
	activity activity.Log
}

func (a api) watch(common shared, log *slog.Logger) watch {
	t := common.events
	if t == nil {
		return watch{}
	}
	watcher := expiry.NewWatcher(expiry.Watched{
		Rule: expiry.NewRule(expiry.Settings{Thresholds: a.policy().Thresholds}), Index: t.index, Log: t.log, Shared: t.shared, Report: common.health.Of("events"), Logger: log,
	})
	trail := activity.NewTrail(activity.Options{
		// A write and what it takes to enter it are over in that time.
		Log: t.activity, Index: t.rosters, Settle: time.Duration(a.Timeout), Report: common.health.Of("activity"), Logger: log,
	})
	return watch{
		trail: trail, activity: t.activity, deeds: trail.Figures,
		watcher: watcher, figures: watcher.Figures, tell: watcher.Tell,
		events: &expiry.Events{Log: t.log, Retention: t.retention, Current: watcher.Current},
	}
}

// run watches until ctx ends.
func (w watch) run(known *catalog.Catalog) func(context.Context) {
	return func(ctx context.Context) {
		if w.watcher != nil {
			w.watcher.Run(ctx, known)
		}
	}
}

// follow tells what happens to tokens until ctx ends.
func (w watch) follow(ctx context.Context) {
	if w.trail != nil {
		w.trail.Run(ctx)
	}
}

// close ends all subscriptions.
func (w watch) close() {
	if w.events != nil {
		w.events.Log.Close()
		w.activity.Close()
	}
}
