package catalog

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// officeLife is how long an account is left to the process that sweeps it, and officeLook how often that is prolonged,
	// or asked for by the others: when it dies another goes on before 15 s are over.
	officeLife = 10 * time.Second
	officeLook = 3 * time.Second
	// tellEvery is how often lists are read that nobody but Options.Tell wants. A token is found in time for its last hour.
	tellEvery = 5 * time.Minute
)

// Sweep keeps the inventory fresh, within a share of what providers allow, until ctx ends; nothing of it runs after it
// returned. Call it once in each process: of all that share a ledger, one at a time sweeps an account. While the ledger
// cannot be reached none does. Without Options.SweepShare it returns at once.
func (c *Catalog) Sweep(ctx context.Context) {
	if c.sweep.share <= 0 {
		return
	}
	var sweeping sync.WaitGroup
	defer sweeping.Wait()
	for place := range c.all() {
		sweeping.Go(func() { c.sweep.attend(ctx, place) })
	}
}

// sweep is what the sweepers of all accounts have in common.
type sweep struct {
	share float64 // of an account's allowance; 0: nobody sweeps
	tells bool    // it reads for Options.Tell alone
	every time.Duration

	mu sync.Mutex
	of []*sweeper // by the places of their accounts
}

func newSweep(c *Catalog, o Options) *sweep {
	s := &sweep{share: min(o.SweepShare, mostShare), tells: o.SweepToTell, every: o.SweepEvery}
	switch {
	case s.every > 0:
	case s.tells:
		s.every = tellEvery
	default:
		s.every = time.Minute
	}
	for _, a := range c.all() {
		s.of = append(s.of, newSweeper(c, a))
	}
	return s
}

func newSweeper(c *Catalog, a *Account) *sweeper {
	return &sweeper{c: c, account: a, log: c.log.With("provider", a.Driver.Name, "account", a.Name), replaced: make(chan struct{})}
}

// at is who sweeps the account at a place.
func (s *sweep) at(place int) *sweeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[place]
}

// replace ends who sweeps the account at a place. Another begins for its successor.
func (s *sweep) replace(place int, by *sweeper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.of[place].replaced)
	s.of[place] = by
}

// attend sweeps the account at a place, and those that take it.
func (s *sweep) attend(ctx context.Context, place int) {
	for ctx.Err() == nil {
		sweeper := s.at(place)
		within, end := context.WithCancel(ctx)
		var sweeping sync.WaitGroup
		sweeping.Go(func() { sweeper.run(within) })
		select {
		case <-ctx.Done():
		case <-sweeper.replaced:
		}
		end()
		sweeping.Wait()
	}
}

// sweeper sweeps one account, whenever this process holds the office for it.
type sweeper struct {
	c       *Catalog
	account *Account
	log     *slog.Logger
	until   atomic.Int64 // when the office ends unless it is prolonged, in Unix nanoseconds
	unheard bool         // the ledger did not answer; of the goroutine that asks it

	replaced chan struct{} // closed when another account takes the place

	mu     sync.Mutex
	status SweepStatus
}

// run sweeps in one term of office after another, and looks for the next while another process holds it.
func (s *sweeper) run(ctx context.Context) {
	paused(ctx, rand.N(officeLook)) // accounts and replicas do not tick together
	for ctx.Err() == nil {
		if term, mine := s.lead(ctx); mine {
			s.serve(ctx, term)
		}
		paused(ctx, officeLook)
	}
}

// lead takes the office, or prolongs it.
func (s *sweeper) lead(ctx context.Context) (term uint64, mine bool) {
	asked := time.Now()
	term, mine, err := s.c.ledger.Lead(ctx, s.office(), officeLife)
	if err != nil {
		if ctx.Err() == nil {
			s.unheard = true
			s.c.report(s.part(), err)
		}
		return 0, false
	}
	s.unheard = false
	s.c.report(s.part(), nil)
	if mine {
		s.until.Store(asked.Add(officeLife).UnixNano())
	}
	return term, mine
}

// part is what this sweep is to who hears that nobody can say whose it is.
func (s *sweeper) part() string {
	return "the sweep of " + s.account.Driver.Name + "/" + s.account.Name
}

// office names the account among all that the replicas sweep.
func (s *sweeper) office() string { return "sweep " + s.account.tenant() }

// holds tells whether the office is this process's for longer. A process that was paused may have lost it.
func (s *sweeper) holds() bool { return time.Now().UnixNano() < s.until.Load() }

// serve sweeps for as long as the office is held in that term.
func (s *sweeper) serve(ctx context.Context, term uint64) {
	held, lose := context.WithCancel(ctx)
	defer lose()
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		defer lose()
		if err := survived(func() error { s.sweep(held, term); return nil }); err != nil {
			s.log.Error("the sweep panicked; it begins anew", "err", err)
		}
	})
	for paused(held, min(officeLook, time.Until(time.Unix(0, s.until.Load())))) {
		again, mine := s.lead(held)
		if mine && again != term || !mine && (!s.unheard || !s.holds()) {
			break
		}
	}
	lose()
	sweeping.Wait()
	s.told(SweepStatus{})
	s.resign(ctx, term)
	s.log.Info("no longer sweeping", "term", term)
}

// resign lets another process go on at once. One that cannot be told of it waits for the office to end.
func (s *sweeper) resign(ctx context.Context, term uint64) {
	_ = s.c.aside(ctx, func(ctx context.Context) error { return s.c.ledger.Resign(ctx, s.office(), term) })
}

// paused waits; false: ctx has ended.
func paused(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
