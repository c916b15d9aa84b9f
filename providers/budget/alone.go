package budget

import (
	"time"

	"regtok/providers"
)

// alone is how a process goes on that cannot reach what it shares. It begins with what it was promised, one request at a
// time, until the others have noticed. Then each has its part.
type alone struct {
	// since is when it last heard of the others, and quiet until when it has only what was promised.
	since, quiet moment
	// among is how many share.
	among int
}

const (
	// quietFor is how long after the last word nobody takes a part: the others need missingAfter to notice, from a word
	// on whose answer may have been lost, and what they sent before has to arrive.
	quietFor = missingAfter + 3*time.Second
	// strangers is how many processes share a budget, for one that has not met them yet.
	strangers = 4
	// retryAlone is how soon what cannot be done alone may be possible again.
	retryAlone = time.Second
)

// waitAlone is how long a request waits because this process is alone.
func (s *state) waitAlone(now moment, q question) time.Duration {
	if q.Priority == providers.Sweeping {
		return retryAlone // who is the sweeper now, the others know
	}
	wait := time.Duration(0)
	for i := range s.sent {
		switch own := &s.sent[i]; {
		case own.origin != q.origin:
		case own.underWay():
			wait = max(wait, soon)
		case own.taken >= s.alone.since:
			wait = max(wait, own.until.since(now)) // the others leave room for one whose answer was not heard
		}
	}
	if wait > 0 {
		return wait
	}
	if now < s.alone.quiet && q.promised <= 0 {
		return s.alone.quiet.since(now)
	}
	return 0
}

// waitPart is how long a request waits for a part of a window.
func (s *state) waitPart(now moment, w *window, q question) time.Duration {
	switch {
	case now < s.alone.quiet, w.over:
		return 0
	case !w.parted && q.promised > 0:
		return 0 // its answer will tell how much there is to share
	case w.parted && w.part > min(spared(q, w.limit), 1):
		return 0
	}
	return max(w.to.since(now), soon)
}

// part makes out this process's part of a window by what was just told of it.
func (s *state) part(w *window, q sent) {
	if s.alone == nil || q.taken < s.alone.quiet {
		return
	}
	part := (w.limit-w.used)/s.alone.among - 1
	if w.parted {
		part = min(part, w.part)
	}
	w.part, w.parted = part, true
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
