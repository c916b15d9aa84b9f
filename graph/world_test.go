package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"testing"
	"time"

	"regtok/activity"
	"regtok/auth"
	"regtok/cache"
	"regtok/catalog"
	"regtok/expiry"
	"regtok/graph"
	"regtok/graph/documents"
	"regtok/graph/limits"
	"regtok/graph/transport"
	"regtok/ledger"
	"regtok/providers"
	"regtok/providers/all"
	"regtok/providers/rest"
	"regtok/providers/tap"
	"regtok/quota"
	"regtok/server"
	"regtok/server/requestid"
)

// world is the API over the emulators of every provider, all of it over HTTP.
type world struct {
	url     string
	api     http.Handler
	taps    map[string]*tap.Tap
	bases   map[string]string // where each provider's emulator is
	log     *locked
	catalog *catalog.Catalog
	trail   *activity.Trail
	deeds   activity.Log
	client  *http.Client
}

// plan shapes a world. The zero plan is the demo's.
type plan struct {
	network   network // nil: loopback
	emulators providers.EmulatorOptions
	cacheOff  bool
	policy    catalog.Policy
	settings  map[string]providers.Settings // added to each provider's own
	viewer    *auth.Viewer
	ledger    ledger.Ledger // nil: in memory
	timeout   time.Duration // of an operation; 0: the default
	events    *expiry.Events
	streams   *transport.Streams
	callers   *auth.Callers // who may open sockets; nil: the viewer
	documents documents.Config
	quota     *quota.Quota
	requests  int // to providers, for one answer; 0: any number
	// change has a say in each account before the catalog gets it.
	change func(*catalog.Account)
}

// newWorld starts everything and ends it with the test.
func newWorld(t testing.TB, p plan) *world {
	t.Helper()
	if p.network == nil {
		p.network = loopback{}
	}
	w := &world{taps: map[string]*tap.Tap{}, bases: map[string]string{}, log: &locked{}}
	log := server.NewLog(w.log, "json", slog.LevelDebug)
	var accounts []*catalog.Account
	for _, driver := range all.Drivers() {
		accounts = append(accounts, w.account(t, p, driver, log))
	}
	store := cache.New(cache.Options{Off: p.cacheOff, Parallel: 64, Log: log})
	t.Cleanup(store.Close)
	if p.policy.Thresholds == nil {
		p.policy.Thresholds = catalog.DefaultThresholds()
	}
	w.deeds = activity.NewMemory(0, 0)
	t.Cleanup(w.deeds.Close)
	w.trail = activity.NewTrail(activity.Options{Log: w.deeds, Index: activity.NewMemoryIndex(0), Logger: log})
	w.catalog = catalog.New(catalog.Options{
		Drivers: all.Drivers(), Accounts: accounts, Cache: store, Policy: p.policy, Ledger: p.ledger, Log: log, Trail: w.trail,
	})
	limit := limits.Default()
	limit.Introspection = true
	w.api = graph.New(graph.Options{Catalog: w.catalog, Version: "test", Limits: limit, Timeout: p.timeout, Log: log, Events: p.events, Activity: w.deeds, Streams: p.streams, Callers: p.callers, Documents: p.documents, Quota: p.quota, Requests: p.requests})
	viewer := auth.Local()
	if p.viewer != nil {
		viewer = *p.viewer
	}
	w.url = p.network.serve(t, requestid.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.api.ServeHTTP(rw, r.WithContext(auth.NewContext(r.Context(), viewer)))
	})))
	w.client = &http.Client{Transport: p.network.transport(t)}
	return w
}

// account opens an account at an emulator of the provider.
func (w *world) account(t testing.TB, p plan, driver providers.Driver, log *slog.Logger) *catalog.Account {
	t.Helper()
	emulator, err := driver.Emulator(p.emulators)
	if err != nil {
		t.Fatal(err)
	}
	watched := tap.New(emulator.Handler)
	base := p.network.serve(t, watched)
	w.taps[driver.Name], w.bases[driver.Name] = watched, base
	endure := rest.NewTransport(rest.TransportConfig{
		Provider: driver.Name, Account: "demo", Base: p.network.transport(t), Limits: driver.Limits, LimitedBy: driver.LimitedBy, Log: log,
	})
	given := emulator.Settings(base)
	maps.Copy(given, p.settings[driver.Name])
	provider, err := driver.Open(providers.Config{Account: "demo", Settings: given, Client: &http.Client{Transport: endure}})
	if err != nil {
		t.Fatal(err)
	}
	account := &catalog.Account{Name: "demo", Driver: driver, Provider: provider, Health: endure.Health}
	if p.change != nil {
		p.change(account)
	}
	return account
}

// answer is what the API said.
type answer struct {
	Data   json.RawMessage  `json:"data,omitempty"`
	Errors []map[string]any `json:"errors,omitempty"`
}

// ask runs an operation.
func (w *world) ask(t testing.TB, query string, variables map[string]any) answer {
	t.Helper()
	a, _ := w.exchange(t, query, variables)
	return a
}

// exchange runs an operation and returns its request id as well.
func (w *world) exchange(t testing.TB, query string, variables map[string]any) (answer, string) {
	t.Helper()
	text, header := w.post(t, map[string]any{"query": query, "variables": variables})
	return answered(t, text), header.Get(requestid.Header)
}

// post sends a request, and returns its answer as it came.
func (w *world) post(t testing.TB, request any) (text []byte, header http.Header) {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.client.Post(w.url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if text, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return text, resp.Header
}

func answered(t testing.TB, text []byte) (a answer) {
	t.Helper()
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
