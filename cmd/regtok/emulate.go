package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"regtok/providers"
	"regtok/providers/all"
	"regtok/providers/tap"
)

// emulation shapes an emulator.
type emulation struct {
	Registries int           `placeholder:"N" help:"Serve this many registries in all instead of the seeded story."`
	Tokens     int           `default:"10" placeholder:"N" help:"Tokens of each registry, with --registries."`
	Latency    time.Duration `default:"0s" placeholder:"TIME" help:"Let each request wait this long."`
	RateLimit  bool          `help:"Refuse what goes over the provider's request limits."`
}

func (e emulation) options() (providers.EmulatorOptions, error) {
	for name, n := range map[string]int{"registries": e.Registries, "tokens": e.Tokens} {
		if n < 0 {
			return providers.EmulatorOptions{}, usageError{fmt.Errorf("--%s: there cannot be fewer than none", name)}
		}
	}
	return providers.EmulatorOptions{Registries: e.Registries, Tokens: e.Tokens, RateLimit: e.RateLimit}, nil
}

// watched is the emulator behind a tap, with the page that tells what was asked.
func (e emulation) watched(emulator *providers.Emulator) http.Handler {
	watched := tap.New(emulator.Handler)
	watched.SetLatency(e.Latency)
	return withRequests(watched)
}

// emulate serves one provider's emulator.
type emulate struct {
	Provider string            `arg:"" help:"Which provider: ${providers}."`
	Listen   string            `default:"127.0.0.1:9001" placeholder:"ADDRESS" help:"Where to listen."`
	Token    string            `placeholder:"CREDENTIAL" help:"The only credential that is accepted; without it any is."`
	Choice   map[string]string `mapsep:"," placeholder:"NAME=VALUE,..." help:"Settle what no source settles; an unknown name lists them all."`
	emulation
}

// Run implements the command.
func (e emulate) Run(p process) error {
	driver, err := driverNamed(e.Provider)
	if err != nil {
		return err
	}
	options, err := e.options()
	if err != nil {
		return err
	}
	if err := checkChoices(driver, e.Choice); err != nil {
		return err
	}
	options.Token, options.Choices = e.Token, e.Choice
	emulator, err := driver.Emulator(options)
	if err != nil {
		return usageError{err}
	}
	listener, err := net.Listen("tcp", e.Listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen: %w", inUse(err))}
	}
	base := "http://" + listener.Addr().String()
	fmt.Fprintf(p.stdout, "%s is emulated at %s\n", driver.Title, base)
	for name, value := range sorted(emulator.Settings(base)) {
		if !isSecret(driver, name) {
			fmt.Fprintf(p.stdout, "  %s: %s\n", name, value.Reveal())
		}
	}
	fmt.Fprintf(p.stdout, "  %s/_emulator/requests tells how many requests each path got, and how many answers had which status\n", base)
	return serveUntil(p, listener, e.watched(emulator))
}

// checkChoices answers a choice that there is not with all that there are.
func checkChoices(driver providers.Driver, made map[string]string) error {
	plain, err := driver.Emulator(providers.EmulatorOptions{})
	if err != nil {
		return err
	}
	var known strings.Builder
	for _, choice := range plain.Choices {
		fmt.Fprintf(&known, "\n  %s=%s\n      %s", choice.Name, strings.Join(choice.Values, "|"), choice.Help)
	}
	for name, value := range sorted(made) {
		if !slices.ContainsFunc(plain.Choices, func(c providers.Choice) bool { return c.Name == name && slices.Contains(c.Values, value) }) {
			return usageError{fmt.Errorf("--choice: there is no %s=%s; there are, the default first,%s", name, value, known.String())}
		}
	}
	return nil
}

// withRequests adds the page that tells what was asked. GET reads it, DELETE starts anew.
func withRequests(watched *tap.Tap) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", watched)
	mux.HandleFunc("GET /_emulator/requests", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(map[string]any{
			"total": watched.Total(), "requests": watched.Requests(), "statuses": watched.Statuses(),
		})
	})
	mux.HandleFunc("DELETE /_emulator/requests", func(w http.ResponseWriter, _ *http.Request) {
		watched.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// serveUntil serves until the process is told to end.
func serveUntil(p process, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 90 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-p.Done():
	}
	if err := server.Close(); err != nil {
		return err
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func driverNamed(name string) (providers.Driver, error) {
	for _, d := range all.Drivers() {
		if d.Name == name {
			return d, nil
		}
	}
	return providers.Driver{}, usageError{fmt.Errorf("there is no provider %q: choose one of %s", name, driverNames())}
}

func driverNames() string {
	var names []string
	for _, d := range all.Drivers() {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

func isSecret(d providers.Driver, name string) bool {
	return slices.ContainsFunc(d.Settings, func(s providers.Setting) bool { return s.Name == name && s.Secret })
}

func sorted[V any](m map[string]V) func(func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}
