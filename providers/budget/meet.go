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
