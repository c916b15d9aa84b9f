package catalog

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/cache"
	"regtok/providers"
)

// tokensOf reads all tokens.
func tokensOf(t testing.TB, c *Catalog, filter TokenFilter) List[*Token] {
	t.Helper()
	return c.Tokens(t.Context(), c, filter)
}

// notes say in short what a list lacks.
func notes(list []Unavailable) []string {
	var short []string
	for _, u := range list {
		words := []string{u.Account.Name}
		for _, id := range []providers.ID{u.Organization, u.Registry} {
			if !id.IsZero() {
				words = append(words, id.Native)
			}
		}
		words = append(words, string(u.Reason))
		if !u.StaleSince.IsZero() {
			words = append(words, "stale")
		}
		short = append(short, strings.Join(words, " "))
	}
	return short
}

func expectNotes(t *testing.T, got []Unavailable, want ...string) {
	t.Helper()
	if diff := cmp.Diff(notes(got), want); diff != "" {
		t.Errorf("what is missing differs (-got +want):\n%s", diff)
	}
}

func expectRequests(t *testing.T, got, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the requests differ (-got +want):\n%s", diff)
	}
}

func TestAllProvidersTokensAreOneList(t *testing.T) {
	c, upstreams := both(t, Options{})
	registries := c.Registries(t.Context(), c, RegistryFilter{})
	tokens := tokensOf(t, c, TokenFilter{})
	organizations := c.Organizations(t.Context(), c, OrganizationFilter{})
	if len(tokens.Unavailable)+len(registries.Unavailable)+len(organizations.Unavailable) > 0 {
		t.Errorf("something is missing: %v", append(tokens.Unavailable, registries.Unavailable...))
	}
	of := map[string]map[string]int{}
	for kind, ids := range map[string][]providers.ID{
		"organizations": ids(organizations.Items, func(o *Organization) providers.ID { return o.ID }),
		"registries":    ids(registries.Items, func(r *Registry) providers.ID { return r.ID }),
		"tokens":        ids(tokens.Items, func(t *Token) providers.ID { return t.ID }),
	} {
		of[kind] = map[string]int{}
		for _, id := range ids {
			of[kind][id.Provider]++
		}
	}
	want := map[string]map[string]int{
		"organizations": {"buildkite": 2, "ionos": 1}, "registries": {"buildkite": 8, "ionos": 6}, "tokens": {"buildkite": 20, "ionos": 13},
	}
	if diff := cmp.Diff(of, want); diff != "" {
		t.Errorf("the lists differ (-got +want):\n%s", diff)
	}
	// One list of organizations at Buildkite, whose credential at IONOS tells its contract; then one list of registries
	// for each organization, and one of tokens for each registry.
	for name, want := range map[string]int{"buildkite": 1 + 2 + 8, "ionos": 1 + 6} {
		if got := upstreams[name].requests(); got != want {
			t.Errorf("%s got %d requests, want %d", name, got, want)
		}
	}
}

func TestFiftyEqualListsAtOnceCostOne(t *testing.T) {
	for _, off := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, upstreams := both(t, Options{Cache: cache.New(cache.Options{Off: off})})
			for _, u := range upstreams {
				u.SetLatency(20 * time.Millisecond)
			}
			var wait sync.WaitGroup
			for range 50 {
				wait.Go(func() {
					if list := tokensOf(t, c, TokenFilter{}); len(list.Items) != 33 {
						t.Errorf("%d tokens, missing %v, want 33", len(list.Items), notes(list.Unavailable))
					}
				})
			}
			wait.Wait()
			for name, u := range upstreams {
				for path, times := range u.Requests() {
					if times > 1 {
						t.Errorf("%s got %s %d times, cache off: %v", name, path, times, off)
					}
				}
			}
		})
	}
}

func ids[T any](items []T, id func(T) providers.ID) []providers.ID {
	list := make([]providers.ID, len(items))
	for i, item := range items {
		list[i] = id(item)
	}
	return list
}

