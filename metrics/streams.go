package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"regtok/graph/transport"
)

var (
	sockets   = describe("sockets_open", "WebSockets that are open, of callers who were admitted.")
	strangers = describe("sockets_strangers", "WebSockets that are open, of callers who were not admitted yet.")
	streams   = describe("streams_open", "Subscriptions that are open, by what carries them.", "transport")
	delivered = describe("stream_events_total", "Events handed to subscribers: live, replayed (told before the stream began), or gap (that some are missing).", "kind")
	slow      = describe("streams_dropped_total", "Subscriptions that were cut because their callers did not read.")
)

// streamLag are the bounds of what a step may take from its time to a caller, in seconds.
var streamLag = []float64{.01, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300}

func newStreamLag() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "regtok_stream_lag_seconds",
		Help: "How late events were handed to subscribers who were there, after the time that each was due.", Buckets: streamLag})
}

// Delivered is told of an event that was handed to a subscriber. It fits transport.StreamConfig.Observe.
func (m *Metrics) Delivered(lag time.Duration, replayed bool) {
	if !replayed {
		m.lag.Observe(lag.Seconds())
	}
}

func tellStreams(tell gauge, count func(d *prometheus.Desc, value uint64, labels ...string), s transport.StreamStats) {
	tell(sockets, float64(s.Sockets))
	tell(strangers, float64(s.Strangers))
	tell(streams, float64(s.WebSocket), "websocket")
	tell(streams, float64(s.SSE), "sse")
	count(delivered, s.Live, "live")
	count(delivered, s.Replayed, "replayed")
	count(delivered, s.Gaps, "gap")
	count(slow, s.Slow)
}
