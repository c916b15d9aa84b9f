package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"regtok/redistest"
)

// activity is what a replica tells of a token, oldest first.
func (r *replicas) activity(url, token string) (lines []string) {
	r.t.Helper()
	got := ask(r.t, url, fmt.Sprintf(`{ tokenActivityEvents(first: 100, filter: {tokenIds: [%q]}) { nodes { kind actor } } }`, token))
	for _, node := range list(got, "tokenActivityEvents", "nodes") {
		event := node.(map[string]any)
		lines = append(lines, fmt.Sprint(event["kind"], " ", event["actor"]))
	}
	return lines
}

func TestWhatOneReplicaDoesTheOtherTellsOnce(t *testing.T) {
	server := redistest.Start(t)
	r := newReplicas(t, server)
	_, one := r.serve("REGTOK_TIMEOUT=5s")
	_, two := r.serve("REGTOK_TIMEOUT=5s")
	names, _ := r.look(two) // so that registries are known
	r.look(one)
	buildkite := slices.Sorted(maps.Keys(names))[len(names)-1] // ids begin with the length of their provider's name
	if !r.mutate(one, "patchToken", fmt.Sprintf(`token: {id: %q}, name: "another name"`, buildkite)) ||
		!r.mutate(one, "deleteToken", fmt.Sprintf(`token: {id: %q}`, buildkite)) {
		t.Fatal("the token was not changed and deleted")
	}
	want := []string{"CHANGED local", "DELETED local"}
	if got := r.activity(two, buildkite); !slices.Equal(got, want) {
		t.Errorf("the other replica tells %v, want %v", got, want)
	}
	for begin := time.Now(); time.Since(begin) < 8*time.Second; { // longer than what is new waits
		r.look(two)
		r.look(one)
	}
	if got := r.activity(one, buildkite); !slices.Equal(got, want) {
		t.Errorf("after the registry was read again it tells %v, want %v", got, want)
	}
	client := server.Client(t)
	for _, entry := range client.XRange(t.Context(), "regtok:1:{activity}:log", "-", "+").Val() {
		if strings.Contains(fmt.Sprint(entry.Values), canary) {
			t.Errorf("the log holds a credential: %v", entry.Values)
		}
	}
}
