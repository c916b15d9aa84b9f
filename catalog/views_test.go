package catalog

import (
	"context"
	"maps"
	"os"
	"regexp"
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

// row is what docs/caching.md says of a view.
type row struct {
	fresh, making, stale time.Duration // making: fresh while something is being made; 0: no difference
	gone, hidden         time.Duration // how long NotFound and Forbidden are remembered
}

// documented reads the table of docs/caching.md.
func documented(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile("../docs/caching.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 8 || strings.HasPrefix(cells[0], "| What") {
			continue
		}
		name := strings.TrimPrefix(cells[0], "| ")
		if _, twice := rows[name]; twice {
			t.Errorf("%s has two rows", name)
		}
		fresh, making, _ := strings.Cut(cells[3], "; ")
		r := row{fresh: duration(t, fresh), stale: duration(t, cells[4]), gone: duration(t, cells[5])}
		if making != "" {
			r.making = duration(t, making)
		}
		if strings.Contains(cells[5], "forbidden") {
			r.hidden = r.gone
		}
		rows[name] = r
	}
	return rows
}

var span = regexp.MustCompile(`\b(\d+) (s|min|h)\b`)

// duration reads "5 s", "1 min" or "1 h" in a text.
func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	found := span.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no duration in %q", text)
	}
	d, err := time.ParseDuration(found[1] + map[string]string{"s": "s", "min": "m", "h": "h"}[found[2]])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// seen is an entry of any view.
type seen struct {
	observed, staleSince time.Time
	err                  error
}

func see[V any](entry cache.Entry[V]) seen {
	return seen{entry.ObservedAt, entry.StaleSince, entry.Err}
}

// readers read one entry of each view.
func readers(c *Catalog) map[string]func(context.Context) seen {
	account := c.all()[0]
	organization, registry := at{account, grid.o}, at{account, grid.r0}
	v := c.views
	return map[string]func(context.Context) seen{
		"organizations of an account":         func(ctx context.Context) seen { return see(v.organizations.Get(ctx, account)) },
		"end of a credential":                 func(ctx context.Context) seen { return see(v.credential.Get(ctx, account)) },
		"registries of an organization":       func(ctx context.Context) seen { return see(v.registries.Get(ctx, organization)) },
		"a registry":                          func(ctx context.Context) seen { return see(v.registry.Get(ctx, within{organization, grid.r0})) },
		"tokens of a registry":                func(ctx context.Context) seen { return see(v.tokens.Get(ctx, registry)) },
		"a token":                             func(ctx context.Context) seen { return see(v.token.Get(ctx, within{registry, grid.r0.TokenID("t0")})) },
		"people of an organization":           func(ctx context.Context) seen { return see(v.users.Get(ctx, organization)) },
		"a person":                            func(ctx context.Context) seen { return see(v.user.Get(ctx, within{organization, user("u0")})) },
		"a person, as the organization tells": func(ctx context.Context) seen { return see(v.member.Get(ctx, within{organization, user("u0")})) },
	}
}

func TestEveryViewHasARow(t *testing.T) {
	c := over(t, newGrid("p", 1, 1).account("a"))
	rows := slices.Sorted(maps.Keys(documented(t)))
	views := slices.Sorted(maps.Keys(c.cache.Stats().Views))
	if diff := cmp.Diff(rows, views); diff != "" {
		t.Errorf("docs/caching.md and the views differ (-doc +code):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(readers(c))), views); diff != "" {
		t.Errorf("not every view is looked at by these tests (-tests +code):\n%s", diff)
	}
}

func TestEveryViewIsFreshAndStaleAsLongAsDocumented(t *testing.T) {
	for name, row := range documented(t) {
		t.Run(name, func(t *testing.T) { expectAges(t, name, row.fresh, row.stale, providers.Ready) })
		if row.making > 0 {
			t.Run(name+" that is being made", func(t *testing.T) {
				expectAges(t, name, row.making, row.stale, providers.Provisioning)
			})
		}
	}
}

// expectAges reads an entry, lets its provider fail, and waits for each of the entry's ages.
func expectAges(t *testing.T, name string, fresh, stale time.Duration, state providers.RegistryState) {
	synctest.Test(t, func(t *testing.T) {
		s := newGrid("p", 2, 1)
		s.registries[grid.o][0].State = state
		read := readers(over(t, s.account("a")))[name]
		began := read(t.Context())
		if began.err != nil || !began.observed.Equal(time.Now()) {
			t.Fatalf("the first read is %+v, want one of now", began)
		}
		s.failing(errDown)
		for _, age := range []struct {
			after time.Duration
			want  seen
		}{
			{fresh - 1, seen{observed: began.observed}},
			{fresh, seen{observed: began.observed, staleSince: began.observed.Add(fresh)}},
			{fresh + stale - 1, seen{observed: began.observed, staleSince: began.observed.Add(fresh)}},
		} {
			time.Sleep(time.Until(began.observed.Add(age.after)))
			if got := read(t.Context()); got != age.want {
				t.Errorf("after %v the entry is %+v, want %+v", age.after, got, age.want)
			}
			synctest.Wait()
		}
		time.Sleep(time.Nanosecond)
		if got := read(t.Context()); got.err == nil {
			t.Errorf("after %v the entry is %+v, want the failure", fresh+stale, got)
		}
	})
}

func TestEveryViewRemembersFailuresAsLongAsDocumented(t *testing.T) {
	for name, row := range documented(t) {
		for err, remembered := range map[*providers.Error]time.Duration{
			errGone: row.gone, errForbidden: row.hidden, errDown: 0, {Kind: providers.Unauthorized}: 0, {Kind: providers.RateLimited}: 0,
		} {
			t.Run(name+" "+string(err.Kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newGrid("p", 1, 1)
					s.failing(err)
					read := readers(over(t, s.account("a")))[name]
					if got := read(t.Context()); providers.KindOf(got.err) != err.Kind {
						t.Fatalf("the error is %v, want %v", got.err, err)
					}
					s.behave(nil)
					if remembered > 0 {
						time.Sleep(remembered - 1)
						if got := read(t.Context()); providers.KindOf(got.err) != err.Kind {
							t.Errorf("after %v the error is %v, want %v", remembered-1, got.err, err)
						}
						time.Sleep(time.Nanosecond)
					}
					if got := read(t.Context()); got.err != nil {
						t.Errorf("after %v the error is %v, want none", remembered, got.err)
					}
				})
			})
		}
	}
}

