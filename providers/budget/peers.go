package budget

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// callTimeout bounds how long what is shared is waited for.
	callTimeout = 50 * time.Millisecond
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
	key     string
	origin  uint64
	breaker *gobreaker.CircuitBreaker[struct{}]
	log     *slog.Logger

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
	away   time.Time // since when it is alone
	gone   bool

	wake   chan struct{}
	closed chan struct{}
	ended  sync.WaitGroup
}

// change is something to be made of the state.
type change struct {
	do func(*state, moment, sent)
	// question asks for a request; nil: the change is no such thing.
	question *question
	settled  *sent // the request that is under way no more
	leaves   bool
	taken    sent
	wait     time.Duration
	done     chan struct{}
}

func newPeers(b *Budget, config Config) *peers {
	p := &peers{
		budget: b, shared: config.Shared, key: config.Key, origin: rand.Uint64() | 1,
		log:  config.Log,
		base: &state{}, own: map[uint64]sent{}, promised: 1,
		wake: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	p.idle.L = &b.mu
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:       restFor,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresToRest },
		IsSuccessful:  func(err error) bool { return err == nil || errors.Is(err, errBusy) },
		OnStateChange: p.tell,
	})
	p.ended.Go(p.tend)
	return p
}

// tell says in the log when this process is alone, and when no more.
func (p *peers) tell(_ string, _, to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		if p.away.IsZero() {
			p.away = time.Now()
			p.log.Warn("the shared budget fails: this process goes on alone", "err", p.failed)
		}
	case gobreaker.StateClosed:
		p.log.Info("the shared budget works again", "after", time.Since(p.away).Round(time.Millisecond))
		p.away = time.Time{}
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

// fly makes what is waiting to be made, until nothing is.
func (p *peers) fly() {
	b := p.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(p.queue) > 0 {
		changes := p.queue
		p.queue = nil
		b.mu.Unlock()
		_, err := p.breaker.Execute(func() (none struct{}, err error) {
			err = p.exchange(changes)
			if err != nil && !errors.Is(err, errBusy) {
				p.failed = err
			}
			return none, err
		})
		b.mu.Lock()
		switch {
		case errors.Is(err, errBusy):
			p.postpone(changes)
		case err != nil:
			p.makeAlone(changes)
		}
		for _, c := range changes {
			close(c.done)
		}
	}
	p.flying = false
	p.idle.Broadcast()
}

// errBusy says that others were always quicker.
var errBusy = errors.New("what is shared is changed too often")

// exchange makes the changes in what is shared.
func (p *peers) exchange(changes []*change) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	for rounds := 0; ; rounds++ {
		draft, known := p.draft(changes)
		value := p.write(draft)
		began := time.Now()
		present, err := p.shared.Swap(ctx, p.key, known, value)
		switch {
		case err != nil && rounds > 2 && ctx.Err() != nil:
			return errBusy
		case err != nil:
			return err
		}
		p.budget.mu.Lock()
		if present.Swapped {
			p.setClock(present.Now, began)
			p.commit(draft, value, changes)
			p.budget.mu.Unlock()
			return nil
		}
		p.meet(present, began)
		p.budget.mu.Unlock()
	}
}

// draft is what is to be kept next.
func (p *peers) draft(changes []*change) (*state, Known) {
	b := p.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.now()
	s := p.base.clone()
	if alone := b.state.alone; alone != nil {
		s.rejoin(b.state, p.origin)
		if now > alone.quiet {
			s.distrust(max(now, s.gather))
		}
	}
	s.join(now, p.origin)
	s.keep(p.origin, p.own)
	p.apply(s, now, changes)
	s.written = now
	s.writes++
	if m := s.join(now, p.origin); now >= s.gather {
		m.among = len(s.members)
		m.may = s.mayOf(now, p.origin, b.rules)
	} else {
		m.may = p.promised
	}
	// Were the answer lost, the others would leave no more than this.
	p.promised = min(p.promised, s.join(now, p.origin).may)
	if p.gone || slices.ContainsFunc(changes, func(c *change) bool { return c.leaves }) {
		s.leave(now, p.origin)
	}
	return s, Known{Value: p.value, Server: s.server, Now: now.time()}
}

// apply makes the changes, and notes in each what came of it.
func (p *peers) apply(s *state, now moment, changes []*change) {
	promised := p.promised
	for _, c := range changes {
		if c.question == nil {
			if c.settled != nil {
				c.do(s, now, p.current(*c.settled))
			}
			continue
		}
		q := *c.question
		q.promised = promised
		if c.wait = s.take(now, q, p.budget.rules); c.wait == 0 {
			c.taken = q.sent(now)
			promised--
		}
	}
}

// current is the request by the clock that is in use now.
func (p *peers) current(q sent) sent {
	if known, ok := p.own[q.id]; ok {
		return known
	}
	return q
}

