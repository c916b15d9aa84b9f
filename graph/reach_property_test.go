package graph_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"regtok/cache"
	"regtok/providers"
)

const (
	manyTokens = ` { totalCount pageInfo { endCursor hasNextPage } summary { active disabled neverDue }
		edges { cursor node { id name registry { id name } organization { id name } createdBy { id name } rotatedFrom { id } } }
		unavailable { account { id name } organizationId registryId reason message } } `
	manyRegistries = ` { totalCount pageInfo { endCursor } nodes { id name createdBy { name } organization { name } tokens(first: 3) { totalCount nodes { name } } }
		unavailable { account { name } organizationId reason message } } `
	manyOrganizations = ` { totalCount nodes { id name registries { totalCount nodes { name } } tokens(first: 2) { totalCount nodes { name } unavailable { registryId } }
		members { totalCount nodes { name tokens(first: 5) { totalCount } } } } unavailable { account { name } reason } } `
	anyNode = ` { __typename id ... on Account { name budgets { scope } credentialExpiresAt }
		... on Organization { name registries { totalCount } members { totalCount } } ... on Registry { name tokens { totalCount } organization { slug } }
		... on Token { name registry { name } createdBy { name } } ... on User { name tokens { totalCount nodes { name } } }
		... on TokenExpiryEvent { subject { name } } } `
)

// glances are reads of all kinds, with whatever ids, natives and filters may be there.
func (c *county) glances(r *rand.Rand) (query string, variables object) {
	one := func(kind providers.IDKind) providers.ID {
		ids := c.ofKind(kind)
		return ids[r.IntN(len(ids))]
	}
	several := func(kind providers.IDKind) []string {
		list := make([]string, r.IntN(4))
		for i := range list {
			list[i] = one(kind).String()
		}
		return list
	}
	filter := object{}
	for name, list := range map[string]func() any{
		"registryIds":     func() any { return several(providers.RegistryKind) },
		"organizationIds": func() any { return several(providers.OrganizationKind) },
		"createdByIds":    func() any { return several(providers.UserKind) },
		"providers":       func() any { return []string{"q"} },
		"search":          func() any { return []string{"reg01", "q-org01", "tok"}[r.IntN(3)] },
	} {
		if r.IntN(4) == 0 {
			filter[name] = list()
		}
	}
	orders := []string{"{field: NAME, direction: DESC}", "{field: CREATED_AT, direction: ASC}", "{field: DUE_AT, direction: ASC}"}
	order := orders[r.IntN(len(orders))]
	variables = object{"first": 1 + r.IntN(30), "filter": filter}
	switch r.IntN(10) {
	case 0, 1, 2:
		return `query ($first: Int!, $filter: TokenFilter) { tokens(first: $first, filter: $filter, orderBy: ` + order + `)` + manyTokens + ` }`, variables
	case 3:
		delete(filter, "registryIds")
		delete(filter, "createdByIds")
		return `query ($first: Int!, $filter: RegistryFilter) { registries(first: $first, filter: $filter)` + manyRegistries + ` }`, variables
	case 4:
		return `{ organizations` + manyOrganizations + ` }`, nil
	case 5:
		var ids []string
		for _, kind := range []providers.IDKind{providers.OrganizationKind, providers.RegistryKind, providers.TokenKind, providers.UserKind} {
			ids = append(ids, several(kind)...)
		}
		ids = append(ids, c.accounts[r.IntN(len(c.accounts))].ID().String(), c.eventOf(one(providers.TokenKind)).ID)
		return `query ($ids: [ID!]!) { nodes(ids: $ids)` + anyNode + ` }`, object{"ids": ids}
	case 6:
		kinds := []providers.IDKind{providers.OrganizationKind, providers.RegistryKind, providers.TokenKind, providers.UserKind}
		return `query ($id: ID!) { node(id: $id)` + anyNode + ` }`, object{"id": one(kinds[r.IntN(4)]).String()}
	case 7:
		registry, token := one(providers.RegistryKind), one(providers.TokenKind)
		return fmt.Sprintf(`{ registry(address: {native: {provider: %q, registry: %q}}) { name tokens { totalCount } }
			token(address: {native: {registryId: %q, nativeId: %q}}) { id name } }`,
			registry.Provider, registry.Native, token.OfRegistry(), token.Native), nil
	case 8:
		return `{ accounts { id name healthy lastError budgets { scope } credentialExpiresAt } }`, nil
	}
	return `{ tokenExpiryEvents(first: 100) { nodes { id subject { name tokenId } token { id name } } gap { reason } } }`, nil
}

