package providertest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"regtok/providers"
)

func listCases() []testCase {
	return []testCase{
		{"pages of one see each item once", pagesOfOne, true},
		{"a page never exceeds its size", pageSizes, true},
		{"an empty registry is an empty list", emptyRegistry, true},
		{"a long list is whole", longList, true},
		{"a foreign or damaged cursor is INVALID and sends no request", badCursors, false},
		{"a list that changes between its pages shows what stayed once", changingList, true},
		{"a list whose later page fails is an error", failingPage, true},
	}
}

// list is one of a provider's lists, by the ids in it.
type list struct {
	name string
	page func(context.Context, providers.Provider, providers.PageRequest) (ids []providers.ID, next string, err error)
}

// lists are those of the world's organization and registries.
func (r *rig) lists() []list {
	w := r.world
	return []list{
		{"organizations", ids(func(ctx context.Context, p providers.Provider, q providers.PageRequest) (providers.Page[providers.Organization], error) {
			return p.Organizations(ctx, q)
		}, func(o providers.Organization) providers.ID { return o.ID })},
		{"registries", ids(func(ctx context.Context, p providers.Provider, q providers.PageRequest) (providers.Page[providers.Registry], error) {
			return p.Registries(ctx, w.organization, q)
		}, func(g providers.Registry) providers.ID { return g.ID })},
		{"tokens", ids(tokensOf(w.registry), func(k providers.Token) providers.ID { return k.ID })},
		{"tokens of another registry", ids(tokensOf(w.other), func(k providers.Token) providers.ID { return k.ID })},
		{"users", ids(func(ctx context.Context, p providers.Provider, q providers.PageRequest) (providers.Page[providers.User], error) {
			return p.Users(ctx, w.organization, q)
		}, func(u providers.User) providers.ID { return u.ID })},
	}
}

func tokensOf(registry providers.ID) func(context.Context, providers.Provider, providers.PageRequest) (providers.Page[providers.Token], error) {
	return func(ctx context.Context, p providers.Provider, q providers.PageRequest) (providers.Page[providers.Token], error) {
		return p.Tokens(ctx, registry, q)
	}
}

func ids[T any](
	page func(context.Context, providers.Provider, providers.PageRequest) (providers.Page[T], error), id func(T) providers.ID,
) func(context.Context, providers.Provider, providers.PageRequest) ([]providers.ID, string, error) {
	return func(ctx context.Context, p providers.Provider, q providers.PageRequest) ([]providers.ID, string, error) {
		got, err := page(ctx, p, q)
		var found []providers.ID
		for _, item := range got.Items {
			found = append(found, id(item))
		}
		return found, got.Next, err
	}
}

// walk reads a list to its end in pages of a size.
func (r *rig) walk(t *testing.T, l list, size int) []providers.ID {
	t.Helper()
	return r.walkFrom(t, l, providers.PageRequest{Size: size})
}

// walkFrom reads the rest of a list.
func (r *rig) walkFrom(t *testing.T, l list, request providers.PageRequest) []providers.ID {
	t.Helper()
	var all []providers.ID
	seen := map[string]bool{}
	for !seen[request.Cursor] {
		seen[request.Cursor] = true
		found, next, err := l.page(t.Context(), r.provider, request)
		if err != nil {
			t.Fatalf("%s by %d: %v", l.name, request.Size, err)
		}
		if request.Size > 0 && len(found) > request.Size {
			t.Errorf("a page of %d %s holds %d", request.Size, l.name, len(found))
		}
		all = append(all, found...)
		if next == "" {
			return all
		}
		request.Cursor = next
	}
	t.Fatalf("%s by %d: a page leads back to one before it", l.name, request.Size)
	return nil
}

// wantEachOnce checks that two lists hold the same, in whatever order, and nothing twice.
func wantEachOnce(t *testing.T, what string, got, want []providers.ID) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d items, want %d", what, len(got), len(want))
	}
	same(t, what+" differ", count(got), count(want))
}

func count(ids []providers.ID) map[providers.ID]int {
	counts := map[providers.ID]int{}
	for _, id := range ids {
		counts[id]++
	}
	return counts
}

func pagesOfOne(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	for _, l := range r.lists() {
		whole := r.walk(t, l, 0)
		if len(whole) == 0 {
			t.Errorf("%s: there are none", l.name)
		}
		if len(count(whole)) != len(whole) {
			t.Errorf("%s: some are there twice: %v", l.name, count(whole))
		}
		wantEachOnce(t, l.name+" one by one", r.walk(t, l, 1), whole)
	}
	if got := len(r.walk(t, r.lists()[2], 0)); got != r.options.tokens {
		t.Errorf("the registry has %d tokens, want %d", got, r.options.tokens)
	}
}

