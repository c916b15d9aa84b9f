package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"regtok/providers/all"
)

// demoMaxAge is the demo's rotation policy where tokens do not end by themselves: they would never be due.
const demoMaxAge = isoDuration(90 * 24 * time.Hour)

// demoThreshold makes the demo tell of its token that ends a minute after the start before it does.
const demoThreshold = isoDuration(30 * time.Second)

// demo serves the API over the emulator of every provider.
type demo struct {
	Sweep   string `default:"off" enum:"on,off" variable:"REGTOK_SWEEP" placeholder:"on|off" help:"On: the inventory is kept fresh without being asked for, so that the emulators are asked all the time."`
	Callers bool   `help:"Let in only who has a key. Three are made and printed: for everything, for a part of it, and for a minute."`
	documentSettings
	settings
	emulation
}

// openDemo is why the demo does not listen where others reach it.
const openDemo = "the demo lets in whoever reaches it: leave --listen out, or name a port of 127.0.0.1 or [::1], or let it make keys with --callers"

// Run implements the command.
func (d demo) Run(p process) error {
	options, err := d.options()
	if err != nil {
		return err
	}
	var accounts []accountConfig
	var emulated strings.Builder
	policy := maxAges{}
	for _, driver := range all.Drivers() {
		if !driver.Capabilities.Expiry {
			policy[driver.Name] = demoMaxAge
		}
		emulator, err := driver.Emulator(options)
		if err != nil {
			return usageError{err}
		}
		base, stop, err := onLoopback(d.watched(emulator))
		if err != nil {
			return fmt.Errorf("start the emulator of %s: %w", driver.Name, err)
		}
		defer stop()
		accounts = append(accounts, accountConfig{driver: driver, name: "demo", settings: withDefaults(driver, emulator.Settings(base))})
		fmt.Fprintf(&emulated, "  %s  %s\n", base, driver.Title)
	}
	d.Thresholds = append(d.Thresholds, demoThreshold)
	keys := demoKeys{}
	if d.Callers {
		if keys, err = newDemoKeys(accounts[len(accounts)-1].driver); err != nil {
			return err
		}
	}
	return api{
		settings: d.settings, documentSettings: d.documentSettings, accounts: accounts, callers: keys.callers, maxAge: policy, sweep: d.Sweep == "on", introspection: true, exposed: openDemo,
	}.serve(p, func(base string) {
		fmt.Fprintf(p.stdout, welcome, base, emulated.String(), keys.told, keys.header)
	})
}

// welcome is told with the server's address, the emulators', the callers' keys, and the header of one of them.
const welcome = `
Playground:  %[1]s/playground
GraphQL:     %[1]s/graphql
Schema:      %[1]s/schema.graphqls
%[3]s
Try:
  curl -s %[1]s/graphql%[4]s -H 'content-type: application/json' \
    -d '{"query":"{ tokens(filter: {dueWithin: \"P7D\"}) { nodes { name dueIn provider { slug } registry { name } } } }"}'

Emulated providers (add /_emulator/requests to see what each was asked):
%[2]s
Ctrl-C ends the demo.

`

// onLoopback serves a handler on a free port of this machine.
func onLoopback(handler http.Handler) (base string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Close
	}()
	return "http://" + listener.Addr().String(), func() { _ = server.Close(); <-done }, nil
}
