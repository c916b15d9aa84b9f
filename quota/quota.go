// Package quota keeps callers within their allowances of points, so that one cannot spend what is there for all. With a Redis
// an allowance is one for all replicas; while that is away each goes on with what it knows.
package quota

import (
	"context"
	"log/slog"
	"math"
	"time"

	"regtok/auth"
)

// Never is the wait of who asks for more points than there can ever be.
const Never = time.Duration(math.MaxInt64)

// Config is what a Quota is made of.
type Config struct {
	// Usual is the allowance of each caller who has none of their own.
	Usual auth.Allowance
	// Shared is where replicas spend together. Nil: this process spends alone.
	Shared *Redis
	// Refused is told of each operation that did not fit. It has to be quick and safe for concurrent use. Nil: nobody looks.
	Refused func()
	// Log gets a line for callers who have spent their points, once a minute for each. Nil: none.
	Log *slog.Logger
}

// Quota takes points from callers' allowances. It is safe for concurrent use.
type Quota struct {
	config Config
	memory memory
}

// New makes a quota under which nobody has spent anything yet.
func New(c Config) *Quota {
	if c.Refused == nil {
		c.Refused = func() {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Quota{config: c}
}

// Balance is what a caller has.
type Balance struct {
	// Allowance is what they may spend.
	Allowance auth.Allowance
	// Remaining are the points that are left.
	Remaining int
	// Wait is until the points are there that were asked for. 0: they were, and are taken.
	Wait time.Duration
}

// Spend takes points from the viewer's allowance if they are there. It never waits for longer than a call of Redis may take.
// Without a limit the balance is zero.
func (q *Quota) Spend(ctx context.Context, viewer auth.Viewer, points int) Balance {
	allowance := q.config.Usual
	if viewer.Allowance != nil {
		allowance = *viewer.Allowance
	}
	if allowance.Unlimited() {
		return Balance{}
	}
	rate := rateOf(allowance)
	price := rate.price(points)
	debt, taken := q.spend(ctx, viewer.Subject, price, rate.most)
	balance := Balance{Allowance: allowance, Remaining: rate.points(rate.most - debt)}
	if taken {
		return balance
	}
	balance.Wait = debt + price - rate.most
	if price > rate.most {
		balance.Wait = Never
	}
	q.refused(ctx, viewer.Subject, allowance)
	return balance
}

// spend takes a price where it is shared, else here. The debt is what it is afterwards.
func (q *Quota) spend(ctx context.Context, caller string, price, most time.Duration) (debt time.Duration, taken bool) {
	now := time.Now()
	if shared := q.config.Shared; shared != nil {
		if debt, taken, ok := shared.spend(ctx, caller, price, most); ok {
			q.memory.owe(caller, now, debt) // so that this process goes on there without Redis
			return debt, taken
		}
	}
	return q.memory.spend(caller, now, price, most)
}

func (q *Quota) refused(ctx context.Context, caller string, a auth.Allowance) {
	q.config.Refused()
	if q.memory.worthTelling(caller, time.Now()) {
		q.config.Log.WarnContext(ctx, "a caller has spent their points", "caller", caller, "perMinute", a.PerMinute, "burst", a.Burst)
	}
}

// rate turns points into time: a debt is how long it takes until all points are back. So one moment, when that is, says all
// about a caller, here and in Redis, and nothing has to be done for points to come back.
type rate struct {
	perPoint float64       // nanoseconds
	most     time.Duration // the largest debt
}

func rateOf(a auth.Allowance) rate {
	r := rate{perPoint: float64(time.Minute) / float64(a.PerMinute)}
	r.most = r.price(a.Burst)
	return r
}

// price is what points cost, in whole microseconds, as Redis counts. It is rounded down, so that points one by one cost no
// more than all at once.
func (r rate) price(points int) time.Duration {
	return time.Duration(float64(points) * r.perPoint).Truncate(time.Microsecond)
}

// points are those that a length of time brings back.
func (r rate) points(d time.Duration) int { return int(float64(d) / r.perPoint) }
