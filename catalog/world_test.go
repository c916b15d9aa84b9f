package catalog

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"regtok/providers"
	"regtok/providers/all"
	"regtok/providers/rest"
	"regtok/providers/tap"
)

// upstream is a real driver's emulator with a tap in front of it, called in the process: in a synctest bubble, waiting
// for it takes no time.
type upstream struct {
	*tap.Tap
	driver   providers.Driver
	emulator *providers.Emulator
}

// emulate starts the emulator of a driver.
func emulate(t testing.TB, driver providers.Driver, o providers.EmulatorOptions) *upstream {
	t.Helper()
	emulator, err := driver.Emulator(o)
	if err != nil {
		t.Fatal(err)
	}
	return &upstream{Tap: tap.New(emulator.Handler), driver: driver, emulator: emulator}
}

// driver finds a real driver.
func driver(t testing.TB, name string) providers.Driver {
	t.Helper()
	for _, d := range all.Drivers() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("there is no driver %s", name)
	return providers.Driver{}
}

// account opens an account there. Further settings come in pairs of name and value.
func (u *upstream) account(t testing.TB, name string, settings ...string) *Account {
	t.Helper()
	given := maps.Clone(u.emulator.Settings("http://127.0.0.1:1"))
	for pair := range slices.Chunk(settings, 2) {
		given[pair[0]] = providers.NewSecret(pair[1])
	}
	transport := rest.NewTransport(rest.TransportConfig{
		Provider: u.driver.Name, Account: name, Base: inProcess{u.Tap}, Limits: u.driver.Limits, LimitedBy: u.driver.LimitedBy, Tries: 1, BreakerFailures: 1 << 20,
	})
	provider, err := u.driver.Open(providers.Config{Account: name, Settings: given, Client: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return &Account{Name: name, Driver: u.driver, Provider: provider, Health: transport.Health}
}

// requests is how many requests came since the last call.
func (u *upstream) requests() int {
	defer u.Reset()
	return u.Total()
}

// inProcess is an http.RoundTripper that calls a handler instead of a network.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	served.Host, served.RequestURI, served.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "127.0.0.1:2"
	if served.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, served)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// both are the emulators of all providers with the demo's story, and a catalog over an account at each.
func both(t testing.TB, o Options) (*Catalog, map[string]*upstream) {
	t.Helper()
	upstreams := map[string]*upstream{}
	for _, d := range all.Drivers() {
		u := emulate(t, d, providers.EmulatorOptions{})
		upstreams[d.Name] = u
		o.Accounts = append(o.Accounts, u.account(t, "main"))
	}
	return newCatalog(t, o), upstreams
}

// refuse answers every request with a status.
func refuse(status int) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		return true
	}
}

// soon is longer than all that happens at once in a bubble.
const soon = time.Millisecond
