// Package catalog makes one of all providers: it routes by id, reads through the cache with the fewest requests,
// and answers in parts when a source is missing. All its methods are safe for concurrent use; all values that
// they return are shared and must not be changed.
package catalog

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"regtok/activity"
	"regtok/cache"
	"regtok/expiry"
	"regtok/ledger"
	"regtok/providers"
)

// Options are what a Catalog is made of.
type Options struct {
	// Drivers are the providers that can be configured; Accounts those that are, in the order of their owner's choice.
	Drivers  []providers.Driver
	Accounts []*Account
	Cache    *cache.Cache
	Policy   Policy
	// LoadTimeout bounds one read of a provider, retries included. 0: 15 s. Half of what an operation may take is right:
	// then a silent provider leaves the others time for what the operation asks of them next.
	LoadTimeout time.Duration
	// WriteTimeout bounds one write, retries and what is read for it included; a write is not begun when an operation
	// has less time left. 0: as LoadTimeout. At most half of ledger.LockLease, so that no lock is lost under a write.
	WriteTimeout time.Duration
	// SweepShare is the part of each account's allowance that Sweep may spend: 0.4. Lists over several registries then lean
	// on it, in every process: all that share a Store have to have the same, and to call Sweep. 0: nobody sweeps, as has
	// to be where nothing is cached.
	SweepShare float64
	// SweepEvery is how often a sweep reads each registry's tokens where the allowance has room for that. 0: a minute,
	// or five with SweepToTell.
	SweepEvery time.Duration
	// SweepToTell lets the sweep read for Tell alone: no list leans on it, and so nothing has to be cached.
	SweepToTell bool
	// Tell hears of each list of tokens that this process learns of, and of what it writes. It is called by many
	// goroutines, and must not wait. Nil: nobody listens.
	Tell func(expiry.List)
	// Trail hears of each list of tokens, too, and of what is done to tokens, by whom. Nil: nobody listens.
	Trail *activity.Trail
	// Ledger is where promises are remembered. Nil: in this process.
	Ledger ledger.Ledger
	// Report hears what cannot be done for want of the ledger, and why, again and again while it cannot, and with nil when
	// it can; nil: nobody. It is called by many goroutines, and must not wait.
	Report func(part string, err error)
	// Log gets the faults of this server that only make a list partial; nil: nobody. Faults of providers are logged
	// where they are met.
	Log *slog.Logger
}

// Catalog is all providers as one.
type Catalog struct {
	drivers  []providers.Driver
	accounts atomic.Pointer[[]*Account] // see Renew
	policy   Policy
	cache    *cache.Cache
	log      *slog.Logger
	report   func(part string, err error)
	views    views
	singles  singleReads
	ledger   ledger.Ledger
	sweep    *sweep
	heard    func(expiry.List) // nil: nobody listens
	trail    *activity.Trail   // nil: there is none

	writeTimeout time.Duration
	scheduled    chan struct{} // wakes who keeps the schedule
	learnt       sync.Map      // accounts and organizations (at) whose list was read once: see names.go
}

// New makes a catalog. It sends no request.
func New(o Options) *Catalog {
	if o.LoadTimeout == 0 {
		o.LoadTimeout = 15 * time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = o.LoadTimeout
	}
	o.WriteTimeout = min(o.WriteTimeout, ledger.LockLease/2)
	if o.Ledger == nil {
		o.Ledger = ledger.NewMemory()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Report == nil {
		o.Report = func(string, error) {}
	}
	c := &Catalog{
		drivers: o.Drivers, policy: o.Policy, cache: o.Cache, log: o.Log, report: o.Report,
		ledger: o.Ledger, heard: o.Tell, trail: o.Trail, writeTimeout: o.WriteTimeout, scheduled: make(chan struct{}, 1),
	}
	c.accounts.Store(&o.Accounts)
	c.views = newViews(c, o.LoadTimeout)
	c.sweep = newSweep(c, o)
	return c
}

// Policy is what makes tokens due.
func (c *Catalog) Policy() Policy { return c.policy }
