package budget

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

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
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
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
