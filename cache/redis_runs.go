package cache

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// errMoved says that another server answered in the middle.
var errMoved = errors.New("another Redis answers")

// Runs tells one run of a Redis server from the next. What lies there was written in some run, and a server that was
// started again from an older copy, or took over from another one, may have what was ended since: only what was written in
// its own run counts. The zero value knows of no run yet. It is safe for concurrent use.
type Runs struct{ run atomic.Pointer[string] }

// Meet learns which run a new connection leads to, before anything else is sent there: it is for the OnConnect of the
// client's options. Where the server does not tell, and in a cluster, which is many, no run is known and all counts.
// A sentinel, to which clients connect at any time, changes nothing.
func (r *Runs) Meet(ctx context.Context, conn *redis.Conn) error {
	info, err := conn.Info(ctx, "server").Result()
	_, refused := errors.AsType[redis.Error](err)
	if err != nil && !refused {
		return err // nothing may be asked over a connection that leads who knows where
	}
	if refused && isSentinel(ctx, conn) {
		return nil
	}
	run, mode := "", ""
	for line := range strings.Lines(info) {
		if id, ok := strings.CutPrefix(line, "run_id:"); ok {
			run = strings.TrimSpace(id)
		}
		if name, ok := strings.CutPrefix(line, "redis_mode:"); ok {
			mode = strings.TrimSpace(name)
		}
	}
	switch mode {
	case "sentinel": // it holds nothing of ours
		return nil
	case "cluster":
		run = ""
	}
	r.run.Store(&run)
	return nil
}

// isSentinel tells by a question that other servers do not know, and that whoever follows a sentinel has to ask.
func isSentinel(ctx context.Context, conn *redis.Conn) bool {
	err := conn.Do(ctx, "sentinel", "get-master-addr-by-name", "").Err()
	return err == nil || errors.Is(err, redis.Nil)
}

// now is the run that was met last; empty: unknown.
func (r *Runs) now() string {
	if r == nil {
		return ""
	}
	if run := r.run.Load(); run != nil {
		return *run
	}
	return ""
}
