package graph_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regtok/auth"
	"regtok/cache"
	"regtok/cache/cachetest"
	"regtok/catalog"
	"regtok/eventlog"
	"regtok/expiry"
	"regtok/graph"
	"regtok/graph/limits"
	"regtok/graph/transport"
	"regtok/ledger"
	"regtok/providers"
)

// county is two estates with several accounts, and two replicas over them that share what is cached far away.
type county struct {
	estates  []*estate
	accounts []*catalog.Account
	all      []providers.ID // organizations, registries, tokens and users
	replicas []http.Handler
	ledger   ledger.Ledger
	log      *eventlog.Memory[expiry.Event]
	streams  *transport.Streams
	callers  []*narrowCaller
}

func newCounty(t testing.TB) *county {
	p, q := newEstate("p"), newEstate("q")
	p0, p1 := p.organization(0, 2, 3), p.organization(1, 2, 3)
	q0, q1, q2, q3 := q.organization(0, 2, 3), q.organization(1, 2, 3), q.organization(2, 2, 3), q.organization(3, 2, 3)
	c := &county{
		estates: []*estate{p, q}, ledger: ledger.NewMemory(), log: expiry.NewMemory(0, 0),
		accounts: []*catalog.Account{
			p.lodge("p-acct-one", p0, p1), q.lodge("q-acct-one", q0, q1), q.lodge("q-acct-two", q1, q2), q.lodge("q-acct-three", q3),
		},
		streams: transport.NewStreams(transport.StreamConfig{Process: 10_000}),
	}
	t.Cleanup(c.log.Close)
	t.Cleanup(c.streams.Close)
	for _, e := range c.estates {
		for o, registries := range e.registries {
			c.all = append(c.all, o, e.users[o][0].ID)
			for _, r := range registries {
				c.all = append(c.all, r.ID)
				for _, token := range e.tokens[r.ID] {
					c.all = append(c.all, token.ID)
				}
			}
		}
	}
	slices.SortFunc(c.all, func(a, b providers.ID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range c.ofKind(providers.TokenKind) {
		c.append(t, c.log, c.eventOf(id))
	}
	far := cachetest.NewMemory()
	for range 2 {
		c.replicas = append(c.replicas, c.serve(t, c.accounts, cache.Options{Store: far.Connect(), Parallel: 64}, c.log))
	}
	return c
}

func (*county) append(t testing.TB, log *eventlog.Memory[expiry.Event], e expiry.Event) {
	if _, err := log.Append(t.Context(), []expiry.Event{e}); err != nil {
		t.Fatal(err)
	}
}

// eventOf is what is told of a token.
func (c *county) eventOf(token providers.ID) expiry.Event {
	return event(token.String(), slices.Index(c.ofKind(providers.TokenKind), token))
}

// current is the present state: everything is near its end.
func (c *county) current(_ context.Context, readings []expiry.Reading) ([]expiry.Event, error) {
	var events []expiry.Event
	for _, reading := range readings {
		events = append(events, c.eventOf(reading.Subject.Token))
	}
	slices.SortFunc(events, func(a, b expiry.Event) int { return a.OccurredAt.Compare(b.OccurredAt) })
	return events, nil
}

func (c *county) ofKind(kind providers.IDKind) []providers.ID {
	return slices.DeleteFunc(slices.Clone(c.all), func(id providers.ID) bool { return id.Kind != kind })
}

// serve is the API over some accounts.
func (c *county) serve(t testing.TB, accounts []*catalog.Account, o cache.Options, log *eventlog.Memory[expiry.Event]) http.Handler {
	store := cache.New(o)
	t.Cleanup(store.Close)
	limit := limits.Default()
	return graph.New(graph.Options{
		Catalog: catalog.New(catalog.Options{
			Drivers: []providers.Driver{c.estates[0].driver, c.estates[1].driver}, Accounts: accounts, Cache: store, Ledger: c.ledger,
			Policy: catalog.Policy{Thresholds: catalog.DefaultThresholds()},
		}),
		Events: &expiry.Events{Log: log, Current: c.current}, Streams: c.streams, Limits: limit, Log: slog.New(slog.DiscardHandler),
	})
}

// narrowCaller is a caller, and the server that has nothing but what they may know of.
type narrowCaller struct {
	county    *county
	viewer    auth.Viewer
	sees      func(providers.ID) bool
	reference http.Handler
	outside   []string // what must be in no answer
}

// caller makes a caller who is narrowed to some lists; a list that is nil does not narrow. The reference does without reaches.
func (c *county) caller(t testing.TB, subject string, said map[providers.ReachPart][]string) *narrowCaller {
	n := &narrowCaller{county: c, viewer: auth.Local()}
	n.viewer.Subject = subject
	for _, part := range providers.ReachParts() {
		names, narrowed := said[part]
		if !narrowed {
			continue
		}
		var err error
		if n.viewer.Reach, err = n.viewer.Reach.Narrow(part, names...); err != nil {
			t.Fatal(err)
		}
	}
	among := func(part providers.ReachPart, name string) bool {
		names, narrowed := said[part]
		return !narrowed || slices.Contains(names, name)
	}
	registries := said[providers.ReachRegistries]
	holds := func(o providers.ID) bool {
		return said[providers.ReachRegistries] == nil || slices.ContainsFunc(registries, func(text string) bool {
			r, _ := providers.ParseID(text)
			return r.OfOrganization() == o
		})
	}
	within := func(id providers.ID) bool { // but for accounts
		o, r := id, id
		switch id.Kind {
		case providers.TokenKind:
			o, r = id.OfOrganization(), id.OfRegistry()
		case providers.RegistryKind:
			o = id.OfOrganization()
		}
		return among(providers.ReachProviders, o.Provider) && among(providers.ReachOrganizations, o.String()) && holds(o) &&
			(r == o || among(providers.ReachRegistries, r.String()))
	}
	var accounts []*catalog.Account
	listed := map[providers.ID]bool{}
	for _, a := range c.accounts {
		uses := slices.ContainsFunc(c.ofKind(providers.OrganizationKind), func(o providers.ID) bool { return o.Provider == a.Driver.Name && within(o) })
		if !among(providers.ReachProviders, a.Driver.Name) || !among(providers.ReachAccounts, a.Name) || !uses {
			n.outside = append(n.outside, a.Name)
			continue
		}
		mine := *a
		mine.Provider = &shown{a.Provider, within}
		whole := said[providers.ReachOrganizations] == nil && registries == nil
		mine.Health = func() providers.Health {
			health := a.Health()
			health.Budgets = slices.DeleteFunc(health.Budgets, func(b providers.Budget) bool { return b.Of != "" && !whole })
			return health
		}
		accounts = append(accounts, &mine)
		for _, o := range a.Provider.(*lodge).organizations {
			listed[o] = true
		}
	}
	n.sees = func(id providers.ID) bool {
		o := id
		if id.Kind != providers.OrganizationKind {
			o = id.OfOrganization()
		}
		return within(id) && listed[o]
	}
	log := expiry.NewMemory(0, 0)
	t.Cleanup(log.Close)
	for _, id := range c.ofKind(providers.TokenKind) {
		if n.sees(id) {
			c.append(t, log, c.eventOf(id))
		}
	}
	for _, id := range c.all {
		switch {
		case id.Kind == providers.UserKind:
			o := providers.OrganizationID(id.Provider, strings.TrimSuffix(id.Native, "-user"))
			if strings.HasSuffix(id.Native, "-all-user") || n.sees(o) {
				continue
			}
		case n.sees(id):
			continue
		}
		n.outside = append(n.outside, id.Native)
	}
	n.reference = c.serve(t, accounts, cache.Options{Off: true, Parallel: 64}, log)
	c.callers = append(c.callers, n)
	return n
}

// asks runs an operation at a server, and returns the whole answer.
func (n *narrowCaller) asks(t testing.TB, api http.Handler, viewer auth.Viewer, query string, variables object) string {
	t.Helper()
	body, err := json.Marshal(object{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	api.ServeHTTP(recorder, r.WithContext(auth.NewContext(t.Context(), viewer)))
	return recorder.Body.String()
}

// told is an answer without what says how dear it was.
func told(t testing.TB, text string) string {
	t.Helper()
	var a struct {
		Data   json.RawMessage   `json:"data"`
		Errors []json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Errorf("the answer is no JSON: %v: %s", err, text)
	}
	slices.SortFunc(a.Errors, func(a, b json.RawMessage) int { return bytes.Compare(a, b) }) // siblings fail in any order
	return fmt.Sprintf("%s %s", a.Data, a.Errors)
}

// apart is where two texts differ.
func apart(a, b string) (string, string) {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	around := func(s string) string { return s[max(0, n-200):min(len(s), n+200)] }
	return around(a), around(b)
}

var encoded = regexp.MustCompile(`[A-Za-z0-9_-]{8,}`)

// leaks are the names of what is outside of the caller's reach that occur in a text, or in what is encoded in it.
func (n *narrowCaller) leaks(text string) []string {
	for _, word := range encoded.FindAllString(text, -1) {
		if plain, err := base64.RawURLEncoding.DecodeString(word); err == nil {
			text += "\n" + string(plain)
		}
	}
	return slices.DeleteFunc(slices.Clone(n.outside), func(name string) bool { return !strings.Contains(text, name) })
}

// strayed are the requests that were sent for callers who may not know of what was asked.
func (c *county) strayed() (list []string, asked int) {
	for _, e := range c.estates {
		e.mu.Lock()
		list, asked = append(list, e.strayed...), asked+e.asked
		e.mu.Unlock()
	}
	return list, asked
}

// anyReach draws lists that a caller is narrowed to.
func (c *county) anyReach(r *rand.Rand) map[providers.ReachPart][]string {
	said := map[providers.ReachPart][]string{}
	some := func(part providers.ReachPart, names []string, most int) {
		list := []string{}
		for range r.IntN(most + 1) {
			list = append(list, names[r.IntN(len(names))])
		}
		said[part] = list
	}
	texts := func(ids []providers.ID) (list []string) {
		for _, id := range ids {
			list = append(list, id.String())
		}
		return list
	}
	if r.IntN(4) == 0 {
		some(providers.ReachProviders, []string{"p", "q"}, 2)
	}
	if r.IntN(3) == 0 {
		some(providers.ReachAccounts, []string{"p-acct-one", "q-acct-one", "q-acct-two", "q-acct-three"}, 3)
	}
	if r.IntN(3) == 0 {
		some(providers.ReachOrganizations, texts(c.ofKind(providers.OrganizationKind)), 4)
	}
	if r.IntN(3) == 0 {
		some(providers.ReachRegistries, texts(c.ofKind(providers.RegistryKind)), 6)
	}
	return said
}
