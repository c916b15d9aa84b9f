package providertest

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
	"regtok/providers/budget"
	"regtok/providers/rest"
	"regtok/providers/tap"
)

// rig is an emulator with a tap in front of it, and an account's adapter that calls it through a real transport.
type rig struct {
	subject
	options  options
	emulator *providers.Emulator
	tap      *tap.Tap
	base     string
	carrier  http.RoundTripper // from the adapters to the tap
	log      logbook           // all that transports log and observe
	names    atomic.Int64

	provider providers.Provider
	world    world
}

// options shape a rig. The zero value is a small grid of registries and tokens, and a transport that never gives an
// account up.
type options struct {
	registries, tokens int    // 0 registries: 4, with 5 tokens each
	credential         string // the only one accepted, and the account's
	rateLimit          bool   // enforced there, and heeded here
	tries              int    // 0: 3
	maxBody            int64
}

// newRig is a rig that calls over real connections.
func (s subject) newRig(t *testing.T, o options) *rig {
	t.Helper()
	r := s.prepare(t, o)
	r.serve(t)
	r.provider = r.open(t)
	r.world = r.explore(t)
	return r
}

// serve puts the tap on a loopback port until the test ends.
func (r *rig) serve(t *testing.T) {
	t.Helper()
	server := httptest.NewUnstartedServer(r.tap)
	// Cases break connections and answers on purpose.
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	carrier := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(carrier.CloseIdleConnections)
	r.base, r.carrier = server.URL, carrier
}

// inBubble runs a case where time is virtual, with a rig that needs no network.
func (s subject) inBubble(t *testing.T, o options, run func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := s.prepare(t, o)
		r.base, r.carrier = "http://127.0.0.1:1", newInProcess(t, r.tap)
		r.provider = r.open(t)
		r.world = r.explore(t)
		// What an adapter still does for callers who left ends too; a goroutine that stays is an error of the bubble's.
		defer time.Sleep(afterwards)
		run(t, r)
	})
}

const afterwards = 5 * time.Minute

func (s subject) prepare(t *testing.T, o options) *rig {
	t.Helper()
	if o.registries == 0 {
		o.registries, o.tokens = 4, 5
	}
	emulator, err := s.driver.Emulator(providers.EmulatorOptions{
		Registries: o.registries, Tokens: o.tokens, Token: o.credential, RateLimit: o.rateLimit, Choices: s.choices,
	})
	if err != nil {
		t.Fatalf("the emulator does not start: %v", err)
	}
	return &rig{subject: s, options: o, emulator: emulator, tap: tap.New(emulator.Handler)}
}

// open makes another adapter of the account, which has learnt nothing yet.
func (r *rig) open(t *testing.T) providers.Provider {
	t.Helper()
	p, err := r.openWith(r.emulator.Settings(r.base))
	if err != nil {
		t.Fatalf("the adapter does not open: %v", err)
	}
	return p
}

func (r *rig) openWith(settings providers.Settings) (providers.Provider, error) {
	config := rest.TransportConfig{
		Provider: r.driver.Name, Account: "conformance", Base: r.carrier, Tries: r.options.tries,
		// Cases fail more often in a row than an account's breaker bears.
		BreakerFailures: 1 << 20,
		Log:             slog.New(slog.NewJSONHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe:         func(o rest.Observation) { fmt.Fprintf(&r.log, "%+v\n", o) },
	}
	if r.options.rateLimit {
		config.Limits, config.LimitedBy = r.driver.Limits, r.driver.LimitedBy
		config.Budget = budget.New(budget.Config{Start: r.start(settings)})
	}
	return r.driver.Open(providers.Config{
		Account:  "conformance",
		Settings: r.withDefaults(settings),
		Client:   &http.Client{Transport: rest.NewTransport(config)},
		MaxBody:  r.options.maxBody,
	})
}

// start is what an account with these settings is taken to be allowed.
func (r *rig) start(settings providers.Settings) []providers.Limit {
	if r.driver.Start == nil {
		return nil
	}
	return r.driver.Start(r.withDefaults(settings))
}

// withDefaults fills in what is not given, as the configuration does.
func (r *rig) withDefaults(settings providers.Settings) providers.Settings {
	filled := providers.Settings{}
	for _, s := range r.driver.Settings {
		filled[s.Name] = providers.NewSecret(s.Default)
	}
	maps.Copy(filled, settings)
	return filled
}

// newName is a name that every provider takes, and that no token has yet.
func (r *rig) newName() string { return fmt.Sprintf("conformance-%d", r.names.Add(1)) }

// logbook is a log that can be read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