func TestOneProvidersFailureCostsItsOwnBranchOnly(t *testing.T) {
	nonsense := func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		_, _ = w.Write([]byte("<html>hello</html>"))
		return true
	}
	silent := func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		<-r.Context().Done()
		return true
	}
	for name, test := range map[string]struct {
		spoil func(http.ResponseWriter, *http.Request, int) bool
		want  UnavailableReason
	}{
		"401":      {refuse(401), Unauthorized},
		"403":      {refuse(403), Forbidden},
		"404":      {refuse(404), Forbidden}, // of what the account itself is to have
		"422":      {refuse(422), Forbidden},
		"429":      {refuse(429), RateLimited},
		"500":      {refuse(500), Unreachable},
		"503":      {refuse(503), Unreachable},
		"nonsense": {nonsense, InvalidResponse},
		"silence":  {silent, TimedOut},
	} {
		for _, failing := range []string{"buildkite", "ionos"} {
			t.Run(failing+" answers "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, upstreams := both(t, Options{LoadTimeout: 5 * time.Second})
					upstreams[failing].Spoil(test.spoil)
					list := tokensOf(t, c, TokenFilter{})
					if len(list.Unavailable) != 1 || list.Unavailable[0].Account.Driver.Name != failing || list.Unavailable[0].Reason != test.want {
						t.Fatalf("missing is %v, want %s of %s", notes(list.Unavailable), test.want, failing)
					}
					if test.want == RateLimited && list.Unavailable[0].RetryAfter <= 0 {
						t.Error("the wait is not told")
					}
					if message := list.Unavailable[0].Message; message == "" || strings.Contains(message, "html") {
						t.Errorf("the message is %q", message)
					}
					whole := map[string]int{"buildkite": 13, "ionos": 20}[failing]
					if len(list.Items) != whole {
						t.Errorf("%d tokens of the other provider, want %d", len(list.Items), whole)
					}
				})
			})
		}
	}
}

func TestOneSourcesFailureIsToldAndTheRestIsThere(t *testing.T) {
	for name, test := range map[string]struct {
		fail   func(op string, id providers.ID) error
		tokens int
		want   []string
	}{
		"one registry fails": {func(op string, id providers.ID) error {
			if op == "tokens" && id.Native == "r1" {
				return errDown
			}
			return nil
		}, 4, []string{"a r1 UNREACHABLE"}},
		"two registries fail differently": {func(op string, id providers.ID) error {
			switch {
			case op == "tokens" && id.Native == "r2":
				return errDown
			case op == "tokens" && id.Native == "r0":
				return errForbidden
			}
			return nil
		}, 2, []string{"a r0 FORBIDDEN", "a r2 UNREACHABLE"}},
		"the registries fail":    {only("registries", errDown), 0, []string{"a o UNREACHABLE"}},
		"the organizations fail": {only("organizations", errDown), 0, []string{"a UNREACHABLE"}},
		// What the account itself has told of is there, so its absence is a failure.
		"the account is nowhere":      {only("organizations", errGone), 0, []string{"a FORBIDDEN"}},
		"the organization is nowhere": {only("registries", errGone), 0, []string{"a o FORBIDDEN"}},
		// A registry may have been deleted since it was listed.
		"the registries are gone": {only("tokens", errGone), 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGrid("p", 3, 2)
			s.behave(test.fail)
			c := over(t, s.account("a"))
			list := tokensOf(t, c, TokenFilter{})
			if len(list.Items) != test.tokens {
				t.Errorf("%d tokens, want %d", len(list.Items), test.tokens)
			}
			expectNotes(t, list.Unavailable, test.want...)
		})
	}
}

func only(op string, err error) func(string, providers.ID) error {
	return func(of string, _ providers.ID) error {
		if of == op {
			return err
		}
		return nil
	}
}

// What is no failure of a provider's is a fault of this program, and nobody else would log it.
func TestAFaultOfThisServerIsToldAndLogged(t *testing.T) {
	s, q := newGrid("p", 1, 2), newGrid("q", 1, 2)
	s.behave(func(op string, _ providers.ID) error {
		if op == "tokens" {
			panic("an adapter's bug")
		}
		return nil
	})
	q.failing(errDown, "tokens")
	var log bytes.Buffer
	c := newCatalog(t, Options{Accounts: []*Account{s.account("a"), q.account("b")}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	list := tokensOf(t, c, TokenFilter{})
	expectNotes(t, list.Unavailable, "a r0 UNREACHABLE", "b r0 UNREACHABLE")
	if text := log.String(); strings.Count(text, "a source failed") != 1 || !strings.Contains(text, "an adapter's bug") {
		t.Errorf("the log is %q, want the panic and nothing else", text)
	}
	if strings.Contains(list.Unavailable[0].Message, "bug") {
		t.Errorf("the message tells too much: %q", list.Unavailable[0].Message)
	}
}

func TestOldDataIsToldWithItsAge(t *testing.T) {
	for op, test := range map[string]struct {
		after time.Duration // more than it is fresh
		want  string
	}{
		"tokens":        {tokensFresh, "a r0 UNREACHABLE stale"},
		"registries":    {registriesFresh, "a o UNREACHABLE stale"},
		"organizations": {organizationsFresh, "a UNREACHABLE stale"},
	} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newGrid("p", 1, 2)
				c := over(t, s.account("a"))
				observed := time.Now()
				tokensOf(t, c, TokenFilter{})
				time.Sleep(test.after + soon)
				s.failing(errDown, op)
				// The first reader is served at once and sets the renewal going, so nothing has failed yet.
				list := tokensOf(t, c, TokenFilter{})
				if len(list.Items) != 2 {
					t.Errorf("%d tokens, want 2", len(list.Items))
				}
				expectNotes(t, list.Unavailable)
				synctest.Wait()
				list = tokensOf(t, c, TokenFilter{})
				if len(list.Items) != 2 {
					t.Errorf("%d tokens although old ones are there, want 2", len(list.Items))
				}
				expectNotes(t, list.Unavailable, test.want)
				if got := list.Unavailable[0].StaleSince; !got.Equal(observed) {
					t.Errorf("the old data is of %v, want %v", got, observed)
				}
			})
		})
	}
}

