package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regtok/providers"
)

// tokenOrders are all orders of tokens by name.
func tokenOrders() map[string]Order[*Token] {
	orders := map[string]Order[*Token]{}
	for _, desc := range []bool{false, true} {
		for _, o := range []Order[*Token]{TokensByName(desc), TokensByCreation(desc), TokensByUpdate(desc), TokensByDue(desc)} {
			orders[o.scope()] = o
		}
	}
	return orders
}

// moments are dates as tokens have them, the ends of the calendar included.
var moments = []time.Time{
	{}, noon, noon.Add(time.Millisecond), noon.Add(time.Second), noon.Add(-30 * day),
	time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Unix(0, 0).UTC(),
}

// drawTokens draws different tokens with many equal names and dates.
func drawTokens(t *rapid.T, label string) []*Token {
	moment := rapid.SampledFrom(moments)
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) *Token {
		organization := providers.OrganizationID(rapid.SampledFrom([]string{"p", "q"}).Draw(t, "provider"), "o")
		registry := organization.RegistryID(rapid.SampledFrom([]string{"r", "s"}).Draw(t, "registry"))
		return &Token{
			Token: providers.Token{
				ID:        registry.TokenID(fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "native"))),
				Name:      rapid.SampledFrom([]string{"", "a", "A", "b c", "b:c", "é", "É", "\xff", "zz"}).Draw(t, "name"),
				CreatedAt: moment.Draw(t, "created"), UpdatedAt: moment.Draw(t, "updated"),
			},
			DueAt: moment.Draw(t, "due"),
		}
	}), 0, 60, func(t *Token) providers.ID { return t.ID }).Draw(t, label)
}

// inOrder sorts by the words of the schema: by the key, those without one last, equal ones by id.
func inOrder(tokens []*Token, name string) []*Token {
	sorted := slices.Clone(tokens)
	field, desc := strings.CutSuffix(name, ", descending")
	key := map[string]func(t *Token) (string, time.Time){
		"tokens by name":    func(t *Token) (string, time.Time) { return strings.ToLower(t.Name), time.Time{} },
		"tokens by created": func(t *Token) (string, time.Time) { return "", t.CreatedAt },
		"tokens by updated": func(t *Token) (string, time.Time) { return "", t.UpdatedAt },
		"tokens by due":     func(t *Token) (string, time.Time) { return "", t.DueAt },
	}[field]
	slices.SortFunc(sorted, func(a, b *Token) int {
		aText, aTime := key(a)
		bText, bTime := key(b)
		aNone, bNone := aText == "" && aTime.IsZero(), bText == "" && bTime.IsZero()
		switch {
		case aNone && !bNone:
			return 1
		case bNone && !aNone:
			return -1
		}
		c := cmp.Or(aTime.Compare(bTime), cmp.Compare(aText, bText))
		if desc {
			c = -c
		}
		return cmp.Or(c, slices.Compare(parts(a.ID), parts(b.ID)))
	})
	return sorted
}

func parts(id providers.ID) []string {
	return []string{id.Provider, id.Organization, id.Registry, id.Native}
}

func TestPagesOfAnySizeMakeTheSortedList(t *testing.T) {
	orders := tokenOrders()
	rapid.Check(t, func(t *rapid.T) {
		tokens := drawTokens(t, "tokens")
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(orders))).Draw(t, "order")
		size := rapid.IntRange(1, MaxPage).Draw(t, "size")
		given := slices.Clone(tokens)
		want := inOrder(tokens, name)
		var got []*Token
		for after := ""; ; {
			page := cut(t, tokens, orders[name], size, after)
			if page.HasPrevious != (len(got) > 0) {
				t.Fatalf("after %d tokens HasPrevious is %v", len(got), page.HasPrevious)
			}
			got = append(got, page.Items...)
			if page.HasNext != (len(got) < len(want)) {
				t.Fatalf("after %d of %d tokens HasNext is %v", len(got), len(want), page.HasNext)
			}
			if !page.HasNext {
				break
			}
			if len(page.Items) != size {
				t.Fatalf("a page that is not the last has %d tokens, want %d", len(page.Items), size)
			}
			after = page.Cursor(page.Items[size-1])
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s: pages of %d make %v, want %v", name, size, labels(got), labels(want))
		}
		if !slices.Equal(tokens, given) {
			t.Fatal("cutting pages changed the list")
		}
	})
}

