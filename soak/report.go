package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"regtok/providers/all"
)

// lacks says which kind of question has no good answer yet; empty: none.
func (f *figures) lacks() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range looks() {
		if of(f.reads, l.name).whole == 0 {
			return l.name
		}
	}
	for _, driver := range all.Drivers() {
		for _, act := range acts {
			if of(f.writes, driver.Name+" "+act).whole == 0 {
				return driver.Name + " " + act
			}
		}
	}
	return ""
}

// judge fails the test where the figures say so.
func (w *world) judge() {
	f := w.figures
	if f.stales > 0 {
		w.t.Errorf("%d stale reads after an acknowledged write, the first:", f.stales)
		for _, one := range f.found {
			w.t.Error(one.Tell(f.start))
		}
	}
	for _, u := range w.upstreams {
		if _, refused := u.total(); refused > 0 {
			w.t.Errorf("%s refused %d requests with 429; the minute before the first:%s", u.provider, refused, u.refused[0])
		}
	}
	for kind, one := range merged(f.reads, f.writes) {
		for code, n := range one.codes {
			if !excused(code) {
				w.t.Errorf("%s: %d times %s", kind, n, code)
			}
		}
	}
	counts, samples := w.journal.logged()
	for kind, text := range samples {
		if strings.HasPrefix(kind, "ERROR") || strings.HasPrefix(kind, "RAW") {
			w.t.Errorf("%d times in the replicas' logs: %s", counts[kind], text)
		}
	}
}

// excused tells whether an error has its place in a soak: something was killed, or an allowance used up.
func excused(code string) bool {
	return slices.Contains([]string{"CONNECTION LOST", "NOBODY SERVES", "RATE_LIMITED", "UNAVAILABLE", "TIMEOUT", "OUTCOME_UNKNOWN"}, code)
}

func merged(maps ...map[string]*figure) map[string]*figure {
	all := map[string]*figure{}
	for _, m := range maps {
		for kind, one := range m {
			all[kind] = one
		}
	}
	return all
}

// report is the text with all figures.
func (w *world) report() string {
	f := w.figures
	var text strings.Builder
	ran := time.Since(f.start)
	fmt.Fprintf(&text, "%d replicas over %d tokens in %d registries for %s\n", w.plan.Replicas,
		len(w.upstreams)*w.plan.Registries*w.plan.Tokens, len(w.upstreams)*w.plan.Registries, ran.Round(time.Second))
	fmt.Fprintf(&text, "the first answer over everything that lacked nothing came after %s\n", rounded(f.first))
	fmt.Fprintf(&text, "%d stale reads; what does not say to be old was read at the provider %v before, p95 %v, at most %v\n", f.stales,
		percentile(f.ages, 0.5), percentile(f.ages, 0.95), percentile(f.ages, 1))
	for _, u := range w.upstreams {
		requests, refused := u.total()
		fmt.Fprintf(&text, "%s: %d requests, %d refused with 429; by minute:\n", u.provider, requests, refused)
		for i, kinds := range u.minutes {
			fmt.Fprintf(&text, "  %2d. %s\n", i+1, counted(kinds))
		}
	}
	for _, part := range []struct {
		title   string
		figures map[string]*figure
	}{{"reads", f.reads}, {"writes", f.writes}} {
		fmt.Fprintf(&text, "%s: %d\n", part.title, total(part.figures))
		for _, kind := range slices.Sorted(maps.Keys(part.figures)) {
			fmt.Fprintf(&text, "  %-26s %s\n", kind, part.figures[kind].tell())
		}
	}
	for _, k := range w.kills {
		fmt.Fprintf(&text, "killed %s at %s, back after %s%s\n", k.what, rounded(k.at.Sub(f.start)), rounded(k.back.Sub(k.at)), w.again(k))
	}
	for _, line := range w.standing {
		fmt.Fprintf(&text, "at last %s\n", line)
	}
	logged, _ := w.journal.logged()
	fmt.Fprintf(&text, "logged: %s\n", counted(logged))
	return text.String()
}

// again tells who sweeps after a kill, and how soon.
func (w *world) again(k killed) string {
	var text strings.Builder
	for _, provider := range slices.Sorted(maps.Keys(k.swept)) {
		next, _ := w.journal.next(k.swept[provider])
		fmt.Fprintf(&text, "; it swept %s, which %s does %s later in term %d", provider, next.Replica, rounded(next.At.Sub(k.at)), next.Term)
	}
	return text.String()
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

func total(figures map[string]*figure) (n int) {
	for _, one := range figures {
		n += len(one.took)
	}
	return n
}

func (f *figure) tell() string {
	n := len(f.took)
	text := fmt.Sprintf("%5d, %5.1f%% whole, %4.1f%% old, %4.1f%% missing some; p50 %v p95 %v p99 %v max %v",
		n, share(f.whole, n), share(f.old, n), share(f.missing, n),
		percentile(f.took, 0.5), percentile(f.took, 0.95), percentile(f.took, 0.99), percentile(f.took, 1))
	for _, counts := range []map[string]int{f.codes, f.notes} {
		if len(counts) > 0 {
			text += "; " + counted(counts)
		}
	}
	return text
}

func share(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

// counted lists counts by name.
func counted(counts map[string]int) string {
	var parts []string
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s: %d", name, counts[name]))
		sum += counts[name]
	}
	return fmt.Sprintf("%d = %s", sum, strings.Join(parts, ", "))
}
