package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"regtok/activity"
	"regtok/auth"
	"regtok/cache"
	"regtok/catalog"
	"regtok/expiry"
	"regtok/graph/transport"
	"regtok/metrics"
	"regtok/providers"
	"regtok/providers/rest"
)

// scrape is what Prometheus is told.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// wants checks that the lines are told.
func wants(t *testing.T, told string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(told, "\n"+line+"\n") {
			t.Errorf("lacks %s:\n%s", line, ours(told))
		}
	}
}

// ours leaves the figures of the process out.
func ours(told string) string {
	var lines []string
	for line := range strings.Lines(told) {
		if strings.HasPrefix(line, "regtok_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// watched is a process with something of everything.
func watched(stats cache.Stats) *metrics.Metrics {
	m := metrics.New("v1")
	m.Refused(auth.Unknown)
	m.Overspent()
	account := &catalog.Account{Name: "a", Driver: providers.Driver{Name: "p"}, Health: func() providers.Health {
		return providers.Health{LastSuccess: time.Unix(1700000000, 5e8), LastError: "a secret", Budgets: []providers.Budget{
			{Scope: "user", Limit: 50, Remaining: 7},
			{Scope: "organization", Of: "rich", Limit: 200, Remaining: 199},
			{Scope: "organization", Of: "poor", Limit: 100, Remaining: 3},
		}}
	}}
	other := &catalog.Account{Name: "b", Driver: providers.Driver{Name: "p"}} // nobody watches it
	m.Watch(metrics.Sources{
		Cache: func() cache.Stats { return stats }, Shared: true, Redis: func() bool { return !stats.StoreFails }, Accounts: func() []*catalog.Account { return []*catalog.Account{account, other} },
		Swept: func() []catalog.SweepStatus {
			return []catalog.SweepStatus{{Account: account, Term: 3, Registries: 12, Read: 5, Oldest: time.Unix(1600000000, 0)}, {Account: other}}
		},
		Events: func() expiry.Figures {
			return expiry.Figures{
				Watched: 7, Told: map[expiry.Kind]uint64{expiry.Expired: 2}, Unconfirmed: 1, Lag: 1500 * time.Millisecond,
				Looks: 9, LookErrors: 4, Waiting: 3, Dropped: 5, Fails: true, Faults: 6,
			}
		},
		Activity: func() activity.Figures {
			return activity.Figures{
				Done: map[activity.Kind]uint64{activity.Rotated: 3}, Noticed: map[activity.Kind]uint64{activity.Deleted: 4}, Unsaid: 5, Lost: 6, Dropped: 7, Fails: true,
			}
		},
		Streams: func() transport.StreamStats {
			return transport.StreamStats{Sockets: 1, Strangers: 8, WebSocket: 2, SSE: 3, Live: 4, Replayed: 5, Gaps: 6, Slow: 7}
		},
	})
	m.Upstream(rest.Observation{Provider: "p", Account: "a", Op: "list tokens", Status: 200, Duration: time.Second})
	m.Upstream(rest.Observation{Provider: "p", Account: "a", Op: "list tokens", Status: 204})
	m.Upstream(rest.Observation{Provider: "p", Account: "a", Op: "list tokens", Status: 429})
	m.Upstream(rest.Observation{Provider: "p", Account: "a", Op: "list tokens", Status: 404})
	m.Upstream(rest.Observation{Provider: "p", Account: "a"})
	m.Delivered(2*time.Second, false)
	m.Delivered(time.Hour, true)
	m.Operation("query", true, nil, time.Millisecond)
	m.Operation("query", true, []string{"UNAVAILABLE", "UNAVAILABLE"}, time.Millisecond)
	m.Operation("mutation", false, []string{"INTERNAL"}, time.Millisecond)
	m.Operation("", false, []string{"GRAPHQL_PARSE_FAILED"}, time.Millisecond)
	return m
}

func TestWhatHappensIsCounted(t *testing.T) {
	wants(t, scrape(t, watched(cache.Stats{
		Entries: 2, Bytes: 100, StoreErrors: 4, OwedBumps: 6,
		Views: map[string]cache.ViewStats{"tokens": {Hits: 10, Stale: 11, Waits: 12, Far: 13, Loads: 14, Errors: 15}},
	})),
		`regtok_build_info{version="v1"} 1`,
		`regtok_upstream_requests_total{account="a",op="list tokens",provider="p",status="2xx"} 2`,
		`regtok_upstream_requests_total{account="a",op="list tokens",provider="p",status="4xx"} 1`,
		`regtok_upstream_requests_total{account="a",op="list tokens",provider="p",status="429"} 1`,
		`regtok_upstream_requests_total{account="a",op="other",provider="p",status="none"} 1`,
		`regtok_upstream_request_duration_seconds_count{account="a",provider="p"} 5`,
		`regtok_upstream_request_duration_seconds_sum{account="a",provider="p"} 1`,
		`regtok_graphql_operations_total{outcome="ok",type="query"} 1`,
		`regtok_graphql_operations_total{outcome="partial",type="query"} 1`,
		`regtok_graphql_operations_total{outcome="failed",type="mutation"} 1`,
		`regtok_graphql_operations_total{outcome="failed",type="none"} 1`,
		`regtok_graphql_operation_duration_seconds_count{type="query"} 2`,
		`regtok_graphql_errors_total{code="UNAVAILABLE"} 2`,
		`regtok_cache_entries 2`,
		`regtok_cache_bytes 100`,
		`regtok_cache_reads_total{result="hit",view="tokens"} 10`,
		`regtok_cache_reads_total{result="stale",view="tokens"} 11`,
		`regtok_cache_reads_total{result="wait",view="tokens"} 12`,
		`regtok_cache_shared_hits_total{view="tokens"} 13`,
		`regtok_cache_loads_total{view="tokens"} 14`,
		`regtok_cache_load_errors_total{view="tokens"} 15`,
		`regtok_redis_up 1`,
		`regtok_shared_cache_up 1`,
		`regtok_shared_cache_errors_total 4`,
		`regtok_shared_cache_owed_scopes 6`,
		`regtok_account_healthy{account="a",provider="p"} 0`,
		`regtok_account_last_success_timestamp_seconds{account="a",provider="p"} 1.7000000005e+09`,
		`regtok_budget_limit_requests{account="a",provider="p",scope="user"} 50`,
		`regtok_budget_remaining_requests{account="a",provider="p",scope="user"} 7`,
		`regtok_budget_limit_requests{account="a",provider="p",scope="organization"} 100`,
		`regtok_budget_remaining_requests{account="a",provider="p",scope="organization"} 3`,
		`regtok_sweep_leader{account="a",provider="p"} 1`,
		`regtok_sweep_leader{account="b",provider="p"} 0`,
		`regtok_sweep_registries{account="a",provider="p"} 12`,
		`regtok_sweep_registries_read{account="a",provider="p"} 5`,
		`regtok_sweep_oldest_timestamp_seconds{account="a",provider="p"} 1.6e+09`,
		`regtok_expiry_watched_tokens 7`,
		`regtok_expiry_events_total{kind="EXPIRED"} 2`,
		`regtok_expiry_events_total{kind="THRESHOLD"} 0`,
		`regtok_expiry_unconfirmed_events_total 1`,
		`regtok_expiry_lag_seconds 1.5`,
		`regtok_expiry_looks_total{result="ok"} 5`,
		`regtok_expiry_looks_total{result="error"} 4`,
		`regtok_expiry_waiting_registries 3`,
		`regtok_expiry_dropped_lists_total 5`,
		`regtok_expiry_up 0`,
		`regtok_expiry_faults_total 6`,
		`regtok_activity_events_total{by="caller",kind="ROTATED"} 3`,
		`regtok_activity_events_total{by="nobody",kind="ROTATED"} 0`,
		`regtok_activity_events_total{by="nobody",kind="DELETED"} 4`,
		`regtok_activity_waiting_events 5`,
		`regtok_activity_lost_events_total 6`,
		`regtok_activity_dropped_lists_total 7`,
		`regtok_activity_up 0`,
		`regtok_sockets_open 1`,
		`regtok_sockets_strangers 8`,
		`regtok_streams_open{transport="websocket"} 2`,
		`regtok_streams_open{transport="sse"} 3`,
		`regtok_stream_events_total{kind="live"} 4`,
		`regtok_stream_events_total{kind="replayed"} 5`,
		`regtok_stream_events_total{kind="gap"} 6`,
		`regtok_streams_dropped_total 7`,
		`regtok_authentication_failures_total{reason="unknown"} 1`,
		`regtok_quota_refusals_total 1`,
		`regtok_stream_lag_seconds_sum 2`,
	)
	wants(t, scrape(t, watched(cache.Stats{StoreFails: true})), `regtok_redis_up 0`, `regtok_shared_cache_up 0`)
}

func TestWhatIsNotThereIsNotTold(t *testing.T) {
	m := metrics.New("v1")
	m.Watch(metrics.Sources{Cache: func() cache.Stats { return cache.Stats{} }})
	told := scrape(t, m)
	for _, name := range []string{"regtok_shared", "regtok_account", "regtok_sweep"} {
		if strings.Contains(told, "\n"+name) {
			t.Errorf("%s is told:\n%s", name, ours(told))
		}
	}
}

func TestEveryFigureHasARowAndEveryRowAFigure(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	told := scrape(t, watched(cache.Stats{Views: map[string]cache.ViewStats{"tokens": {}}}))
	if diff := cmp.Diff(names(told, `(?m)^# HELP (regtok_\w+) `), names(string(text), "(?m)^\\| `(regtok_\\w+)` \\|")); diff != "" {
		t.Errorf("docs/metrics.md and the figures differ (-code +doc):\n%s", diff)
	}
}

// TestAlarmsAskForWhatThereIs looks for each figure, label and value of a label in docs/metrics.md's alarms.
func TestAlarmsAskForWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, _ := strings.Cut(string(text), "```yaml\n")
	rules, _, found := strings.Cut(rules, "```")
	alarms := regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllStringSubmatch(rules, -1)
	if !found || len(alarms) < 5 {
		t.Fatalf("docs/metrics.md has the alarms %v", alarms)
	}
	told := scrape(t, watched(cache.Stats{Views: map[string]cache.ViewStats{"tokens": {}}}))
	for _, alarm := range alarms {
		figures := regexp.MustCompile(`(regtok_\w+)(?:\{([^}]*)\})?`).FindAllStringSubmatch(alarm[1], -1)
		if len(figures) == 0 {
			t.Errorf("%s asks for no figure", alarm[1])
		}
		for _, figure := range figures {
			line := regexp.MustCompile(`(?m)^` + figure[1] + `(?:\{.*` + regexp.QuoteMeta(figure[2]) + `.*\})? `)
			if !line.MatchString(told) {
				t.Errorf("%s asks for %s, which nobody tells", alarm[1], figure[0])
			}
			for _, by := range regexp.MustCompile(`(?:by|on) \(([^)]*)\)`).FindAllStringSubmatch(alarm[1], -1) {
				for label := range strings.SplitSeq(by[1], ", ") {
					if !regexp.MustCompile(`(?m)^` + figure[1] + `\{.*\b` + label + `="`).MatchString(told) {
						t.Errorf("%s asks for the label %s, which %s has not", alarm[1], label, figure[1])
					}
				}
			}
		}
	}
}

// names are what a pattern finds, in order.
func names(text, pattern string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	slices.Sort(found)
	return found
}

func TestNamesAreAsPrometheusLikesThem(t *testing.T) {
	told := scrape(t, watched(cache.Stats{Views: map[string]cache.ViewStats{"tokens": {}}}))
	problems, err := promlint.New(strings.NewReader(told)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("problems are %v, %v", problems, err)
	}
	if strings.Contains(told, "secret") || strings.Contains(told, "poor") {
		t.Errorf("more is told than has to be:\n%s", ours(told))
	}
}
