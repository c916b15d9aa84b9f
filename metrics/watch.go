package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"regtok/activity"
	"regtok/cache"
	"regtok/catalog"
	"regtok/expiry"
	"regtok/graph/transport"
	"regtok/providers"
)

// Sources are what is asked each time that Prometheus asks. Their functions have to be quick, and safe for concurrent use.
type Sources struct {
	Cache func() cache.Stats
	// Shared tells that there is a Redis behind the cache.
	Shared bool
	// Redis tells whether nothing is without it; nil: there is none.
	Redis func() bool
	// Accounts are those that there are now; nil: none.
	Accounts func() []*catalog.Account
	// Swept tells how far the sweeps are; nil: there are none.
	Swept func() []catalog.SweepStatus
	// Events tells how tokens' ends are watched; nil: they are not.
	Events func() expiry.Figures
	// Activity tells of the trail of what happens to tokens; nil: there is none.
	Activity func() activity.Figures
	// Streams tells of subscriptions; nil: there are none.
	Streams func() transport.StreamStats
}

// Watch asks the sources from now on. It is called once.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(watch{s}) }

// watch is a prometheus.Collector of what others count.
type watch struct{ Sources }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("regtok_"+name, help, labels, nil)
}

var (
	entries = describe("cache_entries", "Entries in this process's memory.")
	size    = describe("cache_bytes", "Bytes that they take.")
	reads   = describe("cache_reads_total", "Reads by view and result: hit (fresh), stale (at once, though old) or wait (for Redis or a provider).", "view", "result")
	farHits = describe("cache_shared_hits_total", "Values found in Redis, by view.", "view")
	loads   = describe("cache_loads_total", "Loads from providers, by view.", "view")
	failed  = describe("cache_load_errors_total", "Loads that failed, by view.", "view")

	redisUp      = describe("redis_up", "0 while any part of this process is without Redis: its log says why.")
	sharedUp     = describe("shared_cache_up", "1 when the shared cache in Redis works, 0 when this process goes on with its own.")
	sharedErrors = describe("shared_cache_errors_total", "Calls of the shared cache that failed.")
	sharedOwed   = describe("shared_cache_owed_scopes", "Scopes whose end Redis could not be told yet.")

	healthy   = describe("account_healthy", "0 after a failure of the provider or the credential, until the next success.", "provider", "account")
	succeeded = describe("account_last_success_timestamp_seconds", "When the provider last answered well.", "provider", "account")
	limit     = describe("budget_limit_requests", "Requests that a provider allows in a window, by scope; of several of one scope, the one with the least left.", "provider", "account", "scope")
	remaining = describe("budget_remaining_requests", "Requests that are left of that.", "provider", "account", "scope")

	sweeper    = describe("sweep_leader", "1 when this process sweeps the account.", "provider", "account")
	registries = describe("sweep_registries", "Registries that the sweep knows; only the process that sweeps tells.", "provider", "account")
	read       = describe("sweep_registries_read", "Those of which the tokens were read.", "provider", "account")
	oldest     = describe("sweep_oldest_timestamp_seconds", "When the oldest of what the sweep keeps was read.", "provider", "account")
)

// Describe implements prometheus.Collector.
func (watch) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{entries, size, reads, farHits, loads, failed, redisUp, sharedUp, sharedErrors, sharedOwed,
		healthy, succeeded, limit, remaining, sweeper, registries, read, oldest, sockets, strangers, streams, delivered, slow} {
		descriptions <- d
	}
	describeEvents(descriptions)
	describeActivity(descriptions)
}

// Collect implements prometheus.Collector.
func (w watch) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	count := func(d *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	stats := w.Cache()
	gauge(entries, float64(stats.Entries))
	gauge(size, float64(stats.Bytes))
	for view, n := range stats.Views {
		count(reads, n.Hits, view, "hit")
		count(reads, n.Stale, view, "stale")
		count(reads, n.Waits, view, "wait")
		count(farHits, n.Far, view)
		count(loads, n.Loads, view)
		count(failed, n.Errors, view)
	}
	if w.Redis != nil {
		gauge(redisUp, claim(w.Redis()))
	}
	if w.Shared {
		gauge(sharedUp, claim(!stats.StoreFails))
		count(sharedErrors, stats.StoreErrors)
		gauge(sharedOwed, float64(stats.OwedBumps))
	}
	if w.Accounts != nil {
		tellAccounts(gauge, w.Accounts())
	}
	if w.Swept != nil {
		for _, status := range w.Swept() {
			tellSweep(gauge, status)
		}
	}
	if w.Events != nil {
		tellEvents(gauge, count, w.Events())
	}
	if w.Activity != nil {
		tellActivity(gauge, count, w.Activity())
	}
	if w.Streams != nil {
		tellStreams(gauge, count, w.Streams())
	}
}

type gauge func(d *prometheus.Desc, value float64, labels ...string)

func tellAccounts(tell gauge, accounts []*catalog.Account) {
	for _, account := range accounts {
		if account.Health != nil {
			tellHealth(tell, account)
		}
	}
}

func tellHealth(tell gauge, account *catalog.Account) {
	health, provider := account.Health(), account.Driver.Name
	tell(healthy, claim(health.Healthy), provider, account.Name)
	if !health.LastSuccess.IsZero() {
		tell(succeeded, seconds(health.LastSuccess), provider, account.Name)
	}
	for scope, budget := range scarcest(health.Budgets) {
		tell(limit, float64(budget.Limit), provider, account.Name, scope)
		tell(remaining, float64(budget.Remaining), provider, account.Name, scope)
	}
}

func tellSweep(tell gauge, status catalog.SweepStatus) {
	provider, name := status.Account.Driver.Name, status.Account.Name
	tell(sweeper, claim(status.Term > 0), provider, name)
	if status.Term == 0 {
		return // another process knows
	}
	tell(registries, float64(status.Registries), provider, name)
	tell(read, float64(status.Read), provider, name)
	if !status.Oldest.IsZero() {
		tell(oldest, seconds(status.Oldest), provider, name)
	}
}

// scarcest is one budget of each scope: organizations are many, and as labels too many.
func scarcest(budgets []providers.Budget) map[string]providers.Budget {
	found := map[string]providers.Budget{}
	for _, b := range budgets {
		if least, ok := found[b.Scope]; !ok || b.Remaining < least.Remaining {
			found[b.Scope] = b
		}
	}
	return found
}

func claim(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / float64(time.Second) }
