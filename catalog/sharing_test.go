package catalog

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/cache"
	"regtok/cache/cachetest"
	"regtok/providers"
)

// replica is a catalog of one more process over a Store, which listens to the others already.
func replica(t *testing.T, m *cachetest.Memory, o Options) *Catalog {
	t.Helper()
	o.Cache = cache.New(cache.Options{Store: m.Connect()})
	synctest.Wait()
	return newCatalog(t, o)
}

// fingerprinted is an account with settings that have this fingerprint.
func fingerprinted(s *source, fingerprint string) *Account {
	account := s.account("a")
	account.Fingerprint = fingerprint
	return account
}

func TestWhatOneProcessReadTheOthersHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), newGrid("p", 2, 2)
		first := replica(t, m, Options{Accounts: []*Account{fingerprinted(s, "x")}})
		second := replica(t, m, Options{Accounts: []*Account{fingerprinted(s, "x")}})
		began := map[string]seen{}
		for name, read := range readers(first) {
			began[name] = read(t.Context())
		}
		synctest.Wait()
		time.Sleep(time.Second)
		s.requests()
		for name, read := range readers(second) {
			got := read(t.Context())
			if got.err != nil || !got.observed.Equal(began[name].observed) || !got.staleSince.IsZero() {
				t.Errorf("the second process's %s: %+v, want %+v", name, got, began[name])
			}
		}
		expectRequests(t, s.requests(), map[string]int{})
	})
}

func TestWhatAnotherProcessReadIsWholeAndItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), newGrid("p", 1, 2)
		s.tokens[grid.r0][0] = versioned().Token
		s.tokens[grid.r0][0].ID = grid.r0.TokenID("t0")
		first := replica(t, m, Options{Accounts: []*Account{fingerprinted(s, "x")}})
		policy := Policy{MaxAge: map[string]time.Duration{"p": time.Hour}, Thresholds: []time.Duration{day}}
		second := replica(t, m, Options{Accounts: []*Account{fingerprinted(s, "x")}, Policy: policy})
		read := func(c *Catalog) []*Token {
			entry := c.views.tokens.Get(t.Context(), at{c.all()[0], grid.r0})
			if entry.Err != nil {
				t.Fatal(entry.Err)
			}
			return entry.Value
		}
		theirs := read(first)
		synctest.Wait()
		for i, got := range read(second) {
			if diff := cmp.Diff(got.Token, theirs[i].Token); diff != "" {
				t.Errorf("the token is another one: got - want +\n%s", diff)
			}
			want := got.CreatedAt.Add(time.Hour)
			if !got.DueAt.Equal(want) || got.DueSource != DueByPolicy || got.warnAhead != day || got.Account != second.all()[0] {
				t.Errorf("it is due at %v by %s, warned of %v ahead, of %p; want %v by the policy of this process, and its account",
					got.DueAt, got.DueSource, got.warnAhead, got.Account, want)
			}
		}
		expectRequests(t, s.requests(), map[string]int{"tokens": 1})
	})
}

func TestAccountsWithOtherSettingsShareNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := cachetest.NewMemory()
		for _, fingerprint := range []string{"x", "y", ""} {
			s := newGrid("p", 1, 1)
			for name, read := range readers(replica(t, m, Options{Accounts: []*Account{fingerprinted(s, fingerprint)}})) {
				s.requests()
				if got := read(t.Context()); got.err != nil || len(s.requests()) == 0 {
					t.Errorf("with the fingerprint %q, %s is %+v without a request", fingerprint, name, got)
				}
			}
			synctest.Wait()
		}
	})
}

// A store may give anything back. What it has under a key is believed only if it was put there under that key.
func TestAnotherKeysValueIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := cachetest.NewMemory(), newGrid("p", 2, 1)
		first := replica(t, m, Options{Accounts: []*Account{fingerprinted(s, "x")}})
		for _, registry := range []providers.ID{grid.r0, grid.r1} {
			first.views.tokens.Get(t.Context(), at{first.all()[0], registry})
		}
		synctest.Wait()
		values := map[string][]byte{}
		m.Spoil(func(k cache.Key, value []byte) []byte {
			values[k.Scope.Name] = value
			return value
		})
		m.Spoil(func(k cache.Key, _ []byte) []byte {
			others := slices.DeleteFunc(slices.Sorted(maps.Keys(values)), func(scope string) bool { return scope == k.Scope.Name })
			return values[others[0]]
		})
		s.requests()
		second := replica(t, m, Options{Accounts: []*Account{fingerprinted(s, "x")}})
		for _, registry := range []providers.ID{grid.r0, grid.r1} {
			entry := second.views.tokens.Get(t.Context(), at{second.all()[0], registry})
			if entry.Err != nil || entry.Value[0].ID.OfRegistry() != registry {
				t.Errorf("the tokens of %v are %+v", registry, entry)
			}
		}
		expectRequests(t, s.requests(), map[string]int{"tokens": 2})
	})
}
