package loader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/cache"
	"regtok/catalog"
	"regtok/providers"
	"regtok/providers/all"
	"regtok/providers/tap"
)

// recorder reads numbers and remembers which batches it was asked for.
type recorder struct {
	mu      sync.Mutex
	batches [][]int
	err     error
}

func (r *recorder) read(_ context.Context, keys []int) []cache.Entry[string] {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, slices.Clone(keys))
	entries := make([]cache.Entry[string], len(keys))
	for i, key := range keys {
		entries[i].Value = fmt.Sprint(key)
		if key < 0 {
			entries[i] = cache.Entry[string]{Err: r.err}
		}
	}
	return entries
}

func TestSiblingsAreAskedTogetherAndEachOnce(t *testing.T) {
	failure := errors.New("no negative numbers")
	r := &recorder{err: failure}
	l := batched(r.read)
	entries := many(t.Context(), l, []int{3, 1, -1, 3})
	var got []string
	for _, entry := range entries {
		got = append(got, fmt.Sprint(entry.Value, entry.Err))
	}
	if diff := cmp.Diff(got, []string{"3<nil>", "1<nil>", failure.Error(), "3<nil>"}); diff != "" {
		t.Errorf("the entries differ (-got +want):\n%s", diff)
	}
	many(t.Context(), l, []int{1, 2})
	many(t.Context(), l, []int{})
	if diff := cmp.Diff(r.batches, [][]int{{3, 1, -1}, {2}}); diff != "" {
		t.Errorf("the batches differ (-got +want):\n%s", diff)
	}
}

// The library waits 16 ms for more keys unless it is told to start. In a bubble, waiting for anything shows.
func TestABatchStartsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := batched(new(recorder).read)
		began := time.Now()
		for level := range 3 {
			many(t.Context(), l, []int{level, level + 10})
		}
		var wait sync.WaitGroup
		for n := range 20 {
			wait.Go(func() { many(t.Context(), l, []int{100, n, 200 + n}) })
		}
		wait.Wait()
		if waited := time.Since(began); waited != 0 {
			t.Errorf("loading waited %v, want no time", waited)
		}
	})
}

func TestEachKeyIsReadOnceHoweverManyAskAtOnce(t *testing.T) {
	r := new(recorder)
	l := batched(r.read)
	var wait sync.WaitGroup
	for n := range 32 {
		wait.Go(func() {
			for i, entry := range many(t.Context(), l, []int{n, n + 1, 7}) {
				if want := fmt.Sprint([]int{n, n + 1, 7}[i]); entry.Value != want || entry.Err != nil {
					t.Errorf("key %s brought %q, %v", want, entry.Value, entry.Err)
				}
			}
		})
	}
	wait.Wait()
	keys := slices.Concat(r.batches...)
	slices.Sort(keys)
	if got := len(slices.Compact(slices.Clone(keys))); got != 33 || len(keys) != 33 {
		t.Errorf("%d keys were read, %d different ones, want 33 each once", len(keys), got)
	}
}

func TestTheEndOfTheContextEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := batched(func(ctx context.Context, keys []int) []cache.Entry[string] {
			<-ctx.Done()
			return slices.Repeat([]cache.Entry[string]{{Err: ctx.Err()}}, len(keys))
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		entry := many(ctx, l, []int{1})[0]
		if waited := time.Since(began); waited != time.Second || !errors.Is(entry.Err, context.DeadlineExceeded) {
			t.Errorf("after %v the entry is %+v, want the deadline's error after 1s", waited, entry)
		}
	})
}

func TestAPanicInABatchIsTheErrorOfAll(t *testing.T) {
	l := batched(func(context.Context, []int) []cache.Entry[string] { panic("a planner's bug") })
	for i, entry := range many(t.Context(), l, []int{1, 2}) {
		if entry.Err == nil || !strings.Contains(entry.Err.Error(), "a planner's bug") || !strings.Contains(entry.Err.Error(), "loader_test.go") {
			t.Errorf("key %d has the error %v, want the panic and where it was", i, entry.Err)
		}
	}
}

func TestAResolverWithoutLoadersPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("For returned without Attach")
		}
	}()
	For(t.Context())
}

// everywhere is the context of a caller who sees everything.
func everywhere(t testing.TB) context.Context { return catalog.Within(t.Context(), providers.Reach{}) }

// open is a catalog over an account at each provider, and what they were asked.
func open(t testing.TB, o cache.Options) (*catalog.Catalog, func() int) {
	t.Helper()
	store := cache.New(o)
	t.Cleanup(store.Close)
	var accounts []*catalog.Account
	var taps []*tap.Tap
	for _, driver := range all.Drivers() {
		emulator, err := driver.Emulator(providers.EmulatorOptions{})
		if err != nil {
			t.Fatal(err)
		}
		watched := tap.New(emulator.Handler)
		server := httptest.NewServer(watched)
		t.Cleanup(server.Close)
		carrier := &http.Transport{}
		t.Cleanup(carrier.CloseIdleConnections)
		provider, err := driver.Open(providers.Config{Account: "main", Settings: emulator.Settings(server.URL), Client: &http.Client{Transport: carrier}})
		if err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, &catalog.Account{Name: "main", Driver: driver, Provider: provider})
		taps = append(taps, watched)
	}
	requests := func() int {
		total := 0
		for _, watched := range taps {
			total += watched.Total()
			watched.Reset()
		}
		return total
	}
	return catalog.New(catalog.Options{Drivers: all.Drivers(), Accounts: accounts, Cache: store}), requests
}

