// Package budget keeps an account within its provider's allowances, in one process or in all replicas together. A request
// is counted before it leaves, and what its answer tells corrects the count.
package budget

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"regtok/providers"
)

// Never is the wait of a sweeping request whose term is over: another sweeper has begun, so this one must end.
const Never time.Duration = math.MaxInt64

// Config is what a [Budget] needs.
type Config struct {
	// Key names the account among all that share: its driver, name and fingerprint. Alone it is not used.
	Key string
	// Start is what is taken to be allowed where the provider tells nothing; Reset is the window's length, 0: a minute.
	Start []providers.Limit
	// SweepShare is the most of a window's requests that sweeping may take. 0: 0.4.
	SweepShare float64
	// Shared is what replicas share; nil: this process is alone.
	Shared Shared
	// Log gets a line when the replicas can be reached no more, and when they can again. Nil: none.
	Log *slog.Logger
}

// Shared is where replicas keep what they know together.
type Shared interface{}

// Request is what asks to be sent.
type Request struct {
	Priority providers.Priority
	// Term is the sweeper's, of a Sweeping request; 0: none.
	Term uint64
	// Of is whose allowance it counts for, where a scope has several; empty: none in particular.
	Of string
}

// Answer is what came of a request that was counted.
type Answer struct {
	// Told is what Driver.Limits read.
	Told []providers.Limit
	// Refused: the status was 429.
	Refused bool
	// RetryAfter is how long the provider wants to hear nothing; 0: it does not say.
	RetryAfter time.Duration
}

// Budget counts an account's requests. It is safe for concurrent use. Close it after the last request.
type Budget struct {
	rules rules
	clock clock

	mu      sync.Mutex
	state   state
	last    uint64
	waiting waiting
}

// New makes the budget of one account. It sends nothing.
func New(config Config) *Budget {
	return &Budget{
		rules: rules{start: config.Start, sweepShare: cmp.Or(config.SweepShare, 0.4)},
		clock: clock{began: time.Now()},
	}
}

// Ticket is a request that was counted. Exactly one of its methods is to be called, once.
type Ticket struct {
	budget *Budget
	sent   sent
}

// Take counts one request, which may leave at once. Without a ticket it must not leave: ask again after the wait, which
// is never 0. The wait is how long it takes at the least; where it is short an answer is awaited that will tell. [Never]
// says that asking again is of no use: the request's term is over. Take waits for nothing but, for 50 ms at the most, for
// what replicas share.
func (b *Budget) Take(_ context.Context, r Request) (*Ticket, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.now()
	b.last++
	q := question{Request: r, id: b.last, ahead: b.waiting.ahead(now, r.Priority)}
	if wait := b.state.take(now, q, b.rules); wait > 0 {
		b.waiting.add(now, r.Priority, wait)
		return nil, wait
	}
	return &Ticket{budget: b, sent: sent{id: b.last, of: r.Of, priority: r.Priority, taken: now}}, 0
}

// Settle tells what the answer was.
func (t *Ticket) Settle(a Answer) {
	t.budget.change(func(now moment) { t.budget.state.settle(now, t.sent, a, t.budget.rules) })
}

// Lost tells that the request was sent, or may have been, and no answer came: the provider may have counted it.
func (t *Ticket) Lost() { t.budget.change(func(now moment) { t.budget.state.lost(now, t.sent) }) }

// Return tells that the request certainly never left.
func (t *Ticket) Return() {
	t.budget.change(func(now moment) { t.budget.state.returned(now, t.sent) })
}

func (b *Budget) change(do func(now moment)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do(b.clock.now())
}

// Snapshot is what is known of the allowances now. Remaining is what nobody has used or is using as far as is known,
// including what is kept back for writes. It waits for nobody.
func (b *Budget) Snapshot() []providers.Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.snapshot(b.clock.now(), b.rules)
}

// Close tells those who share that this process is gone. No other method may be called after it.
func (b *Budget) Close() {}
