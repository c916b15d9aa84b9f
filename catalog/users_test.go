package catalog

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/providers"
)

func personWords(t *testing.T, c *Catalog, people ...Person) []string {
	return words(c.Users(t.Context(), people), func(u *User) providers.ID { return u.ID })
}

// crowd is a provider with two organizations, o with u0 to u4 and n with u4 to u6.
func crowd() *source {
	s := newSource("p")
	for organization, natives := range map[providers.ID][]string{
		s.organization("o"): {"u0", "u1", "u2", "u3", "u4"}, s.organization("n"): {"u4", "u5", "u6"},
	} {
		for _, native := range natives {
			s.users[organization] = append(s.users[organization], providers.User{ID: user(native), Name: native, Complete: true})
		}
	}
	return s
}

func user(native string) providers.ID { return providers.UserID("p", native) }

// in are people of the organization o.
func in(natives ...string) []Person {
	people := make([]Person, len(natives))
	for i, native := range natives {
		people[i] = Person{grid.o, user(native)}
	}
	return people
}

// anywhere are people of whom no organization is known.
func anywhere(natives ...string) []Person {
	people := make([]Person, len(natives))
	for i, native := range natives {
		people[i] = Person{ID: user(native)}
	}
	return people
}

func TestTheFirstPersonIsReadAloneAndTheNextWithTheWholeList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := crowd()
		c := over(t, s.account("a"))
		for _, step := range []struct {
			people []Person
			want   []string
			asked  map[string]int
		}{
			{in("u0"), []string{"u0"}, map[string]int{"user": 1}},
			{in("u0", "u0"), []string{"u0", "u0"}, map[string]int{}},
			{in("u1"), []string{"u1"}, map[string]int{"users": 1}},
			{in("u2", "u0", "u3"), []string{"u2", "u0", "u3"}, map[string]int{}},
			{in("x"), []string{"NOT_FOUND"}, map[string]int{}},
		} {
			expectWords(t, personWords(t, c, step.people...), step.want...)
			expectRequests(t, s.requests(), step.asked)
		}
		time.Sleep(usersFresh + staleFor)
		expectWords(t, personWords(t, c, in("u1")...), "u1")
		expectRequests(t, s.requests(), map[string]int{"user": 1})
	})
}

func TestSeveralPeopleAreReadWithTheWholeListAtOnce(t *testing.T) {
	s := crowd()
	c := over(t, s.account("a"))
	people := append(in("u1", "u0"), Person{providers.OrganizationID("p", "n"), user("u5")})
	expectWords(t, personWords(t, c, people...), "u1", "u0", "u5")
	expectRequests(t, s.requests(), map[string]int{"users": 1, "user": 1})
}

// Many credentials may not read people, and every list of tokens would ask again.
func TestThatPeopleAreHiddenIsRememberedForAWhile(t *testing.T) {
	for _, err := range []*providers.Error{errForbidden, errGone} {
		t.Run(string(err.Kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := crowd()
				s.failing(err)
				c := over(t, s.account("a"))
				kind := string(err.Kind)
				expectWords(t, personWords(t, c, in("u0")...), kind)
				expectWords(t, personWords(t, c, in("u1", "u2")...), kind, kind)
				expectRequests(t, s.requests(), map[string]int{"user": 1, "users": 1})
				time.Sleep(hidden - 1)
				expectWords(t, personWords(t, c, in("u0", "u1", "u3")...), kind, kind, kind)
				expectRequests(t, s.requests(), map[string]int{})
				s.behave(nil)
				time.Sleep(time.Nanosecond)
				expectWords(t, personWords(t, c, in("u0", "u1", "u3")...), "u0", "u1", "u3")
				expectRequests(t, s.requests(), map[string]int{"users": 1})
			})
		})
	}
}

func TestAFailureToReadPeopleIsNotRemembered(t *testing.T) {
	s := crowd()
	s.failing(errDown)
	c := over(t, s.account("a"))
	expectWords(t, personWords(t, c, in("u0", "u1")...), "UNAVAILABLE", "UNAVAILABLE")
	s.behave(nil)
	expectWords(t, personWords(t, c, in("u0", "u1")...), "u0", "u1")
}

