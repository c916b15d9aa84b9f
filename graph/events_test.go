package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/expiry"
)

func TestThePastOfEvents(t *testing.T) {
	s := newStage(t, plan{})
	const query = `query ($first: Int!, $after: EventCursor) { tokenExpiryEvents(first: $first, after: $after) {
	  edges { cursor node { cursor } } nodes { subject { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } gap { reason } } }`
	type page struct {
		TokenExpiryEvents struct {
			Edges []struct {
				Cursor string
				Node   struct{ Cursor string }
			}
			Nodes    []struct{ Subject struct{ Name string } }
			PageInfo struct {
				HasNextPage, HasPreviousPage bool
				StartCursor                  *string
				EndCursor                    string
			}
			Gap any
		}
	}
	read := func(first int, after string) page {
		t.Helper()
		a := s.ask(t, query, object{"first": first, "after": after})
		var p page
		if err := json.Unmarshal(a.Data, &p); err != nil || len(a.Errors) > 0 {
			t.Fatal(err, a.Errors)
		}
		return p
	}
	if got := read(2, "").TokenExpiryEvents; len(got.Nodes) > 0 || got.PageInfo.HasNextPage || got.PageInfo.HasPreviousPage {
		t.Errorf("without any events: %+v", got)
	}
	s.tell(t, event(ionosToken, 0), event(ionosToken, 1), event(ionosToken, 2))
	cursors := s.cursors(t)
	var names, seen []string
	after := ""
	for {
		got := read(2, after).TokenExpiryEvents
		for i, node := range got.Nodes {
			names, seen = append(names, node.Subject.Name), append(seen, got.Edges[i].Cursor)
			if got.Edges[i].Node.Cursor != got.Edges[i].Cursor {
				t.Errorf("an event's cursor is %s, its edge's %s", got.Edges[i].Node.Cursor, got.Edges[i].Cursor)
			}
		}
		if got.PageInfo.HasPreviousPage != (after != "") || got.Gap != nil {
			t.Errorf("after %q: %+v", after, got)
		}
		after = got.PageInfo.EndCursor
		if !got.PageInfo.HasNextPage {
			break
		}
	}
	if want := []string{"name-0", "name-1", "name-2"}; !slices.Equal(names, want) {
		t.Errorf("the pages hold %v, want %v", names, want)
	}
	if diff := cmp.Diff(seen, cursors); diff != "" {
		t.Errorf("cursors (-got +want):\n%s", diff)
	}
	h := s.follow(t, justNames, object{"after": after}, "") // where the last page ends
	s.tell(t, event(ionosToken, 3))
	h.hears("name-3")
}

func TestAnEventIsANode(t *testing.T) {
	s := newStage(t, plan{})
	e := event(ionosToken, 0)
	s.tell(t, e)
	const one, many = `query ($id: ID!) { node(id: $id) { id ... on TokenExpiryEvent { kind } } }`, `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`
	want := `{"node":{"id":"` + e.ID + `","kind":"THRESHOLD"}}`
	if a := s.ask(t, one, object{"id": e.ID}); string(a.Data) != want {
		t.Errorf("node: %s, %v, want %s", a.Data, a.Errors, want)
	}
	if a := s.ask(t, fmt.Sprintf(`{ node(id: %q) { id ... on TokenExpiryEvent { kind } } }`, e.ID), nil); string(a.Data) != want {
		t.Errorf("node by a literal: %s, %v, want %s", a.Data, a.Errors, want)
	}
	other := "B" + e.ID[1:]
	if a := s.ask(t, one, object{"id": e.ID[:len(e.ID)-2] + "AA"}); string(a.Data) != `{"node":null}` || len(a.Errors) > 0 {
		t.Errorf("an event that the log does not have: %s, %v, want null", a.Data, a.Errors)
	}
	if a := s.ask(t, many, object{"ids": []string{ionosToken, e.ID, other}}); string(a.Data) != `{"nodes":[{"id":"`+ionosToken+`"},{"id":"`+e.ID+`"},null]}` || len(a.Errors) != 1 {
		t.Errorf("nodes: %s, %v", a.Data, a.Errors)
	}
	if a := s.ask(t, many, object{"ids": e.ID}); string(a.Data) != `{"nodes":[{"id":"`+e.ID+`"}]}` {
		t.Errorf("nodes of one: %s, %v", a.Data, a.Errors)
	}
	guarded := newStage(t, plan{viewer: &auth.Viewer{Subject: "reader", Permissions: []auth.Permission{auth.TokensRead}}})
	expectForbids(t, guarded.ask(t, one, object{"id": e.ID}), auth.EventsRead)
}

// TestEventsMayBeReadWithoutTokens: what a token is now needs the right to read tokens, what it was does not.
func TestEventsMayBeReadWithoutTokens(t *testing.T) {
	s := newStage(t, plan{viewer: &auth.Viewer{Subject: "listener", Permissions: []auth.Permission{auth.EventsRead}}})
	s.tell(t, event(ionosToken, 0))
	a := s.ask(t, `{ tokenExpiryEvents { nodes { subject { name } token { name } } } }`, nil)
	if want := `{"tokenExpiryEvents":{"nodes":[{"subject":{"name":"name-0"},"token":null}]}}`; string(a.Data) != want {
		t.Errorf("got %s, want %s", a.Data, want)
	}
	expectForbids(t, a, auth.TokensRead)
}

func TestALogThatCannotBeReadIsUnavailable(t *testing.T) {
	s := newStage(t, plan{})
	s.log.Close()
	data, _ := s.follow(t, justNames, object{}, "").next()
	expectRefused(t, data, "UNAVAILABLE", "")
}

func TestAGapIsTold(t *testing.T) {
	s := newStage(t, plan{})
	small := newLog(2)
	t.Cleanup(small.Close)
	p := plan{events: &expiry.Events{Log: small}, streams: s.streams}
	w := &stage{world: newWorld(t, p), log: small, streams: s.streams}
	w.tell(t, event(ionosToken, 0))
	old := w.cursors(t)[0]
	for n := 1; n < 5; n++ {
		w.tell(t, event(ionosToken, n))
	}
	h := w.follow(t, justNames, object{"after": old}, "")
	data, id := h.next()
	if !strings.HasPrefix(data, `{"data":{"tokenExpiry":{"reason":"EXPIRED_CURSOR","after":"`+old+`","resumesAt":"`+id+`"}}`) {
		t.Errorf("it hears %s with the id %s, want a gap", data, id)
	}
	h.hears("name-3", "name-4")
	a := w.ask(t, `query ($after: EventCursor) { tokenExpiryEvents(after: $after) { gap { reason } nodes { subject { name } } } }`, object{"after": old})
	if want := `{"tokenExpiryEvents":{"gap":{"reason":"EXPIRED_CURSOR"},"nodes":[{"subject":{"name":"name-3"}},{"subject":{"name":"name-4"}}]}}`; string(a.Data) != want {
		t.Errorf("the query answers %s, want %s", a.Data, want)
	}
}
