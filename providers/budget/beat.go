package budget

import "time"

const (
	// beatEvery is how often a process tells that it is there, while it uses the account.
	beatEvery = 2 * time.Second
	// beatBusy is how often while it has requests under way, so that they are known where what is shared was lost.
	beatBusy = 200 * time.Millisecond
	// leaveAfter is how long it uses nothing until it leaves.
	leaveAfter = 2 * time.Minute
)

// tend tells the others of this process until it is closed.
func (p *peers) tend() {
	timer := time.NewTimer(leaveAfter)
	defer timer.Stop()
	for {
		select {
		case <-p.closed:
			return
		case <-p.wake:
		case <-timer.C:
		}
		next := p.beat()
		if next == 0 {
			timer.Stop()
			continue
		}
		timer.Reset(next)
	}
}

// beat tells what is due, and returns when to do so again; 0: when the account is used again.
func (p *peers) beat() time.Duration {
	b := p.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.now()
	every := beatEvery
	switch {
	case p.used == 0:
		return 0
	case now.since(p.used) > leaveAfter && len(p.own) == 0:
		p.add(&change{leaves: true, done: make(chan struct{})})
		return 0
	case b.state.alone != nil:
		every = restFor
	case len(p.own) > 0:
		every = beatBusy
	}
	due := max(p.synced, p.tried).add(every).since(now)
	if due > 0 {
		return min(due, beatBusy*2)
	}
	p.tried = now
	p.add(&change{done: make(chan struct{})})
	return beatBusy
}

func (p *peers) awake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// close leaves, and waits until all is told.
func (p *peers) close() {
	close(p.closed)
	p.ended.Wait()
	b := p.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	p.gone = true
	if p.synced != 0 {
		p.add(&change{leaves: true, done: make(chan struct{})})
	}
	for p.flying {
		p.idle.Wait()
	}
}
