package graph_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/auth"
	"regtok/expiry"
	"regtok/graph/transport"
	"regtok/providers"
)

// stage is a world whose events are told by the test.
type stage struct {
	*world
	log     *expiry.Memory
	streams *transport.Streams
	current []expiry.Event // what the present state is said to be; nil: what the rule makes of it
}

func newStage(t testing.TB, p plan) *stage {
	t.Helper()
	s := &stage{log: expiry.NewMemory(0, 0), streams: transport.NewStreams(transport.StreamConfig{Process: 10_000})}
	t.Cleanup(s.log.Close)
	p.events, p.streams = &expiry.Events{Log: s.log, Retention: 35 * day, Current: s.present}, s.streams
	s.world = newWorld(t, p)
	t.Cleanup(s.streams.Close) // before the servers, which wait for what is open
	return s
}

func (s *stage) present(_ context.Context, readings []expiry.Reading) ([]expiry.Event, error) {
	if s.current != nil {
		return s.current, nil
	}
	rule := expiry.NewRule(expiry.Settings{Thresholds: []time.Duration{30 * day}})
	var events []expiry.Event
	now := time.Now()
	for _, reading := range readings {
		if e, ok := rule.Current(rule.Read(expiry.State{}, reading, now).State, now); ok {
			events = append(events, e)
		}
	}
	return events, nil
}

const day = 24 * time.Hour

// event is the nth of a token: a warning, a week before its date.
func event(token string, n int) expiry.Event { return warning(token, n, 7*day) }

// warning is that of a threshold.
func warning(token string, n int, threshold time.Duration) expiry.Event {
	at := moment(n)
	return lastStep(threshold, at, looked(token, n, at, at.Add(threshold)))
}

// expired says that a token's date came.
func expired(token string, n int) expiry.Event {
	at := moment(n)
	return lastStep(day, at, looked(token, n, at, at))
}

// withdrawn takes back a warning.
func withdrawn(token string, n int) expiry.Event {
	at := moment(n)
	gone := looked(token, n, at, at.Add(6*day))
	gone.Disabled = true
	return lastStep(7*day, at, looked(token, n, at.Add(-2*day), at.Add(6*day)), looked(token, n, at.Add(-day), at.Add(6*day)), gone)
}

func moment(n int) time.Time { return time.Date(2026, 11, 1, 0, 0, n, 0, time.UTC) }

func looked(token string, n int, at, due time.Time) expiry.Reading {
	id, err := providers.ParseID(token)
	if err != nil {
		panic(err)
	}
	return expiry.Reading{At: at, Due: due, Source: expiry.ByProvider,
		Subject: expiry.Subject{Token: id, Name: fmt.Sprintf("name-%d", n), RegistryName: "images", CreatedBy: "Ada"}}
}

// lastStep is what a rule of one threshold tells last of readings, by the moment of the last.
func lastStep(threshold time.Duration, now time.Time, readings ...expiry.Reading) expiry.Event {
	rule := expiry.NewRule(expiry.Settings{Thresholds: []time.Duration{threshold}})
	var state expiry.State
	var told []expiry.Event
	for _, reading := range readings {
		state = rule.Read(state, reading, reading.At).State
		told, state.Untold = append(told, state.Untold...), nil
	}
	if e, ok := rule.Current(state, now); ok {
		return e
	}
	return told[len(told)-1]
}

