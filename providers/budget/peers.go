package budget

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// failuresToRest is how many calls in a row have to fail until none is made for restFor.
	failuresToRest = 3
	restFor        = time.Second
	// believed is how long a wait that was told is told again without asking.
	believed = 200 * time.Millisecond
)

// peers keeps a budget's state together with other processes. Changes that come while what is shared is being exchanged
// are gathered and made together by the next exchange, so that processes are in each other's way, and not requests. All
// but the exchange wants the budget to be locked.
type peers struct {
	budget  *Budget
	shared  Shared
	timeout time.Duration // of an exchange
	key     string
	origin  uint64
	breaker *gobreaker.CircuitBreaker[struct{}]
	report  func(error) // nil: nobody listens

	queue  []*change
	flying bool
	idle   sync.Cond // nothing is being exchanged

	// base is what was last kept there, and value how it was written.
	base  *state
	value []byte
	// own are this process's requests under way.
	own map[uint64]sent
	// promised is how many it may send without a word.
	promised int
	// synced is when it last had a word; 0: never.
	synced moment
	// tried is when it was last about to tell that it is there.
	tried moment
	// used is when a request was last taken or settled.
	used   moment
	failed error
	gone   bool

	wake   chan struct{}
	closed chan struct{}
	ended  sync.WaitGroup
}

func newPeers(b *Budget, config Config) *peers {
	p := &peers{
		budget: b, shared: config.Shared, timeout: cmp.Or(config.SharedTimeout, 50*time.Millisecond), key: config.Key, origin: rand.Uint64() | 1,
		report: config.Report,
		base:   &state{}, own: map[uint64]sent{}, promised: 1,
		wake: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	p.idle.L = &b.mu
	p.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:       restFor,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresToRest },
		IsSuccessful:  func(err error) bool { return err == nil || errors.Is(err, errBusy) },
		OnStateChange: p.tell,
	})
	p.ended.Go(p.tend)
	return p
}

// tell reports that this process is alone, and when it is no more.
func (p *peers) tell(_ string, _, to gobreaker.State) {
	switch {
	case p.report == nil:
	case to == gobreaker.StateOpen:
		p.report(p.failed)
	case to == gobreaker.StateClosed:
		p.report(nil)
	}
}

// take asks for a request. The budget is unlocked meanwhile.
func (p *peers) take(ctx context.Context, now moment, q question) (sent, time.Duration) {
	q.origin, q.promised = p.origin, p.promised
	if wait := p.known(now, q); wait > 0 {
		return sent{}, wait
	}
	if p.used == 0 || now.since(p.used) > beatEvery {
		p.awake()
	}
	p.used = now
	c := &change{question: &q, done: make(chan struct{})}
	p.add(c)
	p.budget.mu.Unlock()
	<-c.done
	p.budget.mu.Lock()
	if c.wait == 0 && ctx.Err() != nil {
		p.settle(c.taken, (*state).returned)
		return sent{}, soon
	}
	return c.taken, c.wait
}

// known is the wait that was just told to somebody else.
func (p *peers) known(now moment, q question) time.Duration {
	if p.flying || p.synced == 0 || now.since(p.synced) > believed {
		return 0
	}
	s := p.budget.state
	s.roll(now)
	wait := s.waitFor(now, q, p.budget.rules)
	if wait <= 2*now.since(p.synced) {
		return 0
	}
	return wait
}

// settle makes a change that nobody waits for.
func (p *peers) settle(q sent, do func(*state, moment, sent)) {
	p.used = p.budget.clock.now()
	p.add(&change{do: do, settled: &q, done: make(chan struct{})})
}

func (p *peers) add(c *change) {
	p.queue = append(p.queue, c)
	if !p.flying {
		p.flying = true
		go p.fly()
	}
}
