package budget

import (
	"math/rand/v2"
	"time"
)

// meet learns what is kept there, which is not what this process knew.
func (p *peers) meet(present Present, began time.Time) {
	b := p.budget
	jump := p.setClock(present.Now, began)
	now := b.clock.now()
	met, same := p.base.server != "", present.Server == p.base.server
	jumped := jump.Abs() > ClockSlack
	found := p.read(present.Value)
	if jumped {
		// A clock that is further than it was may be that of a process which was stopped for a while, with its requests.
		p.shift(jump, same && jump > 0)
		if found != nil && met && dated(found, p.base.server, now, jump, same) {
			found.shift(jump)
		}
	}
	if found != nil {
		found.bound(now)
	}
	switch {
	case found == nil || found.server != present.Server,
		found.lineage == p.base.lineage && found.writes < p.base.writes:
		found = p.recover(now, found, present.Server)
	case p.base.lineage != 0 && found.lineage != p.base.lineage:
		found.restore(b.state) // somebody else made it anew, and knew less
	}
	if jumped && met {
		found.distrust(max(now, found.gather))
	}
	p.base, p.value = found, present.Value
	if b.state.alone == nil {
		b.state = found.clone()
	}
}

// dated tells whether what is kept there was written by the clock of before a jump: on the server before, or set since.
func dated(found *state, server string, now moment, jump time.Duration, same bool) bool {
	if !same {
		return found.server == server
	}
	return jump > 0 && found.written.add(jump) <= now.add(clocksApart)
}

// shift makes all that this process knows agree with a clock that is that much further.
func (p *peers) shift(by time.Duration, stopped bool) {
	b := p.budget
	b.state.shift(by)
	for i := range b.waiting {
		b.waiting[i].back.shift(by)
	}
	for _, m := range []*moment{&p.synced, &p.tried, &p.used} {
		m.shift(by)
	}
	if stopped {
		return
	}
	for id, q := range p.own {
		q.taken.shift(by)
		p.own[id] = q
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