// acts are writes to whatever there may be; the thing written to is told.
func (c *county) acts(r *rand.Rand) (query string, thing providers.ID) {
	tokens := c.ofKind(providers.TokenKind)
	token := tokens[r.IntN(len(tokens))]
	address := fmt.Sprintf(`token: {id: %q}`, token)
	if r.IntN(2) == 0 {
		address = fmt.Sprintf(`token: {native: {registryId: %q, nativeId: %q}}`, token.OfRegistry(), token.Native)
	}
	const secretOf = ` { token { id name registry { name } } credential { secret } errors { code message path } } `
	switch r.IntN(5) {
	case 0:
		return fmt.Sprintf(`mutation { it: createToken(input: {registryId: %q, name: "made", idempotencyKey: "key-%s"})`+secretOf+`}`, token.OfRegistry(), token.Registry), token.OfRegistry()
	case 1:
		return `mutation { it: patchToken(input: {` + address + `, name: "patched"}) { token { id name } errors { code message } } }`, token
	case 2:
		return `mutation { it: rotateToken(input: {` + address + `, overlap: "PT0S", idempotencyKey: "key-` + token.Native + `"})` + secretOf + `}`, token
	case 3:
		return `mutation { it: replaceToken(input: {` + address + `, name: "replaced", expiry: {never: true}}) { token { id } errors { code message } } }`, token
	}
	return `mutation { it: deleteToken(input: {` + address + `, allowMissing: true}) { deletedTokenId registry { name } errors { code message } } }`, token
}

// TestWhatIsOutOfReachIsNotThere lets many narrowed callers do anything at the same time, at two replicas that share what they
// know. Each read answers what a server says that has nothing but what the caller may know of, and that shares nothing; a write
// to anything else is NOT_FOUND; nothing is asked for a caller who may not know of it.
func TestWhatIsOutOfReachIsNotThere(t *testing.T) {
	for seed := range 4 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 6))
			c := newCounty(t)
			for i := range 8 { // two of each name
				c.caller(t, fmt.Sprint("caller-", i/2), c.anyReach(r))
			}
			c.breakSome(r)
			c.together(r, func(r *rand.Rand) { c.reads(t, r, c.replicas[r.IntN(2)]) })
			c.mend()
			c.together(r, func(r *rand.Rand) { c.writes(t, r, c.replicas[r.IntN(2)]) })
			cold := c.serve(t, c.accounts, cache.Options{Off: true, Parallel: 64}, c.log)
			c.together(r, func(r *rand.Rand) { c.reads(t, r, cold) })
			if list, asked := c.strayed(); len(list) > 0 || asked == 0 {
				t.Errorf("of %d requests %d were for callers who may not know of what was asked: %s", asked, len(list), strings.Join(list[:min(3, len(list))], "; "))
			}
		})
	}
}

// together does something several times at once, each time with chances of its own.
func (c *county) together(r *rand.Rand, do func(*rand.Rand)) {
	var all sync.WaitGroup
	for range 8 {
		own := rand.New(rand.NewPCG(r.Uint64(), 1))
		all.Go(func() {
			for range 8 {
				do(own)
			}
		})
	}
	all.Wait()
}

// breakSome makes some lists fail, the same ones for everybody. Where several accounts see one organization, their lists
// of these do not: who owns what could not be told then.
func (c *county) breakSome(r *rand.Rand) {
	p, q := c.estates[0], c.estates[1]
	p.broken[c.accounts[0].ID()] = r.IntN(6) == 0
	for _, id := range append(c.ofKind(providers.OrganizationKind), c.ofKind(providers.RegistryKind)...) {
		p.broken[id] = r.IntN(8) == 0
		q.broken[id] = p.broken[id]
	}
}

func (c *county) mend() {
	for _, e := range c.estates {
		e.mu.Lock()
		clear(e.broken)
		e.mu.Unlock()
	}
}

// reads compares what a caller is told with what the reference says.
func (c *county) reads(t *testing.T, r *rand.Rand, api http.Handler) {
	n := c.callers[r.IntN(len(c.callers))]
	query, variables := c.glances(r)
	text := n.asks(t, api, n.viewer, query, variables)
	whole := n.viewer
	whole.Reach = providers.Reach{}
	got, want := told(t, text), told(t, n.asks(t, n.reference, whole, query, variables))
	if got != want {
		got, want := apart(got, want)
		t.Errorf("%s is told\n…%s…\nof %s %v\nwant\n…%s…", n.viewer.Subject, got, query, variables, want)
	}
	if leaks := n.leaks(text); len(leaks) > 0 {
		t.Errorf("%s is told of %v: %s", n.viewer.Subject, leaks, text)
	}
}

// writes lets a caller write, and wants what is out of reach not to be there.
func (c *county) writes(t *testing.T, r *rand.Rand, api http.Handler) {
	n := c.callers[r.IntN(len(c.callers))]
	query, thing := c.acts(r)
	text := n.asks(t, api, n.viewer, query, nil)
	if refused := strings.Contains(text, `"code":"NOT_FOUND"`) && !strings.Contains(text, `"secret"`); !refused && !n.sees(thing) {
		t.Errorf("%s is out of the reach of %s, and was answered %s", thing.Native, n.viewer.Subject, text)
	}
	if leaks := n.leaks(text); len(leaks) > 0 {
		t.Errorf("%s is told of %v: %s", n.viewer.Subject, leaks, text)
	}
	if strings.Contains(text, "INTERNAL") {
		t.Errorf("%s is answered %s", query, text)
	}
}
