// Package budget keeps an account within its provider's allowances, in one process or in all replicas together. A request
// is counted before it leaves, and what its answer tells corrects the count. See docs/decisions/request-budget.md.
package budget

import (
	"cmp"
	"context"
	"math"
	"sync"
	"time"

	"regtok/providers"
)

// Never is the wait of a sweeping request whose term is over: another sweeper has begun, so this one must end.
const Never time.Duration = math.MaxInt64

// defaultSweepShare is the most of a window's requests that sweeping takes.
const defaultSweepShare = 0.4

// Config is what a [Budget] needs.
type Config struct {
	// Key names the account among all that share: its driver, name and fingerprint. Alone it is not used.
	Key string
	// Start is what is taken to be allowed where the provider tells nothing; Reset is the window's length, 0: a minute.
	// Replicas have the same.
	Start []providers.Limit
	// SweepShare is the most of a window's requests that sweeping may take. 0: 0.4.
	SweepShare float64
	// Shared is what replicas share; nil: this process is alone.
	Shared Shared
	// SharedTimeout bounds each exchange with what is shared, which every request waits for; 0: 50 ms.
	SharedTimeout time.Duration
	// Report hears why what is shared cannot be reached, again and again while it cannot, and nil when it can again. Nil:
	// nobody does. It must not wait, or call the budget.
	Report func(error)
}

// Request is what asks to be sent.
type Request struct {
	Priority providers.Priority
	// Term is the sweeper's, of a Sweeping request; 0: none.
	Term uint64
	// Of is whose allowance it counts for, where a scope has several; empty: none in particular.
	Of string
	// Covered tells, of a Reading request only, that its caller has old data to show: whoever has nothing goes first, and
	// so does the sweep, with what is left of its share. It is not expected back after a wait.
	Covered bool
	// Patience is the longest wait after which it is expected back; 0: any.
	Patience time.Duration
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
	peers *peers // nil: this process is alone

	mu      sync.Mutex
	state   *state
	last    uint64
	waiting waiting
}

// New makes the budget of one account. It sends nothing.
func New(config Config) *Budget {
	b := &Budget{
		rules: rules{start: config.Start, sweepShare: cmp.Or(config.SweepShare, defaultSweepShare)},
		clock: clock{began: time.Now()},
		state: &state{},
	}
	if config.Shared != nil {
		b.peers = newPeers(b, config)
	}
	return b
}

// Take counts one request, which may leave at once. Without a ticket it must not leave: the wait, which is never 0, is how
// long it takes at the least until asking again makes sense. Where it is short, an answer is awaited that will tell more.
// [Never] says that asking again is of no use: the request's term is over. Take itself waits for nothing but what
// replicas share, and for that 100 ms at the most.
func (b *Budget) Take(ctx context.Context, r Request) (*Ticket, time.Duration) {
	b.mu.Lock()
	now := b.clock.now()
	b.last++
	q := question{Request: r, id: b.last, ahead: b.waiting.ahead(now, r.Priority)}
	taken, wait := b.takeLocked(ctx, now, q)
	if wait > 0 {
		if !r.Covered && (r.Patience == 0 || wait <= r.Patience) {
			b.waiting.add(b.clock.now(), r.Priority, wait) // which may have been set
		}
		b.mu.Unlock()
		return nil, wait
	}
	b.mu.Unlock()
	return &Ticket{budget: b, sent: taken}, 0
}

// takeLocked wants b to be locked. While replicas are asked it is not.
func (b *Budget) takeLocked(ctx context.Context, now moment, q question) (sent, time.Duration) {
	if b.peers == nil {
		wait := b.state.take(now, q, b.rules)
		return q.sent(now), wait
	}
	return b.peers.take(ctx, now, q)
}

// Snapshot is what is known of the allowances now. Remaining is what has not been used, and is not being used by a request
// under way, as far as is known: it includes what is kept for writes and for replicas. Where the provider tells nothing it
// is about what is assumed, which is whole again at ResetsAt. That is never over: where nothing is used, it is as if a window
// began now. Snapshot waits for nobody, so replicas that have not asked lately may know of more than is left.
func (b *Budget) Snapshot() []providers.Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.snapshot(b.clock.now(), b.rules, b.clock.local)
}

// Close tells those who share that this process is gone, which takes 100 ms at the most. No request may be taken after
// it; what is under way may still be settled.
func (b *Budget) Close() {
	if b.peers != nil {
		b.peers.close()
	}
}

// Ticket is a request that was counted. Exactly one of its methods is to be called, once. None waits.
type Ticket struct {
	budget *Budget
	sent   sent
}

// Settle tells what the answer was.
func (t *Ticket) Settle(a Answer) {
	t.change(func(s *state, now moment, q sent) { s.settle(now, q, a, t.budget.rules) })
}

// Lost tells that the request was sent, or may have been, and no answer came: the provider may have counted it.
func (t *Ticket) Lost() { t.change((*state).lost) }

// Return tells that the request certainly never left.
func (t *Ticket) Return() { t.change((*state).returned) }

func (t *Ticket) change(do func(*state, moment, sent)) {
	b := t.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.peers != nil {
		b.peers.settle(t.sent, do)
		return
	}
	do(b.state, b.clock.now(), t.sent)
}
