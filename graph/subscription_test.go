package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"regtok/expiry"
	"regtok/providers"
)

func TestASubscriberMissesNothing(t *testing.T) {
	s := newStage(t, plan{})
	s.tell(t, event(ionosToken, 0), event(ionosToken, 1))
	cursors := s.cursors(t)
	from := s.follow(t, justNames, object{"after": cursors[0]}, "")
	from.hears("name-1")
	all := s.follow(t, justNames, object{"after": ""}, "")
	all.hears("name-0", "name-1")
	resumed := s.follow(t, justNames, object{"after": "", "includeCurrent": true}, cursors[0])
	resumed.hears("name-1")
	fresh := s.follow(t, justNames, object{}, "")
	s.waitFor(t, 4)
	s.tell(t, event(ionosToken, 2))
	for _, h := range []*heard{from, all, resumed, fresh} {
		h.hears("name-2")
	}
	s.tell(t, event(ionosToken, 2), event(ionosToken, 3))
	data, id := fresh.next()
	if want := `{"data":{"tokenExpiry":{"subject":{"name":"name-3"}}}`; data != want || id != s.cursors(t)[3] {
		t.Errorf("it hears %s with the id %s, want %s with the last cursor", data, id, want)
	}
}

func TestEverySubscriberGetsWhatTheyWant(t *testing.T) {
	id, err := providers.ParseID(ionosToken)
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, plan{})
	other := event(buildkiteToken, 1)
	s.tell(t, event(ionosToken, 0), other, warning(ionosToken, 2, day), expired(ionosToken, 3), withdrawn(ionosToken, 4))
	tests := []struct {
		name      string
		variables object
		want      []string
	}{
		{"all", object{}, []string{"name-0", "name-1", "name-2", "name-3", "name-4"}},
		{"of a provider", object{"filter": object{"providers": []string{"buildkite"}}}, []string{"name-1"}},
		{"of a registry", object{"filter": object{"registryIds": []string{id.OfRegistry().String()}}}, []string{"name-0", "name-2", "name-3", "name-4"}},
		{"of an organization", object{"filter": object{"organizationIds": []string{id.OfOrganization().String()}}}, []string{"name-0", "name-2", "name-3", "name-4"}},
		{"by name", object{"filter": object{"search": "NAME-3"}}, []string{"name-3"}},
		{"due in a span", object{"filter": object{"due": object{"to": "2026-11-08T00:00:02Z", "from": "2026-11-07T12:00:00Z"}}}, []string{"name-0", "name-1"}},
		{"a week before", object{"thresholds": []string{"P7D"}}, []string{"name-0", "name-1", "name-3", "name-4"}},
		{"a day before", object{"thresholds": []string{"P1D"}}, []string{"name-2", "name-3"}},
		{"a month before, and what takes that back", object{"thresholds": []string{"P30D"}}, []string{"name-3", "name-4"}},
		{"no threshold", object{"thresholds": []string{}}, []string{"name-3"}},
		{"none", object{"filter": object{"providers": []string{}}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			variables := object{"after": ""}
			for name, v := range test.variables {
				variables[name] = v
			}
			h := s.follow(t, justNames, variables, "")
			h.hears(test.want...)
			h.stop()
			if _, ok := test.variables["thresholds"]; ok {
				return
			}
			a := s.ask(t, `query ($filter: TokenFilter) { tokenExpiryEvents(filter: $filter, first: 5) { nodes { subject { name } } } }`, test.variables)
			for _, name := range test.want {
				if !strings.Contains(string(a.Data), `"`+name+`"`) {
					t.Errorf("the query answers %s, want %s, too", a.Data, name)
				}
			}
		})
	}
}

