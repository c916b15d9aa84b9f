package catalog

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/cache"
	"regtok/providers"
)

// words say in short what became of each id: the provider's own id, or the kind of the error.
func words[V any](entries []cache.Entry[V], id func(V) providers.ID) []string {
	list := make([]string, len(entries))
	for i, entry := range entries {
		if entry.Err != nil {
			list[i] = string(providers.KindOf(entry.Err))
		} else {
			list[i] = id(entry.Value).Native
		}
		if !entry.StaleSince.IsZero() {
			list[i] += " stale"
		}
	}
	return list
}

func tokenWords(t *testing.T, c *Catalog, ids ...providers.ID) []string {
	return words(c.TokensByID(t.Context(), ids), func(t *Token) providers.ID { return t.ID })
}

func registryWords(t *testing.T, c *Catalog, ids ...providers.ID) []string {
	return words(c.RegistriesByID(t.Context(), ids), func(r *Registry) providers.ID { return r.ID })
}

func expectWords(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("what was found differs (-got +want):\n%s", diff)
	}
}

// grid are the ids of newGrid("p", …), and those of crowd.
var grid = struct{ o, n, r0, r1 providers.ID }{
	o: providers.OrganizationID("p", "o"), n: providers.OrganizationID("p", "n"),
	r0: providers.OrganizationID("p", "o").RegistryID("r0"), r1: providers.OrganizationID("p", "o").RegistryID("r1"),
}

func TestTheFewestRequestsReadTokensByTheirIDs(t *testing.T) {
	type ids = []providers.ID
	a, b, other := grid.r0.TokenID("t0"), grid.r0.TokenID("t1"), grid.r1.TokenID("t0")
	for name, test := range map[string]struct {
		before func(t *testing.T, c *Catalog)
		ids    ids
		want   []string
		asked  map[string]int
	}{
		"one":                            {nil, ids{a}, []string{"t0"}, map[string]int{"token": 1}},
		"the same one again and again":   {nil, ids{a, a, a}, []string{"t0", "t0", "t0"}, map[string]int{"token": 1}},
		"two of one registry":            {nil, ids{b, a}, []string{"t1", "t0"}, map[string]int{"tokens": 1}},
		"two of two registries":          {nil, ids{a, other}, []string{"t0", "t0"}, map[string]int{"token": 2}},
		"two and one":                    {nil, ids{a, other, b}, []string{"t0", "t0", "t1"}, map[string]int{"tokens": 1, "token": 1}},
		"none":                           {nil, ids{}, []string{}, map[string]int{}},
		"one that is not there":          {nil, ids{grid.r0.TokenID("x")}, []string{"NOT_FOUND"}, map[string]int{"token": 1}},
		"one of two is not there":        {nil, ids{a, grid.r0.TokenID("x")}, []string{"t0", "NOT_FOUND"}, map[string]int{"tokens": 1}},
		"one of an unknown organization": {nil, ids{tokenAt("p", "x")}, []string{"NOT_FOUND"}, map[string]int{"token": 1}},
		"one of an unknown provider":     {nil, ids{tokenAt("x", "o")}, []string{"NOT_FOUND"}, map[string]int{}},
		"one out of a list at hand": {
			func(t *testing.T, c *Catalog) { c.TokenLists(t.Context(), ids{grid.r0}) }, ids{b}, []string{"t1"}, map[string]int{},
		},
		"two out of a list at hand": {
			func(t *testing.T, c *Catalog) { c.TokenLists(t.Context(), ids{grid.r0}) }, ids{a, b}, []string{"t0", "t1"}, map[string]int{},
		},
		"two that were read alone": {
			func(t *testing.T, c *Catalog) { tokenWords(t, c, a); tokenWords(t, c, b) }, ids{a, b}, []string{"t0", "t1"}, map[string]int{},
		},
		"two of which one was read alone": {
			func(t *testing.T, c *Catalog) { tokenWords(t, c, a) }, ids{a, b}, []string{"t0", "t1"}, map[string]int{"token": 1},
		},
		"one that was not there a moment ago": {
			func(t *testing.T, c *Catalog) { tokenWords(t, c, grid.r0.TokenID("x")) }, ids{grid.r0.TokenID("x")}, []string{"NOT_FOUND"}, map[string]int{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGrid("p", 2, 3)
			c := over(t, s.account("a"))
			if test.before != nil {
				test.before(t, c)
				s.requests()
			}
			expectWords(t, tokenWords(t, c, test.ids...), test.want...)
			expectRequests(t, s.requests(), test.asked)
		})
	}
}

// tokenAt is a token somewhere else.
func tokenAt(provider, organization string) providers.ID {
	return providers.OrganizationID(provider, organization).RegistryID("r0").TokenID("t0")
}

