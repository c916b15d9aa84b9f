package rest

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"regtok/providers"
)

const (
	// maxLimitsBody is how much of a 429's body Driver.Limits is promised.
	maxLimitsBody = 4 << 10
	// maxBlocked bounds how long a wrong header can silence an account: then one round of requests asks again.
	maxBlocked = time.Hour
	// sameWindow is how far apart the ends of one window can seem, told in whole seconds by answers of some delay.
	sameWindow = 2 * time.Second
	// shortestReset stands for a reset of 0 s on a used up allowance: less than a second is left.
	shortestReset = time.Second
)

// budget remembers an account's allowances of requests. Requests count as they leave, answers correct the count.
type budget struct {
	mu      sync.Mutex
	windows []window
	// paused is until when the provider asked for silence.
	paused time.Time
}

// window is one allowance, in its current window of time.
type window struct {
	providers.Budget
	// length is the longest reset told, which is taken as the window's length.
	length time.Duration
}

// acquire takes one request out of the budget. When the budget is used up it waits, or is RateLimited with the wait
// when that does not fit.
func (t *Transport) acquire(ctx context.Context, m *marks) *providers.Error {
	for {
		if err := ctx.Err(); err != nil {
			return gone(err)
		}
		wait := t.budget.take(time.Now())
		if wait <= 0 {
			return nil
		}
		if !t.fits(ctx, wait) {
			return &providers.Error{Kind: providers.RateLimited, RetryAfter: wait}
		}
		t.log.Warn("waiting for the upstream's allowance", "op", m.op, "wait", wait)
		if err := sleep(ctx, wait); err != nil {
			return gone(err)
		}
	}
}

// learn feeds an answer to the budget. body is what was read of it so far.
func (t *Transport) learn(req *http.Request, m *marks, resp *http.Response, body []byte) {
	refused := resp.StatusCode == http.StatusTooManyRequests
	if !refused {
		body = nil
	}
	var limits []providers.Limit
	if t.limits != nil {
		limits = t.limits(req, resp.StatusCode, resp.Header, body[:min(len(body), maxLimitsBody)])
	}
	now := time.Now()
	t.budget.learn(now, limits)
	if !refused {
		return
	}
	t.log.Warn("allowance used up", "op", m.op)
	m.wait = retryAfter(resp.Header, now)
	if m.wait > 0 {
		t.budget.pause(now.Add(m.wait), now)
		return
	}
	for _, limit := range limits {
		if limit.Remaining <= 0 {
			m.wait = max(m.wait, limit.Reset, shortestReset)
		}
	}
}

// take counts one request, or returns how long to wait for the allowance that comes back last.
func (b *budget) take(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	wait := b.paused.Sub(now)
	for _, w := range b.windows {
		if w.Remaining <= 0 {
			wait = max(wait, w.ResetsAt.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for i := range b.windows {
		b.windows[i].Remaining--
	}
	return 0
}

// giveBack takes back the count of a request that never left.
func (b *budget) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.windows {
		if w := &b.windows[i]; w.Limit <= 0 || w.Remaining < w.Limit {
			w.Remaining++
		}
	}
}

// learn believes what an answer tells about the allowances.
func (b *budget) learn(now time.Time, limits []providers.Limit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	for _, told := range limits {
		b.learnOne(now, told)
	}
}

func (b *budget) learnOne(now time.Time, told providers.Limit) {
	reset := min(max(told.Reset, 0), maxBlocked)
	if told.Remaining <= 0 {
		reset = max(reset, shortestReset)
	}
	fresh := window{
		Budget: providers.Budget{
			Scope: told.Scope, Limit: told.Limit, Remaining: max(told.Remaining, 0), ResetsAt: now.Add(reset),
		},
		length: reset,
	}
	at := slices.IndexFunc(b.windows, func(w window) bool { return w.Scope == told.Scope })
	if at < 0 {
		b.windows = append(b.windows, fresh)
		return
	}
	known := b.windows[at]
	fresh.length = max(fresh.length, known.length)
	if fresh.ResetsAt.Sub(known.ResetsAt).Abs() <= sameWindow {
		// Answers overtake each other, and requests are under way that this answer does not count yet.
		fresh.Remaining = min(fresh.Remaining, known.Remaining)
	}
	b.windows[at] = fresh
}

// pause keeps all requests back until then.
func (b *budget) pause(until, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if latest := now.Add(maxBlocked); until.After(latest) {
		until = latest
	}
	if until.After(b.paused) {
		b.paused = until
	}
}

// roll starts anew what is over. The next window is taken to be as full and as long as the last until an answer tells,
// so that everybody who waited does not set off at once.
func (b *budget) roll(now time.Time) {
	b.windows = slices.DeleteFunc(b.windows, func(w window) bool { return w.Limit <= 0 && !w.ResetsAt.After(now) })
	for i := range b.windows {
		w := &b.windows[i]
		if w.ResetsAt.After(now) {
			continue
		}
		w.Remaining = w.Limit
		w.ResetsAt = now.Add(w.length)
	}
}

// snapshot is what is remembered now.
func (b *budget) snapshot(now time.Time) []providers.Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	var all []providers.Budget
	for _, w := range b.windows {
		all = append(all, w.Budget)
	}
	return all
}
