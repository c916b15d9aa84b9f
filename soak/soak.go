package soak

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"regtok/providers/all"
	"regtok/redistest"
)

// Plan says how long and how hard to load.
type Plan struct {
	// For is how long the load lasts at least. It goes on until every kind of question was answered.
	For time.Duration
	// Replicas serve, over one Redis.
	Replicas int
	// Registries is how many each provider has, Tokens how many each of these has at the start.
	Registries, Tokens int
	// Hot is how many registries of each provider the load writes to, and looks at one by one.
	Hot int
	// Reads is how many questions are asked in a second; Writes how many in a minute, by provider.
	Reads  float64
	Writes map[string]float64
	// Kills is how often something is killed, in turn: the replica that sweeps, Redis, another replica.
	Kills int
	// Settle asks each replica in the end until it shows everything without a note, which may take a fill of the inventory.
	Settle bool
	// Settings are more of the replicas' configuration, and Redis more of Redis's arguments.
	Settings string
	Redis    []string
	// Keep is a folder for the log of all replicas and a line for each upstream request. Empty: one of the test's own.
	Keep string
}

// world is all that runs.
type world struct {
	t         testing.TB
	plan      Plan
	redis     *redistest.Server
	upstreams []*upstream
	replicas  []*replica
	journal   *journal
	figures   *figures
	history   *History
	pool      *pool
	kills     []killed
	standing  []string // of the accounts, by each replica at last
}

// Run loads replicas by the plan and reports what came of it. The test fails on a 429, on a stale read, and on an error
// that nothing excuses.
func Run(t testing.TB, plan Plan) {
	w := newWorld(t, plan)
	w.start()
	w.findRegistries()
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	w.load(ctx, &load)
	w.disturb()
	w.within(w.fill()+2*patience*time.Second, "every kind of question is answered in whole, and acknowledged", w.figures.lacks)
	w.until("the sweeps go on", w.unswept)
	stop()
	load.Wait()
	if w.plan.Settle {
		w.settle()
	}
	t.Log(w.report())
	w.judge()
}

// start starts all replicas at once.
func (w *world) start() {
	var starting sync.WaitGroup
	for _, r := range w.replicas {
		starting.Go(func() {
			if err := r.start(); err != nil {
				w.t.Error(err)
			}
		})
	}
	starting.Wait()
	if w.t.Failed() {
		w.t.FailNow()
	}
}

func newWorld(t testing.TB, plan Plan) *world {
	program := build(t) // which may take minutes, so all clocks start after it
	w := &world{
		t: t, plan: plan, figures: newFigures(), history: NewHistory(),
		pool: &pool{registries: map[string][]Place{}, idle: map[string][]*kept{}, places: map[string]Place{}},
	}
	if w.plan.Keep == "" {
		w.plan.Keep = t.TempDir()
	}
	w.journal = newJournal(w.figures.start, w.book("replicas.log"))
	w.redis = redistest.Start(t, append([]string{"--appendonly", "yes"}, plan.Redis...)...)
	text := "redis_url: " + w.redis.URL() + "\n" + plan.Settings + "accounts:\n"
	requests := w.book("upstream.log")
	for _, driver := range all.Drivers() {
		u := emulate(t, driver, plan.Registries, plan.Tokens, w.figures.start, requests)
		w.upstreams = append(w.upstreams, u)
		text += account(u)
	}
	config := filepath.Join(t.TempDir(), "regtok.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range plan.Replicas {
		r := &replica{name: fmt.Sprintf("replica %d", i+1), program: program, config: config, journal: w.journal}
		w.replicas = append(w.replicas, r)
		t.Cleanup(r.kill)
	}
	return w
}

// account is an upstream in the configuration.
func account(u *upstream) string {
	var text strings.Builder
	fmt.Fprintf(&text, "  - provider: %s\n", u.provider)
	for name, value := range u.settings {
		fmt.Fprintf(&text, "    %s: '%s'\n", name, value.Reveal())
	}
	return text.String()
}

// book opens a file to keep.
func (w *world) book(name string) *book {
	if err := os.MkdirAll(w.plan.Keep, 0o700); err != nil {
		w.t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(w.plan.Keep, name))
	if err != nil {
		w.t.Fatal(err)
	}
	b := &book{buffer: bufio.NewWriter(file)}
	w.t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = b.buffer.Flush()
		_ = file.Close()
	})
	return b
}

// book is a file that many write to.
type book struct {
	mu     sync.Mutex
	buffer *bufio.Writer
}

// Write implements io.Writer.
func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

// findRegistries chooses the registries that the load writes to, of as many organizations as there are.
func (w *world) findRegistries() {
	c := newClient(w.replicas)
	defer c.http.CloseIdleConnections()
	const query = `query($of: [String!]!) { registries(first: 100, filter: {providers: $of}) { nodes { id organization { id } } unavailable { reason } } }`
	for _, u := range w.upstreams {
		w.until("the registries of "+u.provider+" can be read", func() string {
			got, _, _, _, err := c.ask(w.t.Context(), question{query: query, variables: map[string]any{"of": []string{u.provider}}})
			var list struct {
				Nodes []struct {
					ID           string
					Organization *struct{ ID string }
				}
				Unavailable []struct{}
			}
			if !got.into("registries", &list) || len(list.Unavailable) > 0 || len(list.Nodes) < w.plan.Registries {
				return fmt.Sprint(got, err)
			}
			step := len(list.Nodes) / w.plan.Hot
			for i := range w.plan.Hot {
				r := list.Nodes[i*step]
				w.pool.registries[u.provider] = append(w.pool.registries[u.provider], Place{u.provider, r.Organization.ID, r.ID})
			}
			return ""
		})
	}
}

// until waits for something that says what it lacks.
func (w *world) until(what string, lacks func() string) {
	w.within(2*patience*time.Second, what, lacks)
}

// within waits no longer than that.
func (w *world) within(most time.Duration, what string, lacks func() string) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(most)
	for {
		lack := lacks()
		if lack == "" {
			return
		}
		select {
		case <-ticker.C:
		case <-late:
			w.t.Errorf("never: %s: %s", what, lack)
			return
		}
	}
}
