package soak

import (
	"slices"
	"strings"
	"time"
)

// tokenShown is a token as the queries below ask for it.
type tokenShown struct {
	ID, Name   string
	ExpiresAt  string
	ObservedAt time.Time
	StaleSince time.Time
}

// listShown is a list as the queries below ask for it.
type listShown struct {
	TotalCount  int
	Nodes       []tokenShown
	PageInfo    struct{ HasNextPage bool }
	Unavailable []struct {
		Account        struct{ Provider struct{ Slug string } }
		OrganizationID string
		RegistryID     string
		Reason         string
		StaleSince     time.Time
	}
}

// The names of some looks.
const (
	dashboard = "everything, by due date"
	search    = "everything, by search"
)

const (
	aToken   = `id name expiresAt observedAt staleSince`
	theNotes = `unavailable { account { provider { slug } } organizationId registryId reason staleSince }`
	aList    = `totalCount nodes { ` + aToken + ` } pageInfo { hasNextPage } ` + theNotes
)

// look is one kind of query, and what its answer says of tokens.
type look struct {
	name  string
	share int // of all looks
	fresh bool
	query string
	// ask chooses what to ask for. It is false when there is nothing yet.
	ask func(p *pool) (wanted, bool)
	// read says what the answer tells. It is false where the answer has no data.
	read func(got reply, asked wanted, r *Read) bool
}

// wanted is what is asked for, as far as a query asks for some of it only.
type wanted struct {
	place Place    // with a registry
	ids   []string // of tokens
}

func (w wanted) variables() map[string]any {
	switch {
	case w.place != Place{}:
		return map[string]any{"id": w.place.Registry, "mark": mark}
	case len(w.ids) > 0:
		return map[string]any{"id": w.ids[0], "ids": w.ids}
	}
	return map[string]any{"mark": mark}
}

// looks are the kinds of queries.
func looks() []look {
	all := func(*pool) (wanted, bool) { return wanted{}, true }
	registry := func(p *pool) (wanted, bool) { return wanted{place: p.any()}, true }
	tokens := func(n int) func(*pool) (wanted, bool) {
		return func(p *pool) (wanted, bool) {
			ids := p.some(n)
			return wanted{ids: ids}, len(ids) > 0
		}
	}
	return []look{
		{dashboard, 10, false, `{ tokens(first: 50) { ` + aList + ` summary { active expiring expired disabled neverDue } } }`, all, readList},
		{search, 20, false, `query($mark: String!) { tokens(first: 100, filter: {search: $mark}) { ` + aList + ` } }`, all, readList},
		{"everything, newest first", 10, false, `{ tokens(first: 100, orderBy: {field: CREATED_AT, direction: DESC}) { ` + aList + ` } }`, all, readNewest},
		{"a registry's tokens", 20, false, `query($id: ID!, $mark: String!) { registry(address: {id: $id}) { tokens(first: 100, filter: {search: $mark}) { ` + aList + ` } } }`, registry, readRegistry},
		{"a token", 20, false, `query($id: ID!) { token(address: {id: $id}) { ` + aToken + ` } }`, tokens(1), readOne("token")},
		{"a token, insisting", 1, true, `query($id: ID!) { token(address: {id: $id}) { ` + aToken + ` } }`, tokens(1), readOne("token")},
		{"a node", 10, false, `query($id: ID!) { node(id: $id) { ... on Token { ` + aToken + ` } } }`, tokens(1), readOne("node")},
		{"nodes", 10, false, `query($ids: [ID!]!) { nodes(ids: $ids) { ... on Token { ` + aToken + ` } } }`, tokens(5), readNodes},
		{"registries", 5, false, `{ registries(first: 100) { totalCount ` + theNotes + ` } }`, all, readRegistries},
	}
}

// atLast is what each replica is asked when the load is over.
func atLast() look {
	i := slices.IndexFunc(looks(), func(l look) bool { return l.name == search })
	last := looks()[i]
	last.name = "everything, at last"
	return last
}

// list takes what a list shows into the read.
func (r *Read) list(list listShown) {
	for _, token := range list.Nodes {
		r.Shown[token.ID] = token.sight()
	}
	r.note(list)
}

func (r *Read) note(list listShown) {
	for _, u := range list.Unavailable {
		r.Notes = append(r.Notes, Note{Place{u.Account.Provider.Slug, u.OrganizationID, u.RegistryID}, u.StaleSince, u.Reason})
	}
}

func (t tokenShown) sight() Sight {
	return Sight{Value: valueOf(t.Name, t.ExpiresAt), Observed: t.ObservedAt, Old: t.StaleSince}
}

// readList: a list without another page shows all that fits, else only what it shows.
func readList(got reply, _ wanted, r *Read) bool {
	var list listShown
	if !got.into("tokens", &list) {
		return false
	}
	r.list(list)
	if !list.PageInfo.HasNextPage {
		r.Whole = []Place{{}}
	}
	return true
}

// readNewest: the load's tokens are the newest, so a page that ends with another one has them all.
func readNewest(got reply, _ wanted, r *Read) bool {
	var list listShown
	if !got.into("tokens", &list) {
		return false
	}
	r.list(list)
	if n := len(list.Nodes); n > 0 && !strings.HasPrefix(list.Nodes[n-1].Name, mark) {
		r.Whole = []Place{{}}
	}
	return true
}

func readRegistry(got reply, asked wanted, r *Read) bool {
	var registry struct{ Tokens *listShown }
	if !got.into("registry", &registry) || registry.Tokens == nil {
		return false
	}
	r.list(*registry.Tokens)
	if !registry.Tokens.PageInfo.HasNextPage {
		r.Whole = []Place{asked.place}
	}
	return true
}

func readRegistries(got reply, _ wanted, r *Read) bool {
	var list listShown
	ok := got.into("registries", &list)
	r.note(list)
	return ok
}

// readOne: null without an error says that there is no such token.
func readOne(field string) func(reply, wanted, *Read) bool {
	return func(got reply, asked wanted, r *Read) bool {
		if len(got.Errors) > 0 || got.Data[field] == nil {
			return false
		}
		var token tokenShown
		if got.into(field, &token) {
			r.Shown[token.ID] = token.sight()
		}
		r.Asked = asked.ids
		return true
	}
}

// readNodes: an error leaves null in the place of what it could not read, so an answer with one tells only what it shows.
func readNodes(got reply, asked wanted, r *Read) bool {
	var tokens []*tokenShown
	if !got.into("nodes", &tokens) {
		return false
	}
	for _, token := range tokens {
		if token != nil {
			r.Shown[token.ID] = token.sight()
		}
	}
	if len(got.Errors) == 0 {
		r.Asked = asked.ids
	}
	return true
}
