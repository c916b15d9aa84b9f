// Package metrics tells Prometheus what the other rooms count. It alone knows that library: the others count for themselves,
// or call a function that they were given. No label holds what a caller chooses, an id, or a name of a token.
package metrics

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"regtok/auth"
	"regtok/providers/rest"
)

// Metrics are those of one process. They are safe for concurrent use.
type Metrics struct {
	registry   *prometheus.Registry
	upstream   *prometheus.CounterVec
	upstreamIn *prometheus.HistogramVec
	operations *prometheus.CounterVec
	answeredIn *prometheus.HistogramVec
	errors     *prometheus.CounterVec
	refused    *prometheus.CounterVec
	overspent  prometheus.Counter
	lag        prometheus.Histogram
}

// New makes metrics that begin at zero, those of the process itself among them.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		upstream: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "regtok_upstream_requests_total",
			Help: "Requests to providers, repetitions too, by the class of the answer's status; 429 apart from the other 4xx; none: no answer came."}, []string{"provider", "account", "op", "status"}),
		upstreamIn: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "regtok_upstream_request_duration_seconds",
			Help: "How long providers took to answer in full.", Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"provider", "account"}),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "regtok_graphql_operations_total",
			Help: "Operations by type (none: refused before that was known) and outcome: ok, partial (data and errors) or failed."}, []string{"type", "outcome"}),
		answeredIn: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "regtok_graphql_operation_duration_seconds",
			Help: "How long operations took that ran.", Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30}}, []string{"type"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "regtok_graphql_errors_total",
			Help: "Errors of answers, by their code."}, []string{"code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "regtok_authentication_failures_total",
			Help: "Callers that were not admitted, by reason."}, []string{"reason"}),
	}
	m.overspent = prometheus.NewCounter(prometheus.CounterOpts{Name: "regtok_quota_refusals_total",
		Help: "Operations that were refused because their callers had not the points."})
	m.lag = newStreamLag()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "regtok_build_info", Help: "1, with the version of the program."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.upstream, m.upstreamIn, m.operations, m.answeredIn, m.errors, m.refused, m.overspent, m.lag, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers what Prometheus asks.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Upstream counts one request to a provider. It fits rest.TransportConfig.Observe.
func (m *Metrics) Upstream(o rest.Observation) {
	m.upstream.WithLabelValues(o.Provider, o.Account, cmp.Or(o.Op, "other"), class(o.Status)).Inc()
	m.upstreamIn.WithLabelValues(o.Provider, o.Account).Observe(o.Duration.Seconds())
}

// class is a status as it is counted. A refusal for being asked too often is worth an alarm, which 404 is not.
func class(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "429"
	case status > 0:
		return strconv.Itoa(status/100) + "xx"
	}
	return "none"
}

// Operation counts one operation. The kind is its type, empty if it was refused before that was known; codes are those
// of its errors, of which there are a few dozen. It fits graph.Options.Observe.
func (m *Metrics) Operation(kind string, data bool, codes []string, took time.Duration) {
	outcome := "ok"
	switch {
	case !data:
		outcome = "failed"
	case len(codes) > 0:
		outcome = "partial"
	}
	m.operations.WithLabelValues(cmp.Or(kind, "none"), outcome).Inc()
	if kind != "" {
		m.answeredIn.WithLabelValues(kind).Observe(took.Seconds())
	}
	for _, code := range codes {
		m.errors.WithLabelValues(cmp.Or(code, "other")).Inc()
	}
}

// Refused counts a caller that was not admitted. It fits auth.Config.Refused.
func (m *Metrics) Refused(reason auth.Reason) { m.refused.WithLabelValues(string(reason)).Inc() }

// Overspent counts an operation whose caller had not the points. It fits quota.Config.Refused.
func (m *Metrics) Overspent() { m.overspent.Inc() }