func TestWhatIsForbiddenNowIsNotServedOld(t *testing.T) {
	for _, err := range []*providers.Error{errForbidden, {Kind: providers.Unauthorized, Op: "ask", Status: 401}} {
		t.Run(string(err.Kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newGrid("p", 1, 2)
				c := over(t, s.account("a"))
				tokensOf(t, c, TokenFilter{})
				time.Sleep(tokensFresh + soon)
				s.failing(err, "tokens")
				tokensOf(t, c, TokenFilter{})
				synctest.Wait()
				list := tokensOf(t, c, TokenFilter{})
				if len(list.Items) != 0 {
					t.Errorf("%d tokens are shown, want none", len(list.Items))
				}
				expectNotes(t, list.Unavailable, "a r0 "+string(err.Kind))
				s.behave(nil)
				if got := tokensOf(t, c, TokenFilter{}); len(got.Items) != 2 || len(got.Unavailable) != 0 {
					t.Errorf("once allowed again there are %d tokens, %v missing, want 2 and none", len(got.Items), notes(got.Unavailable))
				}
			})
		})
	}
}

func TestSourcesAreToldInOneOrder(t *testing.T) {
	s, q := newGrid("p", 9, 1), newGrid("q", 9, 1)
	s.failing(errDown, "tokens")
	q.failing(errDown, "tokens")
	var first []string
	for range 10 {
		list := tokensOf(t, over(t, q.account("b"), s.account("a")), TokenFilter{})
		if first == nil {
			first = notes(list.Unavailable)
		}
		expectNotes(t, list.Unavailable, first...)
	}
	if !slices.IsSorted(first) || len(first) != 18 {
		t.Errorf("the order is %v, want 18 by account and registry", first)
	}
}

func TestAListOfManyPagesIsReadWholeOrNotAtAll(t *testing.T) {
	s := newGrid("p", 3, 5)
	s.users[grid.o] = append(s.users[grid.o], providers.User{ID: user("u1")})
	s.organization("another")
	s.pageSize = 1
	c := over(t, s.account("a"))
	list := tokensOf(t, c, TokenFilter{})
	if len(list.Items) != 15 || len(list.Unavailable) != 0 {
		t.Errorf("%d tokens, missing %v, want 15", len(list.Items), notes(list.Unavailable))
	}
	if people := c.UserLists(t.Context(), []providers.ID{grid.o})[0]; people.Err != nil || len(people.Value) != 2 {
		t.Errorf("the people are %+v, want 2", people)
	}
	// The third of five pages fails.
	s = newGrid("p", 1, 5)
	s.pageSize = 1
	pages := 0
	s.behave(func(op string, _ providers.ID) error {
		if op != "tokens" {
			return nil
		}
		if pages++; pages == 3 {
			return errDown
		}
		return nil
	})
	list = tokensOf(t, over(t, s.account("a")), TokenFilter{})
	if len(list.Items) != 0 {
		t.Errorf("%d tokens, want none rather than a part", len(list.Items))
	}
	expectNotes(t, list.Unavailable, "a r0 UNREACHABLE")
}

func TestAListWhoseReaderHasLeftIsNotWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 3, 2)
		s.slow(time.Minute)
		c := newCatalog(t, Options{Accounts: []*Account{s.account("a")}, LoadTimeout: time.Hour})
		ctx, cancel := contextFor(t, time.Second)
		defer cancel()
		began := time.Now()
		list := c.Tokens(ctx, c, TokenFilter{})
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("the reader waited %v, want 1s", waited)
		}
		expectNotes(t, list.Unavailable, "a TIMEOUT")
	})
}
