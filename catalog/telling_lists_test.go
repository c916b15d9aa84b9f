package catalog

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/expiry"
	"regtok/providers"
)

// ear hears what a catalog tells.
type ear struct {
	mu    sync.Mutex
	lists []expiry.List
}

func (e *ear) hear(list expiry.List) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lists = append(e.lists, list)
}

// heard is what came since the last call, once nothing more comes.
func (e *ear) heard() []expiry.List {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.lists = nil }()
	return e.lists
}

// one is the only list that came.
func (e *ear) one(t *testing.T) expiry.List {
	t.Helper()
	lists := e.heard()
	if len(lists) != 1 {
		t.Fatalf("%d lists were told, want one: %+v", len(lists), lists)
	}
	return lists[0]
}

// listening is a catalog over s, and who hears of it.
func listening(t *testing.T, s *source, o Options) (*Catalog, *ear) {
	e := &ear{}
	o.Accounts, o.Tell = append(o.Accounts, s.account("a")), e.hear
	return newCatalog(t, o), e
}

func TestEachListThatIsReadIsToldWithTheTimeWhenItWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 2, 3)
		c, e := listening(t, s, Options{})
		s.slow(time.Second)
		if entries := c.RegistryLists(t.Context(), []providers.ID{providers.OrganizationID("p", "o")}); entries[0].Err != nil {
			t.Fatal(entries[0].Err)
		}
		registry := providers.OrganizationID("p", "o").RegistryID("r1")
		asked := time.Now()
		for range 3 { // the cache answers the second and the third
			if entry := c.TokenLists(t.Context(), []providers.ID{registry})[0]; entry.Err != nil {
				t.Fatal(entry.Err)
			}
		}
		got := e.one(t)
		if got.Registry != registry || !got.At.Equal(asked) || got.Part || len(got.Tokens) != 3 {
			t.Errorf("told %+v, want three tokens of %v, asked for at %v", got, registry, asked)
		}
		for _, token := range got.Tokens {
			if !token.At.Equal(asked) || token.Subject.RegistryName != "r1" {
				t.Errorf("a token is %+v, want its registry's name and the time of the list", token)
			}
		}
		s.failing(errDown, "tokens")
		time.Sleep(time.Hour + time.Minute)
		c.TokenLists(t.Context(), []providers.ID{registry})
		if lists := e.heard(); len(lists) > 0 {
			t.Errorf("a failure told %+v", lists)
		}
		s.failing(errGone, "tokens")
		c.TokenLists(t.Context(), []providers.ID{registry})
		if got := e.one(t); got.Registry != registry || got.Part || len(got.Tokens) > 0 {
			t.Errorf("a registry that is gone told %+v, want that it has nothing", got)
		}
	})
}

func TestWhoWatchesIsToldWhatIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		c, e := listening(t, s, Options{})
		registry := providers.OrganizationID("p", "o").RegistryID("r0")
		created := done(t)(c.CreateToken(t.Context(), CreateToken{Registry: registry, Name: "new"})).Token
		if got := e.one(t); !got.Part || len(got.Tokens) != 1 || got.Tokens[0].Subject.Token != created.ID || got.Tokens[0].Gone {
			t.Errorf("a create told %+v", got)
		}
		name := "newer"
		done(t)(c.PatchToken(t.Context(), PatchToken{Token: created.ID, Name: &name}))
		if got := e.one(t); !got.Part || len(got.Tokens) != 1 || got.Tokens[0].Subject.Name != name {
			t.Errorf("a patch told %+v", got)
		}
		s.failing(errForbidden, "delete")
		refused(t)(c.DeleteToken(t.Context(), DeleteToken{Token: created.ID}))
		if got := e.heard(); len(got) > 0 {
			t.Errorf("a delete that failed told %+v", got)
		}
		s.behave(nil)
		written(t)(c.DeleteToken(t.Context(), DeleteToken{Token: created.ID}))
		if got := e.one(t); !got.Part || len(got.Tokens) != 1 || got.Tokens[0].Subject.Token != created.ID || !got.Tokens[0].Gone || got.Tokens[0].At.IsZero() {
			t.Errorf("a delete told %+v", got)
		}
	})
}

func TestWhatIsWrittenIsToldWithTheNameOfItsRegistryAsFarAsThatIsAtHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWriter(1, 1)
		c, e := listening(t, s, Options{})
		registry := providers.OrganizationID("p", "o").RegistryID("r0")
		create := func(name, want string) {
			t.Helper()
			s.requests()
			done(t)(c.CreateToken(t.Context(), CreateToken{Registry: registry, Name: name}))
			if got := e.one(t).Tokens[0].Subject.RegistryName; got != want {
				t.Errorf("%s is told with the registry %q, want %q", name, got, want)
			}
			if asked := s.requests(); asked["registries"]+asked["registry"] > 0 {
				t.Errorf("%s took the requests %v, want none for the name", name, asked)
			}
		}
		create("before anything was read", "")
		c.RegistryLists(t.Context(), []providers.ID{registry.OfOrganization()})
		create("with the list", "r0")
		time.Sleep(50 * time.Minute)
		create("with an old list", "r0")
	})
}

func TestTheNameOfARegistryIsReadWhereItIsNotAtHand(t *testing.T) {
	for name, options := range map[string]cache.Options{"with a cache": {}, "without": {Off: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newGrid("p", 2, 1)
				c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, Cache: cache.New(options)})
				registry := providers.OrganizationID("p", "o").RegistryID("r1")
				if got := c.RegistryName(t.Context(), registry); got != "r1" {
					t.Errorf("got %q, want r1", got)
				}
				if got := c.RegistryName(t.Context(), registry.OfOrganization().RegistryID("none")); got != "" {
					t.Errorf("a registry that is not there is %q", got)
				}
				if got := c.RegistryName(t.Context(), providers.OrganizationID("q", "o").RegistryID("r1")); got != "" {
					t.Errorf("one without an account is %q", got)
				}
				if got, want := s.requests(), map[string]int{"registries": 1}; !options.Off && !maps.Equal(got, want) {
					t.Errorf("it took the requests %v, want %v", got, want)
				}
			})
		})
	}
}

