package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"regtok/redistest"
)

// figures are what a server tells Prometheus of itself.
func figures(t *testing.T, url string) string {
	t.Helper()
	var ours []string
	for line := range strings.Lines(do(t, http.MethodGet, url+"/metrics", nil)) {
		if strings.HasPrefix(line, "regtok_") {
			ours = append(ours, line)
		}
	}
	return strings.Join(ours, "")
}

func TestTheFiguresTellWhatHappens(t *testing.T) {
	server := redistest.Start(t)
	ionos := start(t, nil, "emulate", "ionos")
	env := map[string]string{"IONOS_TOKEN": canary, "IONOS_API_URL": ionos.url, "REGTOK_REDIS_URL": server.URL()}
	r := start(t, env, "serve")
	ask(t, r.url, everything)
	told := figures(t, r.url)
	for _, want := range []string{
		`regtok_upstream_requests_total\{account="ionos",op="list tokens",provider="ionos",status="2xx"\} [1-9]`,
		`regtok_upstream_request_duration_seconds_count\{account="ionos",provider="ionos"\} [1-9]`,
		`regtok_graphql_operations_total\{outcome="ok",type="query"\} 1\n`,
		`regtok_cache_loads_total\{view="[a-z ]+"\} [1-9]`,
		`regtok_account_healthy\{account="ionos",provider="ionos"\} 1\n`,
		`regtok_shared_cache_up 1\n`,
	} {
		if !regexp.MustCompile(want).MatchString(told) {
			t.Errorf("lacks %s:\n%s", want, told)
		}
	}
	server.Stop()
	eventually(t, "the figures tell that Redis is down", func() bool {
		do(t, http.MethodGet, r.url+"/readyz", nil) // ready all the same
		ask(t, r.url, everything)
		told := figures(t, r.url)
		return strings.Contains(told, "regtok_redis_up 0\n") && strings.Contains(told, "regtok_shared_cache_up 0\n")
	})
	server.Restart()
	eventually(t, "the figures tell that Redis is back", func() bool {
		ask(t, r.url, everything)
		told := figures(t, r.url)
		return strings.Contains(told, "regtok_redis_up 1\n") && strings.Contains(told, "regtok_shared_cache_up 1\n")
	})
}

// TestInHealthNoAlarmRings looks at what the alarms of docs/metrics.md ask for, of two replicas with two accounts.
func TestInHealthNoAlarmRings(t *testing.T) {
	server := redistest.Start(t)
	config := t.TempDir() + "/regtok.yaml"
	buildkite, ionos := start(t, nil, "emulate", "buildkite"), start(t, nil, "emulate", "ionos")
	writeFile(t, config, fmt.Sprintf("redis_url: %s\naccounts:\n  - {provider: buildkite, token: any, base_url: '%s'}\n  - {provider: ionos, token: any, base_url: '%s'}\n",
		server.URL(), buildkite.url, ionos.url))
	one, two := start(t, nil, "serve", "-c", config), start(t, nil, "serve", "-c", config)
	ask(t, one.url, everything)
	ask(t, two.url, everything)
	both := func() string { return figures(t, one.url) + figures(t, two.url) }
	eventually(t, "each account is swept by one replica", func() bool {
		told := both()
		for _, provider := range []string{"buildkite", "ionos"} {
			leader := fmt.Sprintf("regtok_sweep_leader{account=%q,provider=%[1]q} ", provider)
			if strings.Count(told, leader+"1\n") != 1 || strings.Count(told, leader+"0\n") != 1 {
				return false
			}
		}
		return strings.Contains(told, "regtok_sweep_oldest_timestamp_seconds{")
	})
	told := both()
	for _, want := range []string{"regtok_redis_up 1\n", "regtok_expiry_up 1\n", "regtok_activity_up 1\n", "regtok_expiry_faults_total 0\n"} {
		if strings.Count(told, want) != 2 {
			t.Errorf("not both replicas tell %s:\n%s", want, told)
		}
	}
	for _, never := range []string{`status="429"`, `regtok_account_healthy{account="ionos",provider="ionos"} 0`, `regtok_account_healthy{account="buildkite",provider="buildkite"} 0`} {
		if strings.Contains(told, never) {
			t.Errorf("told is %s:\n%s", never, told)
		}
	}
}

// TestCallersCannotMakeFigures sends what callers choose: names of operations, of fields, of tokens.
func TestCallersCannotMakeFigures(t *testing.T) {
	r := start(t, nil, "demo", "--sweep-share=1%")
	count := func() int { return strings.Count(figures(t, r.url), "\n") }
	for i := range 50 {
		ask(t, r.url, fmt.Sprintf(`query A%[1]s%[2]d { a%[1]s%[2]d: tokens(filter: { search: "%[1]s%[2]d" }) { totalCount } }`, canary, i))
		ask(t, r.url, fmt.Sprintf(`query A%s%d { nothing%[1]s%[2]d }`, canary, i))
		ask(t, r.url, fmt.Sprintf(`query A%s%d {`, canary, i))
		if i == 0 {
			defer func(before int) {
				if after := count(); after > before+20 { // what had not happened by then
					t.Errorf("%d lines, want about %d:\n%s", after, before, figures(t, r.url))
				}
			}(count())
		}
	}
	if told := figures(t, r.url); strings.Contains(told, canary) || !strings.Contains(told, `regtok_graphql_operations_total{outcome="failed",type="none"} 100`) {
		t.Errorf("told is:\n%s", told)
	}
}

func TestFiguresCanBeSwitchedOff(t *testing.T) {
	r := start(t, nil, "demo", "--metrics=off")
	response, err := http.Get(r.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	http.DefaultClient.CloseIdleConnections()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("answered %d, want 404", response.StatusCode)
	}
}