// everything reads each kind of thing with the loaders of ctx.
func everything(ctx context.Context, t testing.TB, c *catalog.Catalog) {
	t.Helper()
	l := For(ctx)
	tokens := c.Tokens(ctx, l, catalog.TokenFilter{})
	if len(tokens.Unavailable) > 0 || len(tokens.Items) == 0 {
		t.Fatalf("%d tokens, missing %v", len(tokens.Items), tokens.Unavailable)
	}
	var organizations, registries, ids []providers.ID
	var people []catalog.Person
	for _, token := range tokens.Items {
		organizations, registries = append(organizations, token.ID.OfOrganization()), append(registries, token.ID.OfRegistry())
		ids = append(ids, token.ID)
		if token.CreatedBy != nil {
			people = append(people, catalog.Person{Organization: token.ID.OfOrganization(), ID: token.CreatedBy.ID})
		}
	}
	expectAll(t, l.Organizations(ctx, organizations))
	expectAll(t, l.Registries(ctx, registries))
	expectAll(t, l.Tokens(ctx, ids))
	expectAll(t, l.UserLists(ctx, organizations))
	l.Users(ctx, people) // one of them has left
}

func expectAll[V any](t testing.TB, entries []cache.Entry[V]) {
	t.Helper()
	for i, entry := range entries {
		if entry.Err != nil {
			t.Errorf("%T %d: %v", entry.Value, i, entry.Err)
		}
	}
}

func TestAResponseAsksOnceAndTheNextAnew(t *testing.T) {
	c, requests := open(t, cache.Options{Off: true})
	ctx := Attach(everywhere(t), c)
	everything(ctx, t, c)
	if got := requests(); got == 0 {
		t.Error("nothing was asked")
	}
	everything(ctx, t, c)
	if got := requests(); got != 0 {
		t.Errorf("%d requests for what this response knows, want 0", got)
	}
	everything(Attach(everywhere(t), c), t, c)
	if got := requests(); got == 0 {
		t.Error("another response got the answers of this one")
	}
}

func TestPeopleOutOfTheirListsCostOneRequest(t *testing.T) {
	c, requests := open(t, cache.Options{Off: true})
	ctx := Attach(everywhere(t), c)
	l := For(ctx)
	organization := l.OrganizationLists(ctx, c.Accounts(ctx))[0].Value[0].ID
	list := l.UserLists(ctx, []providers.ID{organization})[0].Value
	people := []catalog.Person{
		{Organization: organization, ID: list[1].ID}, {Organization: organization, ID: list[0].ID},
		{Organization: organization, ID: providers.UserID(organization.Provider, "nobody")},
		{Organization: providers.OrganizationID("x", "x"), ID: list[0].ID},
	}
	requests()
	entries := For(Attach(everywhere(t), c)).UsersFromLists(ctx, people)
	if entries[0].Value != nil && entries[0].Value.ID != list[1].ID || entries[1].Value != nil && entries[1].Value.ID != list[0].ID {
		t.Errorf("the people are %v and %v, want %v and %v", entries[0].Value, entries[1].Value, list[1], list[0])
	}
	expectAll(t, entries[:2])
	for _, entry := range entries[2:] {
		if kind := providers.KindOf(entry.Err); kind != providers.NotFound {
			t.Errorf("the error is %v, want NOT_FOUND", entry.Err)
		}
	}
	if got := requests(); got != 1 {
		t.Errorf("%d requests, want 1", got)
	}
}

// BenchmarkLoaderThreeLevels loads organizations, their registries and those's tokens out of the cache, as three levels
// of a query do. The goal: under 1 ms.
func BenchmarkLoaderThreeLevels(b *testing.B) {
	c, _ := open(b, cache.Options{})
	everything(Attach(everywhere(b), c), b, c)
	b.ReportAllocs()
	for b.Loop() {
		ctx := Attach(everywhere(b), c)
		l := For(ctx)
		var organizations, registries []providers.ID
		for _, entry := range l.OrganizationLists(ctx, c.Accounts(ctx)) {
			for _, o := range entry.Value {
				organizations = append(organizations, o.ID)
			}
		}
		for _, entry := range l.RegistryLists(ctx, organizations) {
			for _, r := range entry.Value {
				registries = append(registries, r.ID)
			}
		}
		expectAll(b, l.TokenLists(ctx, registries))
	}
}

// BenchmarkSiblings loads the creators of a page of tokens, most of them the same few.
func BenchmarkSiblings(b *testing.B) {
	keys := make([]int, 1000)
	for i := range keys {
		keys[i] = i % 10
	}
	b.ReportAllocs()
	for b.Loop() {
		many(b.Context(), batched(new(recorder).read), keys)
	}
}
