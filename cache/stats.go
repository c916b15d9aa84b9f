package cache

import (
	"maps"
	"sync/atomic"
	"time"
)

// Stats are a cache's counters since it was made, and what it holds now.
type Stats struct {
	// Entries and Bytes are held by the near tier, what is too old included.
	Entries int
	Bytes   uint64
	// StoreErrors counts the calls that the far tier failed, and the values that could not be encoded for it or were left
	// out because it takes them too slowly.
	StoreErrors uint64
	// StoreFails tells that the far tier is not in use, or not all of it, because the Store fails.
	StoreFails bool
	// OwedBumps is in how many scopes the far tier is not in use because the Store may have missed a bump.
	OwedBumps int
	// Listens tells that other processes' bumps wait until this one has heard; else the near tier is not used without
	// asking the Store.
	Listens bool
	// UnheardBumps counts the bumps that waited for Options.NearFor, because nobody said that all had heard.
	UnheardBumps uint64
	// Views are the views' counters by name.
	Views map[string]ViewStats
}

// ViewStats count a view's reads by key. Hits, Stale and Waits make up all of them.
type ViewStats struct {
	// Hits were answered fresh, near.
	Hits uint64
	// Stale were answered stale, at once.
	Stale uint64
	// Waits had to wait: for the far tier, or for a load.
	Waits uint64
	// Far counts values found in the far tier.
	Far uint64
	// Loads counts what the upstream was asked, and Errors how often that failed.
	Loads, Errors uint64
}

// Stats reads all counters.
func (c *Cache) Stats() Stats {
	stats := Stats{Views: map[string]ViewStats{}}
	if c.near != nil {
		stats.Entries = c.near.items.EstimatedSize()
		stats.Bytes = c.near.items.WeightedSize()
	}
	if c.far != nil {
		stats.StoreErrors = c.far.errors.Load()
		stats.StoreFails = c.far.health.fails()
		stats.OwedBumps = c.far.owes()
		stats.Listens = c.far.belief.listens(time.Now())
		stats.UnheardBumps = c.far.unheard.Load()
	}
	c.mu.Lock()
	views := maps.Clone(c.views)
	c.mu.Unlock()
	for name, count := range views {
		stats.Views[name] = count.read()
	}
	return stats
}

type counters struct {
	hits, stale, waits, far, loads, errors atomic.Uint64
}

// counters makes those of a new view.
func (c *Cache) counters(view string) *counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.views[view] != nil {
		panic("cache: two views are named " + view)
	}
	c.views[view] = &counters{}
	return c.views[view]
}

func (n *counters) read() ViewStats {
	return ViewStats{
		Hits:   n.hits.Load(),
		Stale:  n.stale.Load(),
		Waits:  n.waits.Load(),
		Far:    n.far.Load(),
		Loads:  n.loads.Load(),
		Errors: n.errors.Load(),
	}
}
