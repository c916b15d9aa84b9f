package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

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

// rename changes a token of Buildkite's as somebody would who does not use regtok.
func (r *replicas) rename(url, token string) {
	r.t.Helper()
	got := ask(r.t, url, fmt.Sprintf(`{ token(address: {id: %q}) { nativeId registry { slug organization { slug } } } }`, token))
	found, _ := got.Data["token"].(map[string]any)
	registry, _ := found["registry"].(map[string]any)
	organization, _ := registry["organization"].(map[string]any)
	address := fmt.Sprintf("%s/v2/packages/organizations/%s/registries/%s/tokens/%s", r.emulators[0].url, organization["slug"], registry["slug"], found["nativeId"])
	if status, said := with(r.t, http.MethodPost, address, "Bearer "+canary, `{"description": "renamed elsewhere"}`); status != http.StatusOK {
		r.t.Fatalf("%s answered %d %s", address, status, said)
	}
}

func TestWhatOneReplicaDoesTheOtherTellsOnce(t *testing.T) {
	server := redistest.Start(t)
	r := newReplicas(t, server)
	_, one := r.serve("REGTOK_TIMEOUT=5s")
	_, two := r.serve("REGTOK_TIMEOUT=5s")
	names, _ := r.look(two) // so that registries are known
	r.look(one)
	ids := slices.Sorted(maps.Keys(names)) // they begin with the length of their provider's name, and those of a registry are neighbours
	buildkite, neighbour := ids[len(ids)-1], ids[len(ids)-2]
	r.rename(one, neighbour)
	if !r.mutate(one, "patchToken", fmt.Sprintf(`token: {id: %q}, name: "another name"`, buildkite)) ||
		!r.mutate(one, "deleteToken", fmt.Sprintf(`token: {id: %q}`, buildkite)) {
		t.Fatal("the token was not changed and deleted")
	}
	want := []string{"CHANGED local", "DELETED local"}
	if got := r.activity(two, buildkite); !slices.Equal(got, want) {
		t.Errorf("the other replica tells %v, want %v", got, want)
	}
	// What was found in the same list has waited as long as what was done here would have, if it had been taken for found.
	eventually(t, "what was changed elsewhere is found, by nobody", func() bool {
		r.look(two)
		r.look(one)
		return slices.Equal(r.activity(one, neighbour), []string{"CHANGED <nil>"})
	})
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