// A write to a registry's tokens ends these and nothing else.
func TestABumpEndsItsScope(t *testing.T) {
	for name, test := range map[string]struct {
		scope providers.ID
		want  []string
	}{
		"a registry":       {grid.r0, []string{"a token", "tokens of a registry"}},
		"an organization":  {grid.o, []string{"a person", "a person, as the organization tells", "a registry", "people of an organization", "registries of an organization"}},
		"an account":       {providers.AccountID("p", "a"), []string{"end of a credential", "organizations of an account"}},
		"another registry": {grid.r1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGrid("p", 2, 1)
			c := over(t, s.account("a"))
			all := readers(c)
			for _, read := range all {
				read(t.Context())
			}
			c.cache.Bump(t.Context(), scopeOf(c.all()[0], test.scope))
			var ended []string
			for view, read := range all {
				s.requests()
				if read(t.Context()); len(s.requests()) > 0 {
					ended = append(ended, view)
				}
			}
			slices.Sort(ended)
			if diff := cmp.Diff(ended, test.want); diff != "" {
				t.Errorf("what ended differs (-got +want):\n%s", diff)
			}
		})
	}
}

// notebook is a Store that holds nothing and notes the keys that it was asked for.
type notebook struct {
	mu   sync.Mutex
	keys []cache.Key
}

func (n *notebook) GetMany(_ context.Context, questions []cache.Question) ([]cache.Found, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, question := range questions {
		n.keys = append(n.keys, question.Key)
	}
	return make([]cache.Found, len(questions)), nil
}
func (n *notebook) Remembers() bool                               { return true }
func (n *notebook) SetMany(context.Context, []cache.Item) error   { return nil }
func (n *notebook) DeleteMany(context.Context, []cache.Key) error { return nil }
func (n *notebook) LeaseMany(_ context.Context, claims []cache.Claim) ([]cache.Claimed, error) {
	return make([]cache.Claimed, len(claims)), nil
}
func (n *notebook) EndLease(context.Context, cache.Key, cache.Generation) error { return nil }
func (n *notebook) Bump(context.Context, ...cache.Scope) (<-chan struct{}, error) {
	return nil, nil
}
func (n *notebook) Watch(ctx context.Context, _ cache.Watcher) { <-ctx.Done() }

func TestDifferentThingsHaveDifferentKeys(t *testing.T) {
	var notes notebook
	s := newGrid("p", 2, 2)
	c := newCatalog(t, Options{Accounts: []*Account{s.account("a"), s.account("b"), newGrid("q", 1, 1).account("a")}, Cache: cache.New(cache.Options{Store: &notes})})
	var reads int
	for _, account := range c.all() {
		for _, native := range []string{"o", "n"} {
			o := at{account, providers.OrganizationID(account.Driver.Name, native)}
			c.views.registries.Get(t.Context(), o)
			c.views.users.Get(t.Context(), o)
			for _, native := range []string{"r0", "r1"} {
				r := at{account, o.id.RegistryID(native)}
				c.views.registry.Get(t.Context(), within{o, r.id})
				c.views.user.Get(t.Context(), within{o, providers.UserID(account.Driver.Name, native)})
				c.views.member.Get(t.Context(), within{o, providers.UserID(account.Driver.Name, native)})
				c.views.tokens.Get(t.Context(), r)
				c.views.token.Get(t.Context(), within{r, r.id.TokenID("t0")})
				c.views.token.Get(t.Context(), within{r, r.id.TokenID("t1")})
				reads += 6
			}
			reads += 2
		}
		c.views.organizations.Get(t.Context(), account)
		c.views.credential.Get(t.Context(), account)
		reads += 2
	}
	different := map[string]bool{}
	tenants := map[string]int{}
	for _, key := range notes.keys {
		different[key.Encode()] = true
		tenants[key.Scope.Tenant]++
	}
	if len(different) != reads || len(notes.keys) != reads {
		t.Errorf("%d keys, %d different ones, want %d", len(notes.keys), len(different), reads)
	}
	if len(tenants) != 3 {
		t.Errorf("the tenants are %v, want one for each account", tenants)
	}
}

func TestTwoAccountsShareNothing(t *testing.T) {
	s := newGrid("p", 1, 1)
	c := over(t, s.account("a"), s.account("b"))
	for _, account := range c.all() {
		s.requests()
		if entry := c.views.tokens.Get(t.Context(), at{account, grid.r0}); entry.Err != nil || entry.Value[0].Account != account {
			t.Errorf("%s reads %+v", account.Name, entry)
		}
		expectRequests(t, s.requests(), map[string]int{"tokens": 1})
	}
}
