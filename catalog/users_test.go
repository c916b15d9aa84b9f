package catalog

import (
	"context"
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
	for _, native := range []string{"u0", "u1", "u2", "u3", "u4"} {
		s.member(grid.o, native)
	}
	for _, native := range []string{"u4", "u5", "u6"} {
		s.member(grid.n, native)
	}
	s.organization("o")
	s.organization("n")
	return s
}

func (s *source) member(organization providers.ID, native string) {
	s.users[organization] = append(s.users[organization], providers.User{ID: user(native), Name: native, Complete: true})
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
	people := append(in("u1", "u0"), Person{grid.n, user("u5")})
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
	expectRequests(t, s.requests(), map[string]int{"users": 2})
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
	c.UserLists(t.Context(), []providers.ID{grid.n})
	s.requests()
	expectWords(t, personWords(t, c, anywhere("u6")...), "u6")
	expectRequests(t, s.requests(), map[string]int{"organizations": 1})
}

func TestWhoMayBeSomewhereElseIsNotGone(t *testing.T) {
	hidden := func(op string, id providers.ID) error {
		if op == "users" && id == grid.o {
			return errForbidden
		}
		return nil
	}
	for name, test := range map[string]struct {
		fail   func(op string, id providers.ID) error
		people []Person
		want   []string
	}{
		"the organizations cannot be listed":      {only("organizations", errDown), anywhere("u0"), []string{"UNAVAILABLE"}},
		"the organizations are down":              {only("user", errDown), anywhere("u0"), []string{"UNAVAILABLE"}},
		"the first organization hides its people": {hidden, anywhere("u0", "u5", "x"), []string{"FORBIDDEN", "u5", "FORBIDDEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := crowd()
			s.behave(test.fail)
			c := over(t, s.account("a"))
			expectWords(t, personWords(t, c, test.people...), test.want...)
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

// A person whom only a token of another registry told of is none of a narrowed caller's business, however often others read it.
func TestWhomATokenOutOfReachTellsOfIsNotTold(t *testing.T) {
	s := newGrid("p", 2, 1)
	guest := providers.User{ID: user("guest"), Name: "Guest", Complete: true}
	s.tokens[grid.r1][0].CreatedBy = &guest
	c := over(t, s.account("a"))
	c.TokenLists(t.Context(), []providers.ID{grid.r1})
	everybody := Within(t.Context(), providers.Reach{})
	narrowed, err := providers.Reach{}.Narrow(providers.ReachRegistries, grid.r0.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		ctx  context.Context
		want string
	}{{everybody, "guest"}, {Within(t.Context(), narrowed), "NOT_FOUND"}, {everybody, "guest"}} {
		for _, people := range [][]Person{in("guest"), anywhere("guest")} {
			expectWords(t, words(c.Users(test.ctx, people), func(u *User) providers.ID { return u.ID }), test.want)
		}
	}
}

func TestWhatATokenToldOfAPersonIsKeptUnlessAWriteCameBetween(t *testing.T) {
	for name, test := range map[string]struct {
		complete bool
		write    string
		want     map[string]int
	}{
		"all, after a write before it was asked for":   {true, "before", map[string]int{}},
		"all, and a write while it was on its way":     {true, "meanwhile", map[string]int{"user": 1}},
		"no more than a name, with nothing in between": {false, "before", map[string]int{"user": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newGrid("p", 1, 1)
				creator := s.users[grid.o][0]
				creator.Complete = test.complete
				s.tokens[grid.r0][0].CreatedBy = &creator
				s.slow(time.Second)
				c := over(t, s.account("a"))
				write := func() { c.cache.Bump(t.Context(), scopeOf(c.all()[0], grid.o)) }
				if test.write == "before" {
					write()
				}
				go c.TokenLists(t.Context(), []providers.ID{grid.r0})
				time.Sleep(time.Second / 2)
				if test.write == "meanwhile" {
					write()
				}
				time.Sleep(time.Second)
				s.requests()
				expectWords(t, personWords(t, c, in("u0")...), "u0")
				expectRequests(t, s.requests(), test.want)
			})
		})
	}
}
