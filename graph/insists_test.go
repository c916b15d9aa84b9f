package graph_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// askWith runs an operation with a Cache-Control header.
func (w *world) askWith(t *testing.T, control, query string) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cache-Control", control)
	resp, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var a answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestWhoInsistsCostsWhatTheFirstOneCost reads the same cold, warm and with several headers.
func TestWhoInsistsCostsWhatTheFirstOneCost(t *testing.T) {
	for name, query := range map[string]string{
		"lists in lists": inside,
		"all tokens":     `{ tokens(first: 100) { totalCount nodes { name observedAt createdBy { name } } unavailable { reason } } }`,
		"one registry":   `{ registry(address: { native: { provider: "ionos", registry: "lindenhof-edge" } }) { name tokens { totalCount } } }`,
		"one operation reads each thing once": `{ a: tokens(first: 100) { totalCount } b: tokens(first: 100) { totalCount } registries { totalCount }
			organizations { nodes { name } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, plan{network: newMemory()})
				first := w.askWith(t, "", query)
				cold := w.requests()
				none := map[string]int{"buildkite": 0, "ionos": 0}
				if cmp.Equal(cold, none) || len(first.Errors) > 0 {
					t.Fatalf("the first answer cost %v, with errors %v", cold, first.Errors)
				}
				for _, test := range []struct {
					control string
					want    map[string]int
				}{{"", none}, {"no-cache", cold}, {"max-age=60", none}, {"no-store", cold}, {"max-age=0", cold}, {"", none}} {
					time.Sleep(time.Second)
					if a := w.askWith(t, test.control, query); len(a.Errors) > 0 {
						t.Errorf("%q: answered %v", test.control, a.Errors)
					}
					if diff := cmp.Diff(w.requests(), test.want); diff != "" {
						t.Errorf("%q: requests (-got +want):\n%s", test.control, diff)
					}
				}
			})
		})
	}
}

// TestAChangeIsMadeOnceHoweverTheCallerInsists patches a token: what insists are the reads around it.
func TestAChangeIsMadeOnceHoweverTheCallerInsists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, plan{network: newMemory()})
		var found struct {
			Tokens struct{ Nodes []struct{ ID string } }
		}
		if err := json.Unmarshal(w.askWith(t, "", `{ tokens(first: 1, filter: { providers: ["buildkite"] }) { nodes { id } } }`).Data, &found); err != nil {
			t.Fatal(err)
		}
		patch := `mutation { patchToken(input: {token: {id: "` + found.Tokens.Nodes[0].ID + `"}, name: "x"}) {
			token { name organization { name } } errors { message } } }`
		for _, control := range []string{"", "no-cache"} {
			a := w.askWith(t, control, patch)
			if got := string(a.Data); !strings.HasPrefix(got, `{"patchToken":{"token":{"name":"x","organization":{"name":"`) {
				t.Errorf("%q: answered %s, %v", control, got, a.Errors)
			}
		}
	})
}

// TestWhoInsistsSeesWhatOthersDid changes a token behind the API's back.
func TestWhoInsistsSeesWhatOthersDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const query = `{ tokens(first: 100) { nodes { observedAt } } }`
		w := newWorld(t, plan{network: newMemory()})
		observed := func(a answer) string {
			var data struct {
				Tokens struct{ Nodes []struct{ ObservedAt string } }
			}
			if err := json.Unmarshal(a.Data, &data); err != nil || len(data.Tokens.Nodes) == 0 {
				t.Fatalf("answered %s, %v", a.Data, a.Errors)
			}
			return data.Tokens.Nodes[0].ObservedAt
		}
		first := observed(w.askWith(t, "", query))
		time.Sleep(10 * time.Second)
		if got := observed(w.askWith(t, "", query)); got != first {
			t.Errorf("who does not insist gets what was observed at %s, want %s", got, first)
		}
		insisted := observed(w.askWith(t, "no-cache", query))
		if insisted == first {
			t.Errorf("who insists gets what was observed at %s", insisted)
		}
		if got := observed(w.askWith(t, "", query)); got != insisted {
			t.Errorf("the next gets what was observed at %s, want %s, which the one before read", got, insisted)
		}
	})
}

// TestWhoInsistsIsToldWhatIsOld insists while a provider limits requests.
func TestWhoInsistsIsToldWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const query = `{ tokens(first: 100, filter: { providers: ["ionos"] }) { totalCount unavailable { reason staleSince retryAfter } } }`
		n := newMemory()
		w := newWorld(t, plan{network: n, emulators: providers.EmulatorOptions{Registries: 2, Tokens: 3}})
		first := w.askWith(t, "", query)
		w.fail(n, "ionos", faultNamed(t, "limits requests for an hour"), everywhere)
		time.Sleep(time.Second)
		w.requests()
		a := w.askWith(t, "no-cache", query)
		text := string(a.Data)
		if len(a.Errors) > 0 || !strings.Contains(text, `"reason":"RATE_LIMITED","staleSince":"2000-01-01T00:00:00Z"`) {
			t.Errorf("answered %s, %v, want old data that is said to be old", text, a.Errors)
		}
		if total := `"totalCount":6`; !strings.Contains(text, total) || !strings.Contains(string(first.Data), total) {
			t.Errorf("answered %s, then %s, want %s in both", first.Data, text, total)
		}
		sent := w.requests()["ionos"]
		for range 5 {
			w.askWith(t, "no-cache", query)
		}
		if again := w.requests()["ionos"]; sent == 0 || again > sent {
			t.Errorf("insisting sent %d requests, and %d more when the limit was known", sent, again)
		}
	})
}