// write writes a state down, beginning with a stamp that no other has.
func (p *peers) write(s *state) []byte {
	stamp := make([]byte, 0, stampLength)
	stamp = binary.LittleEndian.AppendUint64(stamp, rand.Uint64())
	stamp = binary.LittleEndian.AppendUint64(stamp, rand.Uint64()|1)
	return append(stamp, encode(p.key, s)...)
}

// commit notes that the draft is kept.
func (p *peers) commit(draft *state, value []byte, changes []*change) {
	p.base, p.value = draft, value
	p.budget.state = draft.clone()
	p.synced = draft.written
	p.note(changes)
	switch at := slices.IndexFunc(draft.members, func(m member) bool { return m.origin == p.origin }); {
	case at < 0:
		p.promised = 1 // as for any newcomer
	case draft.written >= draft.gather:
		p.promised = draft.members[at].may
	default:
		p.spend(changes)
	}
}

// setClock learns the time of what is shared, and returns by how much it was wrong.
func (p *peers) setClock(then, began time.Time) time.Duration {
	clock := &p.budget.clock
	got := clock.now()
	return clock.set(then, got.add(-time.Since(began)), got)
}

// note brings the requests under way up to date.
func (p *peers) note(changes []*change) {
	for _, c := range changes {
		if c.question != nil && c.wait == 0 {
			p.own[c.taken.id] = c.taken
		}
		if c.settled != nil {
			delete(p.own, c.settled.id)
		}
	}
}

// spend counts the requests that were taken without a word.
func (p *peers) spend(changes []*change) {
	for _, c := range changes {
		if c.question != nil && c.wait == 0 {
			p.promised--
		}
	}
}

// meet learns what is kept there, which is not what this process knew.
func (p *peers) meet(present Present, began time.Time) {
	b := p.budget
	jump := p.setClock(present.Now, began)
	now := b.clock.now()
	jumped := p.base.server != "" && jump.Abs() > ClockSlack
	found := p.read(present.Value)
	if jumped && present.Server != p.base.server {
		p.shift(jump, found)
	}
	switch {
	case found == nil || found.server != present.Server,
		found.lineage == p.base.lineage && found.writes < p.base.writes:
		found = p.recover(now, found, present.Server)
	case p.base.lineage != 0 && found.lineage != p.base.lineage:
		found.restore(b.state) // somebody else made it anew, and knew less
	}
	if jumped {
		found.distrust(max(now, found.gather))
	}
	p.base, p.value = found, present.Value
	if b.state.alone == nil {
		b.state = found.clone()
	}
}

// shift makes all that this process knows agree with the clock of another server, and what that one has from the server
// before.
func (p *peers) shift(by time.Duration, found *state) {
	p.budget.state.shift(by)
	p.synced = p.synced.add(by)
	for id, q := range p.own {
		q.taken = q.taken.add(by)
		p.own[id] = q
	}
	if found != nil && found.server == p.base.server {
		found.shift(by)
	}
}

// recover makes a new state out of what is left of one that was lost, and of what this process remembers.
func (p *peers) recover(now moment, found *state, server string) *state {
	if found == nil {
		found = &state{}
	}
	found.restore(p.budget.state)
	found.server, found.lineage = server, rand.Uint64()|1
	found.gather = now.add(gatherFor)
	found.distrust(found.gather)
	return found
}

func (p *peers) read(value []byte) *state {
	if len(value) < stampLength {
		return nil
	}
	s, err := decode(p.key, value[stampLength:])
	if err != nil {
		return nil
	}
	return s
}

// makeAlone makes the changes in this process alone.
func (p *peers) makeAlone(changes []*change) {
	b := p.budget
	now := b.clock.now()
	if b.state.alone == nil {
		b.state.alone = p.begin(now)
		for i := range b.state.windows {
			b.state.windows[i].parted = false
		}
	}
	b.state.join(now, p.origin)
	b.state.keep(p.origin, p.own)
	p.apply(b.state, now, changes)
	p.note(changes)
	p.spend(changes)
}

// begin is how this process begins to be alone.
func (p *peers) begin(now moment) *alone {
	if p.synced == 0 {
		return &alone{since: now.add(-longestWait), quiet: now, among: strangers}
	}
	among := max(len(p.base.members), fewestMembers)
	return &alone{since: p.synced, quiet: p.synced.add(quietFor), among: among}
}

// postpone leaves changes for the next time, but for those that somebody waits for: they may ask again.
func (p *peers) postpone(changes []*change) {
	for _, c := range changes {
		if c.question != nil {
			c.wait = soon
			continue
		}
		again := *c
		again.done = make(chan struct{})
		p.queue = append([]*change{&again}, p.queue...)
	}
}
