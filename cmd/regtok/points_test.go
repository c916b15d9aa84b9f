package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/redistest"
)

func TestWhatCallersMaySpendIsReadAsItIsWritten(t *testing.T) {
	caller := func(more string) string {
		return fmt.Sprintf("callers:\n- name: ci\n  key: %s\n  permissions: [TOKENS_READ]\n%s", auth.NewKey().Hash(), more)
	}
	for more, want := range map[string]*auth.Allowance{
		"":                           nil,
		"  points_per_minute: 600\n": {PerMinute: 600, Burst: 600},
		"  points_per_minute: 600\n  points_burst: 9000\n": {PerMinute: 600, Burst: 9000},
		"  points_per_minute: off\n":                       {},
		"  points_per_minute: 0\n":                         {},
	} {
		got, err := parseConfig("regtok.yaml", []byte(caller(more)), serveFlags())
		if err != nil {
			t.Fatalf("%q: %v", more, err)
		}
		if diff := cmp.Diff(got.callers[0].Viewer.Allowance, want); diff != "" {
			t.Errorf("%q (-got +want):\n%s", more, diff)
		}
	}
	again := fmt.Sprintf("- name: ci\n  key: %s\n  permissions: [TOKENS_READ]\n", auth.NewKey().Hash())
	for text, want := range map[string]string{
		caller("  points_per_minute: 99\n"):                                     "regtok.yaml:5:22: points_per_minute is a number from 100 to 10000000, or off",
		caller("  points_per_minute: " + canary + "\n"):                         "regtok.yaml:5:22: points_per_minute is a number from 100 to 10000000, or off",
		caller("  points_per_minute: auto\n"):                                   "regtok.yaml:5:22: points_per_minute is a number from 100 to 10000000, or off",
		caller("  points_burst: 600\n"):                                         "regtok.yaml:5:17: points_burst needs `points_per_minute` beside it",
		caller("  points_per_minute: off\n  points_burst: 600\n"):               "regtok.yaml:6:17: points_burst makes no sense without a limit",
		caller("  points_per_minute: 600\n  points_burst: off\n"):               "regtok.yaml:6:17: points_burst makes no sense without a limit",
		caller("  points_per_minute: 600\n") + again:                            "regtok.yaml:6:3: the caller has another allowance with another key; they are one, and spend one",
		caller("") + again + "  points_per_minute: 600\n":                       "regtok.yaml:5:3: the caller has another allowance with another key; they are one, and spend one",
		"oidc: {issuer: 'https://a.example', audience: a, points_burst: 600}\n": "regtok.yaml:1:64: points_burst needs `points_per_minute` beside it",
	} {
		_, err := parseConfig("regtok.yaml", []byte(text), serveFlags())
		if err == nil || err.Error() != want {
			t.Errorf("%q: refused with %v, want %s", text, err, want)
		}
	}
	if _, err := parseConfig("regtok.yaml", []byte(caller("  points_per_minute: 600\n")+again+"  points_per_minute: 600\n"), serveFlags()); err != nil {
		t.Errorf("two keys of one caller with one allowance: %v", err)
	}
}

func TestCallersHaveAnAllowanceUnlessItIsSaidOtherwise(t *testing.T) {
	usual := auth.Allowance{PerMinute: defaultPoints, Burst: defaultPoints}
	for _, test := range []struct {
		args              string
		callers, withNone auth.Allowance
	}{
		{"", usual, auth.Allowance{}},
		{"--limit-points-per-minute=off", auth.Allowance{}, auth.Allowance{}},
		{"--limit-points-per-minute=0", auth.Allowance{}, auth.Allowance{}},
		{"--limit-points-per-minute=600", auth.Allowance{PerMinute: 600, Burst: 600}, auth.Allowance{PerMinute: 600, Burst: 600}},
		{"--limit-points-burst=600", auth.Allowance{PerMinute: defaultPoints, Burst: 600}, auth.Allowance{}},
	} {
		limit := parsed(t, nil, append([]string{"serve"}, strings.Fields(test.args)...)...).Limit
		if got := [2]auth.Allowance{limit.allowance(true), limit.allowance(false)}; got != [2]auth.Allowance{test.callers, test.withNone} {
			t.Errorf("%s: with and without callers %v, want %v and %v", test.args, got, test.callers, test.withNone)
		}
	}
	for _, flag := range limitFlags() {
		if strings.HasPrefix(flag.Name, "limit-points-") && flag.Tag.Get("range") != fmt.Sprintf("%d..%d", leastPoints, mostPoints) {
			t.Errorf("--%s ranges from %s, and in the file otherwise", flag.Name, flag.Tag.Get("range"))
		}
	}
}