func TestAListThatChangesBetweenPagesShowsWhatStaysOnceAndInOrder(t *testing.T) {
	orders := tokenOrders()
	rapid.Check(t, func(t *rapid.T) {
		pool := drawTokens(t, "tokens")
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(orders))).Draw(t, "order")
		size := rapid.IntRange(1, 7).Draw(t, "size")
		there := map[*Token]bool{}
		for i, token := range pool {
			there[token] = i%3 != 0
		}
		stayed := maps.Clone(there)
		var got []*Token
		for after := ""; ; {
			page := cut(t, present(pool, there), orders[name], size, after)
			got = append(got, page.Items...)
			if !page.HasNext {
				break
			}
			after = page.Cursor(page.Items[len(page.Items)-1])
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				token := rapid.SampledFrom(pool).Draw(t, "changed")
				there[token] = !there[token]
				stayed[token] = false
			}
		}
		if sorted := inOrder(got, name); !slices.Equal(got, sorted) {
			t.Fatalf("the walk is not in order: %v", labels(got))
		}
		counts := map[*Token]int{}
		for _, token := range got {
			counts[token]++
		}
		for token, stays := range stayed {
			if counts[token] > 1 || stays && counts[token] != 1 {
				t.Fatalf("%v came %d times; it stayed: %v", token.ID, counts[token], stays)
			}
		}
	})
}

func present(pool []*Token, there map[*Token]bool) []*Token {
	var list []*Token
	for _, token := range pool {
		if there[token] {
			list = append(list, token)
		}
	}
	return list
}

func labels(tokens []*Token) []string {
	list := make([]string, len(tokens))
	for i, t := range tokens {
		list[i] = t.ID.Provider + "/" + t.ID.Registry + "/" + t.ID.Native + " " + t.Name
	}
	return list
}

// cut cuts a page that must be there.
func cut[T any](t interface{ Fatalf(string, ...any) }, items []T, order Order[T], first int, after string) Page[T] {
	page, err := Cut(items, order, PageRequest{First: first, After: after})
	if err != nil {
		t.Fatalf("Cut(first %d, after %q) fails: %v", first, after, err)
	}
	return page
}

func TestAPageKnowsTheWholeList(t *testing.T) {
	tokens := some(5)
	first := cut(t, tokens, TokensByName(false), 2, "")
	second := cut(t, tokens, TokensByName(false), 2, first.Cursor(first.Items[1]))
	if len(first.All) != 5 || len(second.All) != 5 {
		t.Errorf("pages know %d and %d tokens, want 5 and 5", len(first.All), len(second.All))
	}
}

func TestAPageSizeIsFromOneToAHundred(t *testing.T) {
	for first, ok := range map[int]bool{-1: false, 0: false, 1: true, MaxPage: true, MaxPage + 1: false} {
		page, err := Cut(some(200), TokensByName(false), PageRequest{First: first})
		if before := TokensByName(false).Check(PageRequest{First: first}); (before == nil) != (err == nil) {
			t.Errorf("Check says %v to a page of %d, and Cut %v", before, first, err)
		}
		switch {
		case ok && (err != nil || len(page.Items) != first):
			t.Errorf("a page of %d has %d items, %v", first, len(page.Items), err)
		case !ok:
			expectInvalid(t, err, "first")
		}
	}
}