func (s *stage) tell(t testing.TB, events ...expiry.Event) {
	t.Helper()
	if _, err := s.log.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

// cursors are those of the log's events.
func (s *stage) cursors(t testing.TB) []string {
	t.Helper()
	page, err := s.log.Read(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var cursors []string
	for _, entry := range page.Entries {
		cursors = append(cursors, string(entry.Cursor))
	}
	return cursors
}

// heard is a stream of server-sent events.
type heard struct {
	t      *testing.T
	reader *bufio.Reader
	stop   context.CancelFunc
}

func (s *stage) follow(t *testing.T, subscription string, variables object, lastEventID string) *heard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // a busy machine's
	t.Cleanup(cancel)
	given, err := json.Marshal(variables)
	if err != nil {
		t.Fatal(err)
	}
	address := s.url + "?" + url.Values{"query": {subscription}, "variables": {string(given)}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &heard{t, bufio.NewReader(response.Body), cancel}
}

// next is the data of the next event, and its id. Comments are passed over.
func (h *heard) next() (data, id string) {
	h.t.Helper()
	for {
		line, err := h.reader.ReadString('\n')
		if err != nil {
			h.t.Fatalf("the stream ends: %v", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" && data != "" {
			return data, id
		}
		if rest, ok := strings.CutPrefix(line, "data: "); ok {
			data, _, _ = strings.Cut(rest, `,"extensions":{"cost"`)
		}
		if rest, ok := strings.CutPrefix(line, "id: "); ok {
			id = rest
		}
	}
}

// hears wants the next events to be of these names.
func (h *heard) hears(names ...string) {
	h.t.Helper()
	for _, name := range names {
		data, _ := h.next()
		if want := `{"data":{"tokenExpiry":{"subject":{"name":"` + name + `"}}}`; data != want {
			h.t.Errorf("it hears %s, want %s", data, want)
		}
	}
}

const justNames = `subscription ($filter: TokenFilter, $thresholds: [Duration!], $after: EventCursor, $includeCurrent: Boolean! = false) {
  tokenExpiry(filter: $filter, thresholds: $thresholds, after: $after, includeCurrent: $includeCurrent) {
    ... on TokenExpiryEvent { subject { name } }
    ... on EventGap { reason after resumesAt }
  }
}`

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

// waitFor waits until so many streams are open.
func (s *stage) waitFor(t testing.TB, streams int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		if got := s.streams.Stats(); got.SSE+got.WebSocket == streams {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v, want %d streams", s.streams.Stats(), streams)
		}
		time.Sleep(time.Millisecond)
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

func TestWhatASubscriberMayNotAsk(t *testing.T) {
	s := newStage(t, plan{})
	tests := []struct {
		name      string
		variables object
		code      string
		argument  string
	}{
		{"a damaged cursor", object{"after": "no cursor"}, "INVALID", "after"},
		{"a provider that does not exist", object{"filter": object{"providers": []string{"quay"}}}, "INVALID", "filter.providers[0]"},
		{"a registry that is none", object{"filter": object{"registryIds": []string{ionosToken}}}, "NOT_FOUND", "filter.registryIds[0]"},
		{"a threshold that is none", object{"thresholds": []string{"P7D", "P2D"}}, "INVALID", "thresholds[1]"},
		{"states", object{"filter": object{"states": []string{"EXPIRING"}}}, "INVALID", "filter.states"},
		{"creators", object{"filter": object{"createdByIds": []string{}}}, "INVALID", "filter.createdByIds"},
		{"when it was created", object{"filter": object{"created": object{}}}, "INVALID", "filter.created"},
		{"what is never due", object{"filter": object{"neverDue": false}}, "INVALID", "filter.neverDue"},
		{"scopes", object{"filter": object{"scope": object{}}}, "INVALID", "filter.scope"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data, _ := s.follow(t, justNames, test.variables, "").next()
			expectRefused(t, data, test.code, test.argument)
			if test.variables["thresholds"] == nil {
				a := s.ask(t, `query ($filter: TokenFilter, $after: EventCursor) { tokenExpiryEvents(filter: $filter, after: $after) { nodes { id } } }`, test.variables)
				text, _ := json.Marshal(a)
				expectRefused(t, string(text), test.code, test.argument)
			}
		})
	}
	t.Run("a browser that comes back with a damaged cursor", func(t *testing.T) {
		data, _ := s.follow(t, justNames, object{}, "no cursor").next()
		expectRefused(t, data, "INVALID", "after")
	})
	t.Run("a page of no size", func(t *testing.T) {
		a := s.ask(t, `{ tokenExpiryEvents(first: 0) { nodes { id } } }`, nil)
		text, _ := json.Marshal(a)
		expectRefused(t, string(text), "INVALID", "first")
	})
	t.Run("anything, where no events are told", func(t *testing.T) {
		w := newWorld(t, plan{streams: s.streams})
		silent := &stage{world: w}
		data, _ := silent.follow(t, justNames, object{}, "").next()
		expectRefused(t, data, "UNSUPPORTED", "")
		text, _ := json.Marshal(w.ask(t, `{ tokenExpiryEvents { nodes { id } } }`, nil))
		expectRefused(t, string(text), "UNSUPPORTED", "")
	})
	t.Run("anything, without the permission", func(t *testing.T) {
		s := newStage(t, plan{viewer: &auth.Viewer{Subject: "reader", Permissions: []auth.Permission{auth.TokensRead}}})
		data, _ := s.follow(t, justNames, object{}, "").next()
		expectRefused(t, data, "FORBIDDEN", "")
	})
}

func expectRefused(t *testing.T, text, code, argument string) {
	t.Helper()
	var a struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code, Argument string }
		}
	}
	if err := json.Unmarshal([]byte(strings.TrimSuffix(text, "}")+"}"), &a); err != nil || len(a.Errors) != 1 {
		t.Fatalf("%v: it hears %s, want one error", err, text)
	}
	if e := a.Errors[0].Extensions; e.Code != code || e.Argument != argument || a.Errors[0].Message == "" {
		t.Errorf("it hears %s, want %s of %q", text, code, argument)
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
	small := expiry.NewMemory(2, 0)
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
