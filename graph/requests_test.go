package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"regtok/providers"
)

// sent is how many requests all providers got since the last look.
func (w *world) sent() (n int) {
	for _, of := range w.requests() {
		n += of
	}
	return n
}

func TestAnAnswerTakesSoManyRequestsAndTellsWhatItLacks(t *testing.T) {
	const all = `{ tokens(first: 100) { totalCount unavailable { reason message } } }`
	estate := providers.EmulatorOptions{Registries: 30, Tokens: 1}
	free := newWorld(t, plan{emulators: estate})
	if a := free.ask(t, all, nil); !strings.Contains(string(a.Data), `"unavailable":[]`) {
		t.Fatalf("without a limit the answer is %s, %v", a.Data, a.Errors)
	}
	whole := free.sent()

	w := newWorld(t, plan{emulators: estate, requests: 20})
	a := w.ask(t, all, nil)
	var said struct {
		Tokens struct {
			TotalCount  int
			Unavailable []struct{ Reason, Message string }
		}
	}
	if err := json.Unmarshal(a.Data, &said); err != nil || len(a.Errors) > 0 {
		t.Fatalf("answered %s, %v", a.Data, a.Errors)
	}
	if sent := w.sent(); sent != 20 || whole <= 20 {
		t.Errorf("%d requests were sent, want 20 of %d", sent, whole)
	}
	const why = "this operation has sent 20 requests to providers, which is all that it may: ask for less at a time"
	if said.Tokens.TotalCount == 0 || len(said.Tokens.Unavailable) == 0 {
		t.Errorf("it has %d tokens and lacks %v, want some of both", said.Tokens.TotalCount, said.Tokens.Unavailable)
	}
	for _, gap := range said.Tokens.Unavailable {
		if gap.Reason != "RATE_LIMITED" || !strings.HasPrefix(gap.Message, why) {
			t.Errorf("it lacks something because %s: %s, want %s", gap.Reason, gap.Message, why)
		}
	}
	for range whole/20 + 1 { // what was read is kept, so that others get on with it
		a = w.ask(t, all, nil)
	}
	if !strings.Contains(string(a.Data), `"unavailable":[]`) {
		t.Errorf("in the end it is %s", a.Data)
	}
}

func TestAFieldThatWouldTakeTooManyRequestsIsTooCostly(t *testing.T) {
	w := newWorld(t, plan{emulators: providers.EmulatorOptions{Registries: 30, Tokens: 1}, requests: 10})
	a := w.ask(t, `{ registries(first: 100) { nodes { tokens { totalCount } } } }`, nil)
	if len(a.Errors) == 0 {
		t.Fatalf("answered %s", a.Data)
	}
	extensions, _ := a.Errors[0]["extensions"].(map[string]any)
	if extensions["code"] != "QUERY_TOO_COSTLY" || extensions["limit"] != "upstreamRequests" || extensions["max"] != 10.0 {
		t.Errorf("answered %v", a.Errors[0])
	}
	if sent := w.sent(); sent != 10 {
		t.Errorf("%d requests were sent, want 10", sent)
	}
}

// TestWhoHasRequestsLeftLacksNothing reads one registry beside those who read more than they may: they share what is read, and
// not what they lack.
func TestWhoHasRequestsLeftLacksNothing(t *testing.T) {
	for round := range 10 {
		w := newWorld(t, plan{emulators: providers.EmulatorOptions{Registries: 30, Tokens: 1}, requests: 20})
		var list struct {
			Registries struct{ Nodes []struct{ ID string } }
		}
		if err := json.Unmarshal(w.ask(t, `{ registries(first: 100) { nodes { id } } }`, nil).Data, &list); err != nil {
			t.Fatal(err)
		}
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() { w.ask(t, `{ tokens(first: 100) { totalCount } }`, nil) })
		}
		for _, registry := range list.Registries.Nodes {
			readers.Go(func() {
				a := w.ask(t, fmt.Sprintf(`{ registry(address: {id: %q}) { tokens { totalCount unavailable { message } } } }`, registry.ID), nil)
				if len(a.Errors) > 0 || !strings.Contains(string(a.Data), `"unavailable":[]`) {
					t.Errorf("round %d: one registry is answered %s, %v", round, a.Data, a.Errors)
				}
			})
		}
		readers.Wait()
	}
}