func TestASweepForTellingReadsEverythingAgainAndAgainAndNothingLeansOnIt(t *testing.T) {
	for name, options := range map[string]cache.Options{"with a cache": {}, "without": {Off: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newGrid("p", 4, 1)
				c, e := listening(t, s, Options{SweepShare: 0.4, SweepToTell: true, Cache: cache.New(options)})
				defer sweeping(t, c)()
				registries := func() []string {
					names := map[string]bool{}
					for _, list := range e.heard() {
						names[list.Registry.Native] = true
					}
					var sorted []string
					for name := range names {
						sorted = append(sorted, name)
					}
					slices.Sort(sorted)
					return sorted
				}
				all := []string{"r0", "r1", "r2", "r3"}
				time.Sleep(time.Minute)
				if got := registries(); !slices.Equal(got, all) {
					t.Errorf("in the first minute it told of %v, want %v", got, all)
				}
				time.Sleep(3 * time.Minute)
				if got := registries(); len(got) > 0 {
					t.Errorf("in three more minutes it told of %v again, want nothing", got)
				}
				time.Sleep(6 * time.Minute)
				if got := registries(); !slices.Equal(got, all) {
					t.Errorf("in the next six minutes it told of %v, want %v", got, all)
				}
				if c.leans(leaning(t.Context())) {
					t.Error("lists lean on it")
				}
				s.mu.Lock()
				o := providers.OrganizationID("p", "o")
				s.registries[o] = s.registries[o][:3]
				s.mu.Unlock()
				time.Sleep(8 * time.Minute)
				lists := e.heard()
				gone := slices.IndexFunc(lists, func(l expiry.List) bool { return l.Registry.Native == "r3" && len(l.Tokens) == 0 })
				if gone < 0 {
					t.Errorf("it did not tell that a registry is gone: %+v", lists)
				}
			})
		})
	}
}

func TestWhoTakesTheSweepOverTellsWhatTheOneBeforeHasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newGrid("p", 3, 1), &ear{}
		shared := cache.New(cache.Options{})
		t.Cleanup(shared.Close)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, SweepShare: 0.4, Cache: shared, Tell: e.hear})
		o := providers.OrganizationID("p", "o")
		c.OrganizationLists(t.Context(), c.Accounts(t.Context()))
		c.RegistryLists(t.Context(), []providers.ID{o})
		c.TokenLists(t.Context(), []providers.ID{o.RegistryID("r0"), o.RegistryID("r1"), o.RegistryID("r2")})
		e.heard() // and is lost
		s.failing(errDown)
		defer sweeping(t, c)()
		time.Sleep(10 * time.Second)
		if lists := e.heard(); len(lists) != 3 {
			t.Errorf("told were %+v, want the three lists that are kept", lists)
		}
	})
}

func TestALookTakesWhatIsKeptIfItIsNewEnoughAndElseAsksAtTheSweepsPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 1, 2)
		var asked []providers.Priority
		account := s.account("a")
		account.Provider = attentive{s, &asked}
		c := over(t, account)
		registry := providers.OrganizationID("p", "o").RegistryID("r0")
		look := func(since time.Time, requests int) expiry.List {
			t.Helper()
			list, err := c.Look(t.Context(), registry, since)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.requests()["tokens"]; got != requests {
				t.Errorf("it took %d requests, want %d", got, requests)
			}
			return list
		}
		begin := time.Now()
		if got := look(begin, 1); len(got.Tokens) != 2 || got.Part || got.Tokens[0].Subject.RegistryName != "r0" {
			t.Errorf("got %+v, want two tokens of r0", got)
		}
		time.Sleep(20 * time.Second)
		if got := look(begin, 0); !got.At.Equal(begin) {
			t.Errorf("what is kept is of %v, want %v", got.At, begin)
		}
		look(begin.Add(time.Second), 1)
		if want := []providers.Priority{providers.Sweeping, providers.Sweeping}; !slices.Equal(asked, want) {
			t.Errorf("asked at priorities %v, want %v", asked, want)
		}
		for _, test := range []struct {
			name     string
			fails    error
			registry providers.ID
			want     func(error) bool
		}{
			{"a provider that is down", errDown, registry, func(err error) bool { return providers.KindOf(err) == providers.Unavailable }},
			{"a registry that is gone", errGone, registry, func(err error) bool { return providers.KindOf(err) == providers.NotFound }},
			{"a provider without an account", nil, providers.OrganizationID("q", "o").RegistryID("r"), func(err error) bool { return errors.Is(err, expiry.ErrUnowned) }},
		} {
			s.failing(test.fails, "tokens")
			time.Sleep(time.Second)
			if list, err := c.Look(t.Context(), test.registry, time.Now()); !test.want(err) {
				t.Errorf("%s: %+v, %v", test.name, list, err)
			}
		}
	})
}

// attentive notes at which priority lists of tokens are asked for.
type attentive struct {
	*source
	asked *[]providers.Priority
}

func (a attentive) Tokens(ctx context.Context, registry providers.ID, page providers.PageRequest) (providers.Page[providers.Token], error) {
	*a.asked = append(*a.asked, providers.PriorityOf(ctx))
	return a.source.Tokens(ctx, registry, page)
}
