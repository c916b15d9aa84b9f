package graph_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// inside asks for what lies in lists in lists, and for people whom the provider does not tell of at once.
const inside = `{ organizations(first: 5) { edges { node { name registries(first: 10) { edges { node { name
  tokens(first: 5) { edges { node { name registry { name } organization { name } createdBy { name } } } } } } } } } } }`

// TestFiftyAtOnceCostWhatOneCosts asks the same fifty times at the same moment, while each request upstream takes a while.
func TestFiftyAtOnceCostWhatOneCosts(t *testing.T) {
	for name, cacheOff := range map[string]bool{"with the cache": false, "without the cache": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shape := providers.EmulatorOptions{Registries: 6, Tokens: 4}
				one := newWorld(t, plan{network: newMemory(), emulators: shape, cacheOff: cacheOff})
				one.slow(20 * time.Millisecond)
				want := one.ask(t, inside, nil)
				single := one.requests()

				many := newWorld(t, plan{network: newMemory(), emulators: shape, cacheOff: cacheOff})
				many.slow(20 * time.Millisecond)
				var wait sync.WaitGroup
				answers := make([]answer, 50)
				for i := range answers {
					wait.Go(func() { answers[i] = many.ask(t, inside, nil) })
				}
				wait.Wait()
				if diff := cmp.Diff(many.requests(), single); diff != "" {
					t.Errorf("the requests of fifty differ from those of one (-fifty +one):\n%s", diff)
				}
				for i, got := range answers {
					if diff := cmp.Diff(string(pretty(t, got)), string(pretty(t, want))); diff != "" {
						t.Fatalf("answer %d differs from that of one (-got +want):\n%s", i, diff)
					}
				}
				if single["buildkite"] == 0 || single["ionos"] == 0 {
					t.Errorf("one asked %v, want something of both", single)
				}
			})
		})
	}
}

func (w *world) slow(latency time.Duration) {
	for _, watched := range w.taps {
		watched.SetLatency(latency)
	}
}