func TestThePresentStateComesFirst(t *testing.T) {
	s := newStage(t, plan{})
	s.tell(t, event(ionosToken, 0), event(ionosToken, 1))
	s.current = []expiry.Event{event(ionosToken, 7), event(ionosToken, 8), event(buildkiteToken, 9)}
	h := s.follow(t, justNames, object{"includeCurrent": true, "filter": object{"providers": []string{"ionos"}}}, "")
	first, id := h.next()
	if !strings.Contains(first, "name-7") || id != "" {
		t.Errorf("first it hears %s with the id %q, want name-7 without one: some is still to come", first, id)
	}
	last, id := h.next()
	if !strings.Contains(last, "name-8") || id != s.cursors(t)[1] {
		t.Errorf("then it hears %s with the id %q, want name-8 with the cursor from which it follows", last, id)
	}
	s.tell(t, event(ionosToken, 8), event(ionosToken, 2)) // the first was in the present state
	h.hears("name-2")

	s.current = nil
	ids := `subscription { tokenExpiry(includeCurrent: true, filter: {providers: ["ionos"]}) { ... on TokenExpiryEvent { id kind threshold subject { registryName } } } }`
	first, _ = s.follow(t, ids, nil, "").next()
	again, _ := s.follow(t, ids, nil, "").next()
	if first != again || !strings.Contains(first, `"kind":"THRESHOLD","threshold":"P30D"`) || strings.Contains(first, `"registryName":""`) {
		t.Errorf("the present state begins with %s, and then with %s", first, again)
	}
}

// TestNothingFallsBetweenThePresentStateAndWhatFollows tells an event while the present state is made.
func TestNothingFallsBetweenThePresentStateAndWhatFollows(t *testing.T) {
	s := newStage(t, plan{})
	s.world = newWorld(t, plan{streams: s.streams, events: &expiry.Events{
		Log: s.log,
		Current: func(ctx context.Context, _ []expiry.Reading) ([]expiry.Event, error) {
			_, err := s.log.Append(ctx, []expiry.Event{event(ionosToken, 1)})
			return []expiry.Event{event(ionosToken, 7)}, err
		},
	}})
	s.follow(t, justNames, object{"includeCurrent": true}, "").hears("name-7", "name-1")
}

func TestAnEventShowsTheTokenAsItIsNow(t *testing.T) {
	s := newStage(t, plan{})
	const query = `subscription { tokenExpiry { ... on TokenExpiryEvent {
	  kind threshold occurredAt dueAt dueSource
	  subject { tokenId name registryName createdBy provider { slug } }
	  token { name registry { name } } } } }`
	h := s.follow(t, query, nil, "")
	s.waitFor(t, 1)
	look := func(n int, now string) {
		t.Helper()
		s.tell(t, event(ionosToken, n))
		data, _ := h.next()
		want := fmt.Sprintf(`{"data":{"tokenExpiry":{"kind":"THRESHOLD","threshold":"P7D","occurredAt":"2026-11-01T00:00:0%dZ","dueAt":"2026-11-08T00:00:0%dZ","dueSource":"PROVIDER",`+
			`"subject":{"tokenId":"%s","name":"name-%d","registryName":"images","createdBy":"Ada","provider":{"slug":"ionos"}},"token":%s}}`, n, n, ionosToken, n, now)
		if data != want {
			t.Errorf("it hears %s\nwant %s", data, want)
		}
	}
	a := s.ask(t, `query ($id: ID!) { token(address: {id: $id}) { name registry { name } } }`, object{"id": ionosToken})
	var told struct{ Token json.RawMessage }
	if err := json.Unmarshal(a.Data, &told); err != nil {
		t.Fatal(err)
	}
	look(0, string(told.Token))
	s.ask(t, `mutation ($id: ID!) { patchToken(input: {token: {id: $id}, enabled: false}) { errors { message } } }`, object{"id": ionosToken})
	look(1, string(told.Token))
	s.ask(t, `mutation ($id: ID!) { deleteToken(input: {token: {id: $id}}) { errors { message } } }`, object{"id": ionosToken})
	look(2, "null")
}
