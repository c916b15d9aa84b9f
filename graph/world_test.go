package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"regtok/auth"
	"regtok/cache"
	"regtok/catalog"
	"regtok/graph"
	"regtok/graph/limits"
	"regtok/providers"
	"regtok/providers/all"
	"regtok/providers/rest"
	"regtok/providers/tap"
)

// world is the API over the emulators of every provider, all of it over HTTP.
type world struct {
	url     string
	taps    map[string]*tap.Tap
	bases   map[string]string // where each provider's emulator is
	log     *bytes.Buffer
	catalog *catalog.Catalog
	client  *http.Client
}

// plan shapes a world. The zero plan is the demo's.
type plan struct {
	emulators providers.EmulatorOptions
	cacheOff  bool
	policy    catalog.Policy
	settings  map[string]providers.Settings // added to each provider's own
	viewer    *auth.Viewer
}

// newWorld starts everything and ends it with the test.
func newWorld(t testing.TB, p plan) *world {
	t.Helper()
	w := &world{taps: map[string]*tap.Tap{}, bases: map[string]string{}, log: &bytes.Buffer{}}
	log := slog.New(slog.NewJSONHandler(&locked{w: w.log}, nil))
	var accounts []*catalog.Account
	for _, driver := range all.Drivers() {
		emulator, err := driver.Emulator(p.emulators)
		if err != nil {
			t.Fatal(err)
		}
		watched := tap.New(emulator.Handler)
		upstream := httptest.NewServer(watched)
		t.Cleanup(upstream.Close)
		w.taps[driver.Name], w.bases[driver.Name] = watched, upstream.URL
		wire := &http.Transport{MaxIdleConnsPerHost: 64}
		t.Cleanup(wire.CloseIdleConnections)
		endure := rest.NewTransport(rest.TransportConfig{Provider: driver.Name, Account: "demo", Base: wire, Limits: driver.Limits, Log: log})
		given := emulator.Settings(upstream.URL)
		for name, value := range p.settings[driver.Name] {
			given[name] = value
		}
		provider, err := driver.Open(providers.Config{Account: "demo", Settings: given, Client: &http.Client{Transport: endure}})
		if err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, &catalog.Account{Name: "demo", Driver: driver, Provider: provider, Health: endure.Health})
	}
	store := cache.New(cache.Options{Off: p.cacheOff, Parallel: 64})
	t.Cleanup(store.Close)
	policy := p.policy
	if policy.Thresholds == nil {
		policy.Thresholds = catalog.DefaultThresholds()
	}
	w.catalog = catalog.New(catalog.Options{Drivers: all.Drivers(), Accounts: accounts, Cache: store, Policy: policy})
	limit := limits.Default()
	limit.Introspection = true
	api := graph.New(graph.Options{Catalog: w.catalog, Version: "test", Limits: limit, Log: log})
	viewer := auth.Local()
	if p.viewer != nil {
		viewer = *p.viewer
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(rw, r.WithContext(auth.NewContext(r.Context(), viewer)))
	}))
	t.Cleanup(server.Close)
	w.url, w.client = server.URL, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

// answer is what the API said.
type answer struct {
	Data   json.RawMessage  `json:"data,omitempty"`
	Errors []map[string]any `json:"errors,omitempty"`
}

// ask runs an operation.
func (w *world) ask(t testing.TB, query string, variables map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.client.Post(w.url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("the answer is no JSON: %v\n%s", err, text)
	}
	return a
}

// requests is how many requests each provider got since the last call.
func (w *world) requests() map[string]int {
	counts := map[string]int{}
	for name, watched := range w.taps {
		counts[name] = watched.Total()
		watched.Reset()
	}
	return counts
}

// demoPolicy is the rotation policy of the demo.
func demoPolicy() map[string]time.Duration {
	return map[string]time.Duration{"buildkite": 90 * 24 * time.Hour}
}