func TestACursorOfAnotherOrderOrListIsInvalid(t *testing.T) {
	tokens := some(3)
	cursors := map[string]string{}
	for name, order := range tokenOrders() {
		cursors[name] = cut(t, tokens, order, 1, "").Cursor(tokens[0])
	}
	registries := []*Registry{{Registry: providers.Registry{ID: tokens[0].ID.OfRegistry(), Name: "r"}}}
	cursors["registries"] = cut(t, registries, RegistriesByName(false), 1, "").Cursor(registries[0])
	for name, order := range tokenOrders() {
		for of, cursor := range cursors {
			_, err := Cut(tokens, order, PageRequest{First: 1, After: cursor})
			if before := order.Check(PageRequest{First: 1, After: cursor}); (before == nil) != (err == nil) {
				t.Errorf("Check says %v to a cursor of %s, and Cut %v", before, of, err)
			}
			if of == name && err != nil {
				t.Errorf("%s refuses its own cursor: %v", name, err)
			}
			if of != name {
				expectInvalid(t, err, "after")
			}
		}
	}
}

func TestADamagedCursorIsInvalid(t *testing.T) {
	tokens := some(3)
	good := cut(t, tokens, TokensByDue(false), 1, "").Cursor(tokens[1])
	scope := TokensByDue(false).scope()
	id := tokens[1].ID.String()
	damaged := []string{
		"x", "==", "🙂", good + "A", good[1:], " " + good, good + "\n", strings.ToUpper(good),
		providers.EncodeCursor(scope, id), providers.EncodeCursor(scope, id+" "), providers.EncodeCursor(scope, id+" x:1"),
		providers.EncodeCursor(scope, id+" d:"), providers.EncodeCursor(scope, id+" d:1.5"),
		providers.EncodeCursor(scope, id+" d:zzzzzzzzzzzzzzzz"), providers.EncodeCursor(scope, "x d:1"), providers.EncodeCursor(scope, " d:1"),
	}
	for i := range good {
		damaged = append(damaged, good[:i]+"_"+good[i+1:], good[:i]+good[i+1:])
	}
	for _, cursor := range damaged {
		if cursor == good || cursor == "" {
			continue
		}
		_, err := Cut(tokens, TokensByDue(false), PageRequest{First: 1, After: cursor})
		expectInvalid(t, err, "after")
	}
}

// FuzzCursor gives both whole cursors and positions that got past the checksum to every order.
func FuzzCursor(f *testing.F) {
	tokens := append(some(3), &Token{Token: providers.Token{ID: tokenID("q", "t")}})
	for _, order := range tokenOrders() {
		for _, token := range tokens {
			f.Add(Page[*Token]{order: order}.Cursor(token))
		}
		f.Add(tokens[0].ID.String() + " d:-1")
		f.Add(tokens[0].ID.String() + " t:a:b c")
	}
	orders := tokenOrders()
	f.Fuzz(func(t *testing.T, text string) {
		for _, order := range orders {
			for _, cursor := range []string{text, providers.EncodeCursor(order.scope(), text)} {
				page, err := Cut(tokens, order, PageRequest{First: 2, After: cursor})
				if checked := order.Check(PageRequest{First: 2, After: cursor}); (checked == nil) != (err == nil) {
					t.Errorf("Check says %v, and Cut %v", checked, err)
				}
				if err != nil {
					expectInvalid(t, err, "after")
					continue
				}
				for _, item := range page.Items {
					if _, err := Cut(tokens, order, PageRequest{First: 1, After: page.Cursor(item)}); err != nil {
						t.Errorf("a cursor that Cut made is refused: %v", err)
					}
				}
			}
		}
	})
}

// some are tokens with different names and dates.
func some(n int) []*Token {
	tokens := make([]*Token, n)
	for i := range tokens {
		tokens[i] = &Token{
			Token: providers.Token{ID: tokenID("p", numbered("t", i)), Name: numbered("name ", i), CreatedAt: noon.Add(time.Duration(i) * time.Hour)},
			DueAt: noon.Add(time.Duration(i) * day),
		}
	}
	return tokens
}

func expectInvalid(t *testing.T, err error, field string) {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Kind != providers.Invalid || e.Field != field || e.Message == "" {
		t.Errorf("the error is %v, want INVALID of %s with a message", err, field)
	}
}
