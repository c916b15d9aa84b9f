package catalog

import (
	"context"
	"errors"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// SweepStatus is how far this process's sweep of an account is.
type SweepStatus struct {
	Account *Account
	// Term is of the office that this process holds for the account; 0: another process does, or none, and the rest is
	// zero.
	Term uint64
	// Registries are known, and of Read of them the tokens were read.
	Registries, Read int
	// Oldest is when the oldest of what is kept was observed; zero: nothing is.
	Oldest time.Time
	// Requests were sent in this term.
	Requests int
}

// Swept tells how far the sweeps are, in the order of the accounts.
func (c *Catalog) Swept() []SweepStatus {
	all := make([]SweepStatus, len(c.all()))
	for i := range all {
		sweeper := c.sweep.at(i)
		all[i] = sweeper.standing()
		all[i].Account = sweeper.account
	}
	return all
}

func (s *sweeper) standing() SweepStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *sweeper) told(status SweepStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

const (
	// A first fill tells of itself once a tenth of it is done, or tellAfter has passed, but no sooner than tellLeast.
	tellAfter = 5 * time.Minute
	tellTimes = 10
	tellLeast = 5 * time.Second
	// heldUp is after how many failures in a row the log tells.
	heldUp = 3
)

// progress is what a sweep tells of itself.
type progress struct {
	requests  int
	began     time.Time
	before    int  // requests until then
	first     bool // the inventory is being filled
	toldAt    time.Time
	toldTenth int
}

// begin tells where the sweep begins.
func (w *walk) begin(term uint64) {
	now := time.Now()
	w.progress = progress{began: now, first: w.filling(), toldAt: now}
	status := w.status(term)
	w.toldTenth = tenths(status)
	w.told(status)
	w.log.Info("sweeping", "term", term, "registries", status.Registries, "read", status.Read)
}

// refill tells that what was kept is to be read again.
func (w *walk) refill() {
	if w.first {
		return
	}
	now := time.Now()
	w.began, w.before, w.first, w.toldAt, w.toldTenth = now, w.requests, true, now, tenths(w.status(0))
	w.log.Info("the inventory is to be read again: Redis has forgotten it", "lists", w.missing())
}

// report tells how the first fill goes, and when it is done.
func (w *walk) report(term uint64) {
	status, now := w.status(term), time.Now()
	w.told(status)
	switch {
	case !w.first:
	case !w.filling():
		w.first = false
		w.log.Info("the inventory is complete", "registries", status.Registries, "unreadable", status.Registries-status.Read,
			"took", now.Sub(w.began).Round(time.Millisecond), "pages", w.requests-w.before)
	case now.Sub(w.toldAt) < tellLeast:
	case tenths(status) > w.toldTenth, now.Sub(w.toldAt) >= tellAfter:
		w.toldTenth, w.toldAt = tenths(status), now
		gap, _ := w.c.sweep.gap(w.account)
		w.log.Info("the inventory is being read", "registries", status.Registries, "read", status.Read,
			"left", (time.Duration(status.Registries-status.Read) * gap).Round(time.Second))
	}
}

func tenths(s SweepStatus) int { return s.Read * tellTimes / max(s.Registries, 1) }

func (w *walk) status(term uint64) SweepStatus {
	status := SweepStatus{Term: term, Requests: w.requests}
	for id, s := range w.stations {
		if id.Kind != providers.RegistryKind {
			continue
		}
		status.Registries++
		if s.seen.IsZero() || s.lost {
			continue
		}
		status.Read++
		if status.Oldest.IsZero() || s.seen.Before(status.Oldest) {
			status.Oldest = s.seen
		}
	}
	return status
}

// complain tells of a failure. What a provider did is told where it is met; here only that it holds up the sweep.
func (w *walk) complain(err error) {
	switch {
	case w.ctx.Err() != nil || errors.Is(err, cache.ErrClosed) || errors.Is(err, context.Canceled):
	case !explained(err) && w.failures == 1:
		w.log.Error("a source failed", "err", err, "message", OwnMessage(err))
	case w.failures == heldUp:
		w.log.Warn("the sweep is held up", "kind", providers.KindOf(err))
	}
}

func (w *walk) succeeded() {
	if w.failures >= heldUp {
		w.log.Info("the sweep goes on")
	}
	w.failures = 0
}