// TestReplicasLetACallerSpendOneAllowance has four servers over one Redis, two kinds of callers and then no Redis. So few points
// come back that time plays no part.
func TestReplicasLetACallerSpendOneAllowance(t *testing.T) {
	server := redistest.Start(t)
	url, token := tokensOf(t)
	ionos := start(t, nil, "emulate", "ionos")
	path := filepath.Join(t.TempDir(), "regtok.yaml")
	ci, ops := auth.NewKey(), auth.NewKey()
	writeFile(t, path, fmt.Sprintf(`redis_url: %s
redis_timeout: 2s
limit_points_per_minute: 100
accounts:
- {provider: ionos, token: %s, base_url: '%s'}
callers:
- {name: ci, key: '%s', permissions: [TOKENS_READ]}
- {name: ops, key: '%s', permissions: [TOKENS_READ, METRICS_READ], points_per_minute: off}
oidc: {issuer: '%s', audience: regtok, claim: groups, permissions: {staff: [TOKENS_READ]}, points_per_minute: 100, points_burst: 400}
`, server.URL(), canary, ionos.url, ci.Hash(), ops.Hash(), url))
	four := []*running{}
	for range 4 {
		four = append(four, start(t, nil, "serve", "-c", path))
	}
	// through is how many of the operations that cost ten points each are let through, by all servers in turn.
	through := func(credential string, times int) (n int) {
		for i := range times {
			status, said := with(t, http.MethodPost, four[i%4].url+"/graphql", "Bearer "+credential, `{"query":"{ a: viewer { subject } b: viewer { subject } c: viewer { subject } d: viewer { subject } e: viewer { subject } }"}`)
			switch {
			case status == http.StatusOK && strings.Contains(said, `"data"`):
				n++
			case !strings.Contains(said, `"code":"RATE_LIMITED"`):
				t.Fatalf("answered %d %s", status, said)
			}
		}
		return n
	}
	begin := time.Now()
	if got := through(ci.Reveal(), 30); got < 10 || got > 11+int(time.Since(begin).Seconds()/6) {
		t.Errorf("%d operations of the caller's were let through, want 10, and one more each 6 s", got)
	}
	begin = time.Now()
	if got := through(token("ada", time.Now().Add(time.Hour)), 60); got < 40 || got > 41+int(time.Since(begin).Seconds()/6) {
		t.Errorf("%d operations of one with a token were let through, want 40, and one more each 6 s", got)
	}
	if got := through(ops.Reveal(), 60); got != 60 {
		t.Errorf("%d operations of a caller without a limit were let through, want all", got)
	}
	_, figures := with(t, http.MethodGet, four[0].url+"/metrics", "Bearer "+ops.Reveal(), "")
	if !strings.Contains(figures, "\nregtok_quota_refusals_total ") || strings.Contains(figures, "\nregtok_quota_refusals_total 0\n") {
		t.Error("the figures tell of no refusal")
	}
	server.Stop()
	bob := token("bob", time.Now().Add(time.Hour))
	if got := through(bob, 160); got != 160 {
		t.Errorf("without Redis %d were let through, want 160: each server has the caller's allowance for itself", got)
	}
	for i := range four {
		if log := four[i].stderr.String(); i < 2 && !strings.Contains(log, "a caller has spent their points") || strings.Contains(log, ci.Reveal()) {
			t.Errorf("server %d logs %s", i, log)
		}
	}
	server.Restart() // or clients are still looking for it when all is over
}