func TestAPersonIsLookedForInEveryOrganization(t *testing.T) {
	s := crowd()
	c := over(t, s.account("a"), s.account("b"))
	expectWords(t, personWords(t, c, anywhere("u5")...), "u5")
	// The accounts' organizations, and each of these once although both accounts have it.
	expectRequests(t, s.requests(), map[string]int{"organizations": 2, "user": 2})
	expectWords(t, personWords(t, c, anywhere("u5")...), "u5")
	expectRequests(t, s.requests(), map[string]int{})
	expectWords(t, personWords(t, c, anywhere("x")...), "NOT_FOUND")
	expectWords(t, personWords(t, c, Person{ID: providers.UserID("nobody", "u0")}), "NOT_FOUND")
}

func TestManyPeopleAreLookedForWithOneListEach(t *testing.T) {
	s := crowd()
	c := over(t, s.account("a"))
	expectWords(t, personWords(t, c, anywhere("u6", "u0", "x", "u5", "u1")...), "u6", "u0", "NOT_FOUND", "u5", "u1")
	expectRequests(t, s.requests(), map[string]int{"organizations": 1, "users": 2})
}

func TestAPersonIsFirstLookedForWhereTheAnswerIsAtHand(t *testing.T) {
	s := crowd()
	c := over(t, s.account("a"))
	last := providers.OrganizationID("p", "n")
	if s.organizations[0].ID == last {
		last = grid.o
	}
	c.UserLists(t.Context(), []providers.ID{last})
	s.requests()
	wanted := s.users[last][2].ID
	entries := c.Users(t.Context(), []Person{{ID: wanted}})
	expectWords(t, words(entries, func(u *User) providers.ID { return u.ID }), wanted.Native)
	expectRequests(t, s.requests(), map[string]int{"organizations": 1})
}

func TestWhoMayBeSomewhereElseIsNotGone(t *testing.T) {
	for name, test := range map[string]struct {
		fail func(op string, id providers.ID) error
		want string
	}{
		"the organizations cannot be listed": {only("organizations", errDown), "UNAVAILABLE"},
		"an organization hides its people": {func(op string, id providers.ID) error {
			if op == "user" || op == "users" {
				return errForbidden
			}
			return nil
		}, "FORBIDDEN"},
		"an organization is down": {only("user", errDown), "UNAVAILABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			s := crowd()
			s.behave(test.fail)
			c := over(t, s.account("a"))
			expectWords(t, personWords(t, c, anywhere("u0")...), test.want)
		})
	}
}

// At Buildkite a token tells all about who made it.
func TestPeopleWhomTokensTellAllAboutCostNothing(t *testing.T) {
	for _, off := range []bool{false, true} {
		u := emulate(t, driver(t, "buildkite"), providers.EmulatorOptions{})
		c := newCatalog(t, Options{Accounts: []*Account{u.account(t, "main")}, Cache: cache.New(cache.Options{Off: off})})
		tokens := tokensOf(t, c, TokenFilter{}).Items
		var people []Person
		for _, token := range tokens {
			people = append(people, Person{token.ID.OfOrganization(), token.CreatedBy.ID})
		}
		u.Reset()
		for i, entry := range c.Users(t.Context(), people) {
			if entry.Err != nil || entry.Value.ID != people[i].ID {
				t.Errorf("%v: %+v", people[i].ID, entry)
			}
		}
		if got := u.requests(); !off && got != 0 {
			t.Errorf("%d requests, want 0", got)
		}
	}
}

// Whoever reads people after a write in their organization must not get what was asked for before it.
func TestWhatATokenToldOfAPersonIsNotKeptPastAWrite(t *testing.T) {
	for _, bumped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newGrid("p", 1, 1)
			s.tokens[grid.r0][0].CreatedBy = &s.users[grid.o][0]
			c := over(t, s.account("a"))
			s.slow(time.Second)
			go c.TokenLists(t.Context(), []providers.ID{grid.r0})
			time.Sleep(time.Second / 2)
			if bumped {
				c.cache.Bump(t.Context(), scopeOf(c.accounts[0], grid.o))
			}
			time.Sleep(time.Second)
			s.requests()
			expectWords(t, personWords(t, c, in("u0")...), "u0")
			expectRequests(t, s.requests(), map[bool]map[string]int{false: {}, true: {"user": 1}}[bumped])
		})
	}
}