func TestTheFewestRequestsReadRegistriesByTheirIDs(t *testing.T) {
	for name, test := range map[string]struct {
		fromList bool
		ids      []providers.ID
		want     map[string]int
	}{
		"one":                           {false, []providers.ID{grid.r0}, map[string]int{"registry": 1}},
		"two":                           {false, []providers.ID{grid.r0, grid.r1}, map[string]int{"registries": 1}},
		"one that is only in the list":  {true, []providers.ID{grid.r0}, map[string]int{"registries": 1}},
		"two that are only in the list": {true, []providers.ID{grid.r0, grid.r1}, map[string]int{"registries": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGrid("p", 2, 0)
			s.driver.RegistryFromList = test.fromList
			c := over(t, s.account("a"))
			expectWords(t, registryWords(t, c, test.ids...), []string{"r0", "r1"}[:len(test.ids)]...)
			expectRequests(t, s.requests(), test.want)
			expectWords(t, registryWords(t, c, test.ids...), []string{"r0", "r1"}[:len(test.ids)]...)
			expectRequests(t, s.requests(), map[string]int{})
		})
	}
}

func TestAnUnknownOrganizationOfTwoAccountsIsNotFoundWithoutARequestForIt(t *testing.T) {
	s := newGrid("p", 1, 1)
	c := over(t, s.account("a"), newGrid("p", 0, 0).account("b"))
	expectWords(t, tokenWords(t, c, tokenAt("p", "x"), grid.r0.TokenID("t0")), "NOT_FOUND", "t0")
	expectRequests(t, s.requests(), map[string]int{"organizations": 1, "token": 1})
	lists := c.TokenLists(t.Context(), []providers.ID{providers.OrganizationID("p", "x").RegistryID("r0"), grid.r0})
	if kind := providers.KindOf(lists[0].Err); kind != providers.NotFound || len(lists[1].Value) != 1 {
		t.Errorf("the lists are %+v, want NOT_FOUND and one token", lists)
	}
	expectRequests(t, s.requests(), map[string]int{"tokens": 1})
}

func TestWhoseOrganizationItIsCannotBeToldWithoutTheLists(t *testing.T) {
	s, blind := newGrid("p", 1, 1), newGrid("p", 1, 1)
	blind.failing(errDown)
	c := over(t, blind.account("a"), s.account("b"))
	expectWords(t, tokenWords(t, c, tokenAt("p", "x"), grid.r0.TokenID("t0")), "UNAVAILABLE", "t0")
	expectWords(t, registryWords(t, c, grid.r0), "r0")
}

func TestFiftyEqualReadsAtOnceCostOne(t *testing.T) {
	for name, test := range map[string]struct {
		read func(t *testing.T, c *Catalog)
		want map[string]int
	}{
		"a token": {func(t *testing.T, c *Catalog) {
			expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0")), "t0")
		}, map[string]int{"token": 1}},
		"two tokens": {func(t *testing.T, c *Catalog) {
			expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0"), grid.r0.TokenID("t1")), "t0", "t1")
		}, map[string]int{"tokens": 1}},
		"all tokens": {func(t *testing.T, c *Catalog) {
			if got := len(tokensOf(t, c, TokenFilter{}).Items); got != 6 {
				t.Errorf("%d tokens, want 6", got)
			}
		}, map[string]int{"organizations": 1, "registries": 1, "tokens": 2}},
		"a person": {func(t *testing.T, c *Catalog) {
			expectWords(t, personWords(t, c, Person{grid.o, providers.UserID("p", "u0")}), "u0")
		}, map[string]int{"user": 1}},
		"the end of the credential": {func(t *testing.T, c *Catalog) {
			if end, err := c.CredentialExpiry(t.Context(), c.Accounts(t.Context())[0]); !end.Equal(noon) || err != nil {
				t.Errorf("the credential ends %v, %v, want %v", end, err, noon)
			}
		}, map[string]int{"credential": 1}},
	} {
		for _, off := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", without a cache"}[off], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newGrid("p", 2, 3)
					s.end = noon
					s.slow(time.Second)
					c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Cache: cache.New(cache.Options{Off: off})})
					var wait sync.WaitGroup
					for range 50 {
						wait.Go(func() { test.read(t, c) })
					}
					wait.Wait()
					expectRequests(t, s.requests(), test.want)
				})
			})
		}
	}
}

func TestAFailureIsRememberedOnlyWhenTheThingIsGone(t *testing.T) {
	for name, test := range map[string]struct {
		err        *providers.Error
		remembered time.Duration
	}{
		"gone":         {errGone, gone},
		"forbidden":    {errForbidden, 0},
		"unauthorized": {&providers.Error{Kind: providers.Unauthorized, Status: 401}, 0},
		"limited":      {&providers.Error{Kind: providers.RateLimited, Status: 429}, 0},
		"down":         {errDown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newGrid("p", 1, 1)
				c := over(t, s.account("a"))
				s.failing(test.err)
				kind := string(test.err.Kind)
				expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0")), kind)
				s.behave(nil)
				if test.remembered > 0 {
					time.Sleep(test.remembered - 1)
					expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0")), kind)
					time.Sleep(time.Nanosecond)
				}
				expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0")), "t0")
				expectRequests(t, s.requests(), map[string]int{"token": 2})
			})
		})
	}
}

func TestAnOldTokenIsServedAtOnceAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 1, 1)
		c := over(t, s.account("a"))
		tokenWords(t, c, grid.r0.TokenID("t0"))
		time.Sleep(tokensFresh)
		s.slow(time.Second)
		expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0")), "t0 stale")
		time.Sleep(2 * time.Second)
		expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0")), "t0")
		expectRequests(t, s.requests(), map[string]int{"token": 2})
	})
}

func TestAnOldListStandsInForATokenThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 1, 2)
		c := over(t, s.account("a"))
		c.TokenLists(t.Context(), []providers.ID{grid.r0})
		since := time.Now().Add(tokensFresh)
		time.Sleep(time.Minute)
		s.failing(errDown)
		entry := c.TokensByID(t.Context(), []providers.ID{grid.r0.TokenID("t0")})[0]
		if entry.Err != nil || !entry.StaleSince.Equal(since) || !errors.Is(entry.Cause, errDown) {
			t.Errorf("the token is %+v, want it stale since %v because of %v", entry, since, errDown)
		}
		// What the list never had may well be there.
		expectWords(t, tokenWords(t, c, grid.r0.TokenID("t9")), "UNAVAILABLE")
		s.failing(errForbidden)
		expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0")), "FORBIDDEN")
	})
}

func TestAnOldListNeverSaysThatSomethingIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 1, 2)
		s.driver.RegistryFromList = true
		c := over(t, s.account("a"))
		registryWords(t, c, grid.r0)
		c.TokenLists(t.Context(), []providers.ID{grid.r0})
		time.Sleep(2 * time.Minute)
		s.registry(grid.o, "r1")
		s.token(grid.r0, "t2")
		s.failing(errDown)
		expectWords(t, registryWords(t, c, grid.r1), "UNAVAILABLE")
		expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0"), grid.r0.TokenID("t2")), "t0 stale", "UNAVAILABLE")
		s.behave(nil)
		s.slow(time.Second)
		time.Sleep(time.Minute) // until nothing pauses after a failure any more
		s.requests()
		expectWords(t, registryWords(t, c, grid.r1), "r1")
		expectWords(t, tokenWords(t, c, grid.r0.TokenID("t0"), grid.r0.TokenID("t2")), "t0", "t2")
		expectRequests(t, s.requests(), map[string]int{"registries": 1, "tokens": 1})
	})
}

func TestOrganizationsByID(t *testing.T) {
	s, q := newGrid("p", 0, 0), newGrid("q", 0, 0)
	q.failing(errDown)
	c := over(t, s.account("a"), s.account("b"), q.account("c"))
	unknown := providers.OrganizationID("p", "x")
	entries := c.OrganizationsByID(t.Context(), c, []providers.ID{unknown, grid.o, providers.OrganizationID("q", "o"), grid.o, providers.OrganizationID("x", "o")})
	expectWords(t, words(entries, func(o *Organization) providers.ID { return o.ID }), "NOT_FOUND", "o", "UNAVAILABLE", "o", "NOT_FOUND")
	if got := entries[1].Value.Account.Name; got != "a" {
		t.Errorf("it was read with %s, want a, which comes first", got)
	}
	expectRequests(t, s.requests(), map[string]int{"organizations": 2})
}

// At Buildkite, URLs name what is above a token; who reads the names keeps the lists that they stand in.
func TestColdNamesAreReadOnce(t *testing.T) {
	u := emulate(t, driver(t, "buildkite"), providers.EmulatorOptions{})
	whole := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
	token := tokensOf(t, whole, TokenFilter{Search: "devices"}).Items[0]
	registry, organization := token.ID.OfRegistry(), token.ID.OfOrganization()
	for name, read := range map[string]func(c *Catalog){
		"a token":                func(c *Catalog) { c.TokensByID(t.Context(), []providers.ID{token.ID}) },
		"a registry's tokens":    func(c *Catalog) { c.TokenLists(t.Context(), []providers.ID{registry}) },
		"a registry":             func(c *Catalog) { c.RegistriesByID(t.Context(), []providers.ID{registry}) },
		"an organization's list": func(c *Catalog) { c.RegistryLists(t.Context(), []providers.ID{organization}) },
		"people":                 func(c *Catalog) { c.UserLists(t.Context(), []providers.ID{organization}) },
		"a person":               func(c *Catalog) { c.Users(t.Context(), []Person{{organization, token.CreatedBy.ID}}) },
	} {
		t.Run(name, func(t *testing.T) {
			u.Reset()
			c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}})
			read(c)
			c.RegistriesByID(t.Context(), []providers.ID{registry})
			c.OrganizationsByID(t.Context(), c, []providers.ID{organization})
			for path, times := range u.Requests() {
				if times > 1 {
					t.Errorf("%s came %d times", path, times)
				}
			}
			if got := u.Requests()[http.MethodGet+" /v2/organizations"]; got != 1 {
				t.Errorf("the organizations were read %d times, want once", got)
			}
		})
	}
}
