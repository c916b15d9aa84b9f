package soak

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/time/rate"

	"regtok/providers"
	"regtok/providers/all"
)

// Clients at the same time. A reader waits for a provider at times, and a writer for its turn.
const (
	readers = 16
	writers = 3
)

// load starts the clients.
func (w *world) load(ctx context.Context, load *sync.WaitGroup) {
	c := newClient(w.replicas)
	w.t.Cleanup(c.http.CloseIdleConnections)
	pace := rate.NewLimiter(rate.Limit(w.plan.Reads), 1)
	for range readers {
		r := &reader{pace: pace, client: c, pool: w.pool, history: w.history, figures: w.figures}
		load.Go(func() { r.run(ctx) })
	}
	for _, driver := range all.Drivers() {
		pace := rate.NewLimiter(rate.Limit(w.plan.Writes[driver.Name]/60), 4) // one of each act before anything is killed
		one := &writer{
			account: driver.Name, renames: renames(driver), most: 4 * w.plan.Hot,
			pace: pace, client: c, pool: w.pool, history: w.history, figures: w.figures,
		}
		for range writers {
			load.Go(func() { one.run(ctx) })
		}
	}
}

func renames(driver providers.Driver) bool {
	return slices.Contains(driver.Capabilities.PatchFields, providers.FieldName)
}
