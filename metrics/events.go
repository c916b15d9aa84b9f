package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"regtok/expiry"
)

var (
	watched     = describe("expiry_watched_tokens", "Tokens that are enabled and due one day, about.")
	told        = describe("expiry_events_total", "Events that this process told first, by kind.", "kind")
	unconfirmed = describe("expiry_unconfirmed_events_total", "Those of them that were told although the provider could not be asked.")
	lag         = describe("expiry_lag_seconds", "How much later than due this process told its last event.")
	looks       = describe("expiry_looks_total", "Looks at registries because a step was near and the last reading old, by result: ok or error.", "result")
	waiting     = describe("expiry_waiting_registries", "Registries with something to be worked on.")
	dropped     = describe("expiry_dropped_lists_total", "Lists of tokens that there was no room for. The next ones make up for them.")
	expiryUp    = describe("expiry_up", "0 while what is remembered of tokens' ends cannot be reached, so that nothing is told.")
	faults      = describe("expiry_faults_total", "Failures of the watcher that must not be.")
)

// kinds are those of events, so that each is told from the start.
var kinds = [...]expiry.Kind{expiry.Threshold, expiry.Expired, expiry.Extended, expiry.Withdrawn}

func describeEvents(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{watched, told, unconfirmed, lag, looks, waiting, dropped, expiryUp, faults} {
		descriptions <- d
	}
}

type count func(d *prometheus.Desc, value uint64, labels ...string)

func tellEvents(tell gauge, count count, f expiry.Figures) {
	if f.Watched >= 0 {
		tell(watched, float64(f.Watched))
	}
	for _, kind := range kinds {
		count(told, f.Told[kind], string(kind))
	}
	count(unconfirmed, f.Unconfirmed)
	tell(lag, f.Lag.Seconds())
	count(looks, f.Looks-f.LookErrors, "ok")
	count(looks, f.LookErrors, "error")
	tell(waiting, float64(f.Waiting))
	count(dropped, f.Dropped)
	tell(expiryUp, claim(!f.Fails))
	count(faults, f.Faults)
}