func pageSizes(t *testing.T, s subject) {
	r := s.newRig(t, options{registries: 6, tokens: 7})
	for _, l := range r.lists() {
		whole := r.walk(t, l, 0)
		for _, size := range []int{2, 3, 7, 100, 1000} {
			wantEachOnce(t, fmt.Sprintf("%s by %d", l.name, size), r.walk(t, l, size), whole)
		}
	}
}

func emptyRegistry(t *testing.T, s subject) {
	r := s.newRig(t, options{registries: 4})
	for _, size := range []int{0, 1, 100} {
		page, err := r.provider.Tokens(t.Context(), r.world.registry, providers.PageRequest{Size: size})
		if err != nil || len(page.Items) != 0 || page.Next != "" {
			t.Errorf("the tokens of an empty registry by %d: %d, next %q, %v, want none", size, len(page.Items), page.Next, err)
		}
	}
}

// manyTokens are more than any provider's largest page.
const manyTokens = 130

func longList(t *testing.T, s subject) {
	r := s.newRig(t, options{registries: 4, tokens: manyTokens})
	tokens := must(r.tokens(t.Context(), r.provider, r.world.registry))(t)
	found := map[providers.ID]bool{}
	for _, token := range tokens {
		found[token.ID] = true
	}
	if len(tokens) != r.options.tokens || len(found) != r.options.tokens {
		t.Errorf("%d tokens are listed, %d different ones, want %d", len(tokens), len(found), r.options.tokens)
	}
	if got := len(r.walk(t, r.lists()[2], 99)); got != r.options.tokens {
		t.Errorf("by 99 there are %d tokens, want %d", got, r.options.tokens)
	}
}

func badCursors(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	cursors := map[string]string{}
	for _, l := range r.lists() {
		_, next, err := l.page(t.Context(), r.provider, providers.PageRequest{Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		cursors[l.name] = next
	}
	for _, l := range r.lists() {
		bad := maps.Clone(cursors)
		delete(bad, l.name)
		for i, damaged := range damage(cursors[l.name]) {
			bad[fmt.Sprint("damage ", i)] = damaged
		}
		r.tap.Reset()
		for of, cursor := range bad {
			if cursor == "" {
				continue // the list has one page, so there is no such cursor
			}
			_, _, err := l.page(t.Context(), r.provider, providers.PageRequest{Size: 1, Cursor: cursor})
			r.wantKind(t, fmt.Sprintf("%s after the cursor %q of %s", l.name, cursor, of), err, providers.Invalid)
		}
		r.wantRequests(t, l.name+" after bad cursors", 0)
	}
}

// damage makes texts that nearly are a cursor, or never were one.
func damage(cursor string) []string {
	damaged := []string{"!", "2", "bm90IGEgY3Vyc29y", "%00", "AAAAAAAAAAAA"}
	if cursor == "" {
		return damaged
	}
	flipped := []byte(cursor)
	flipped[len(flipped)/2] ^= 1
	return append(damaged, cursor+"A", cursor[:len(cursor)-1], cursor[1:], string(flipped), cursor+"\n")
}

func changingList(t *testing.T, s subject) {
	r := s.newRig(t, options{registries: 4, tokens: 9})
	tokens := r.lists()[2]
	whole := r.walk(t, tokens, 0)
	first, next, err := tokens.page(t.Context(), r.provider, providers.PageRequest{Size: 3})
	if err != nil || next == "" {
		t.Fatalf("the first page: next %q, %v, want another page", next, err)
	}
	if err := r.provider.DeleteToken(t.Context(), first[1]); err != nil {
		t.Fatal(err)
	}
	added, _ := r.create(t)
	seen := append(first, r.walkFrom(t, tokens, providers.PageRequest{Size: 3, Cursor: next})...)
	// Whether the new one shows depends on where it stands.
	seen = slices.DeleteFunc(seen, func(id providers.ID) bool { return id == added.Token.ID })
	wantEachOnce(t, "what was there when the first page was read", seen, whole)
}

func failingPage(t *testing.T, s subject) {
	s.inBubble(t, options{registries: 4, tokens: manyTokens}, func(t *testing.T, r *rig) {
		r.tap.Reset()
		must(r.tokens(t.Context(), r.provider, r.world.registry))(t)
		requests := r.tap.Total()
		for _, served := range []int{0, 1, requests / 2, requests - 1} {
			if served >= requests {
				continue
			}
			r.tap.Spoil(func(w http.ResponseWriter, _ *http.Request, nth int) bool {
				if nth > served {
					w.WriteHeader(http.StatusBadGateway)
				}
				return nth > served
			})
			tokens, err := r.tokens(t.Context(), r.provider, r.world.registry)
			what := fmt.Sprintf("a list that fails after %d of %d requests", served, requests)
			r.wantKind(t, what, err, providers.Unavailable)
			if len(tokens) != 0 {
				t.Errorf("%s: %d tokens, want none", what, len(tokens))
			}
		}
	})
}
