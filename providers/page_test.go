package providers

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func userKey(u User) ID { return u.ID }

// users makes people with these native ids.
func users(natives ...string) []User {
	list := make([]User, 0, len(natives))
	for _, native := range natives {
		list = append(list, User{ID: UserID("p", native)})
	}
	return list
}

func natives(list []User) []string {
	names := make([]string, 0, len(list))
	for _, u := range list {
		names = append(names, u.ID.Native)
	}
	return names
}

// pages serves lists that name one another by cursor; "" is the first.
type pages map[string]Page[User]

func (p pages) read(_ context.Context, request PageRequest) (Page[User], error) {
	page, ok := p[request.Cursor]
	if !ok {
		return Page[User]{}, &Error{Kind: Unavailable, Reason: Unreachable}
	}
	return page, nil
}

func TestAllReadsEachItemOnce(t *testing.T) {
	for _, c := range []struct {
		what  string
		pages pages
		want  []string
	}{
		{"an empty list", pages{"": {}}, []string{}},
		{"one page", pages{"": {Items: users("b", "a")}}, []string{"b", "a"}},
		{"three pages", pages{"": {users("a"), "2"}, "2": {users("b", "c"), "3"}, "3": {users("d"), ""}}, []string{"a", "b", "c", "d"}},
		{"an item that moved to the next page", pages{"": {users("a", "b"), "2"}, "2": {users("b", "c"), ""}}, []string{"a", "b", "c"}},
		{"an empty page in between", pages{"": {users("a"), "2"}, "2": {nil, "3"}, "3": {users("b"), ""}}, []string{"a", "b"}},
	} {
		got, err := All(t.Context(), userKey, c.pages.read)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if diff := cmp.Diff(natives(got), c.want); diff != "" {
			t.Errorf("%s: got - want +\n%s", c.what, diff)
		}
	}
}

func TestAllReturnsNoPartOfAList(t *testing.T) {
	lost := pages{"": {users("a"), "2"}, "2": {users("b"), "3"}}
	ring := pages{"": {users("a"), "2"}, "2": {users("b"), "3"}, "3": {users("c"), "2"}}
	for what, c := range map[string]struct {
		pages  pages
		reason Reason
	}{
		"the first page fails":         {pages{}, Unreachable},
		"a later page fails":           {lost, Unreachable},
		"the cursors go round":         {ring, InvalidResponse},
		"a page names itself as next":  {pages{"": {users("a"), "2"}, "2": {users("b"), "2"}}, InvalidResponse},
		"the first is empty and fails": {pages{"": {nil, "2"}}, Unreachable},
	} {
		got, err := All(t.Context(), userKey, c.pages.read)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != Unavailable || e.Reason != c.reason || got != nil {
			t.Errorf("%s: got %v, %v, want nothing and UNAVAILABLE (%s)", what, got, err, c.reason)
		}
	}
}

func TestAllGivesUpOnAListWithoutEnd(t *testing.T) {
	calls := 0
	_, err := All(t.Context(), userKey, func(context.Context, PageRequest) (Page[User], error) {
		calls++
		return Page[User]{Next: fmt.Sprint(calls)}, nil
	})
	if KindOf(err) != Unavailable || calls > maxPages+1 {
		t.Errorf("after %d pages got %v, want UNAVAILABLE after at most %d", calls, err, maxPages+1)
	}
}

func TestAllLeavesThePagesAsTheyAre(t *testing.T) {
	whole := users("a", "b", "b", "c")
	p := pages{"": {whole[:2], "2"}, "2": {whole[2:], ""}}
	if _, err := All(t.Context(), userKey, p.read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(natives(whole), []string{"a", "b", "b", "c"}); diff != "" {
		t.Errorf("the provider's own list has changed, got - want +\n%s", diff)
	}
}

func TestCutPageShowsEachItemOnce(t *testing.T) {
	items := users("e", "b", "d", "a", "c")
	for size := -1; size <= 6; size++ {
		var got []string
		request := PageRequest{Size: size}
		for {
			page, err := CutPage(items, "list", userKey, request)
			if err != nil {
				t.Fatalf("size %d: %v", size, err)
			}
			if size > 0 && len(page.Items) > size {
				t.Errorf("a page of size %d holds %d", size, len(page.Items))
			}
			got = append(got, natives(page.Items)...)
			if request.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(got, []string{"a", "b", "c", "d", "e"}); diff != "" {
			t.Errorf("size %d: got - want +\n%s", size, diff)
		}
	}
	if diff := cmp.Diff(natives(items), []string{"e", "b", "d", "a", "c"}); diff != "" {
		t.Errorf("the list itself has changed, got - want +\n%s", diff)
	}
}

func TestCutPageGoesOnWhereItWasThoughTheListChanges(t *testing.T) {
	first, err := CutPage(users("a", "b", "c", "d"), "list", userKey, PageRequest{Size: 2})
	if err != nil || first.Next == "" {
		t.Fatalf("first page = %+v, %v, want one with a next", first, err)
	}
	for what, c := range map[string]struct {
		now  []User
		want []string
	}{
		"the last seen is gone":  {users("a", "c", "d"), []string{"c", "d"}},
		"one came before it":     {users("0", "a", "b", "c", "d"), []string{"c", "d"}},
		"one came after it":      {users("a", "b", "bb", "c", "d"), []string{"bb", "c", "d"}},
		"nothing is left":        {nil, []string{}},
		"only earlier ones left": {users("a"), []string{}},
	} {
		page, err := CutPage(c.now, "list", userKey, PageRequest{Cursor: first.Next})
		if err != nil || page.Next != "" {
			t.Errorf("%s: next = %q, %v, want the last page", what, page.Next, err)
		}
		if diff := cmp.Diff(natives(page.Items), c.want); diff != "" {
			t.Errorf("%s: got - want +\n%s", what, diff)
		}
	}
}

func TestADamagedOrForeignCursorIsInvalid(t *testing.T) {
	good := EncodeCursor("tokens of r1", "position")
	for what, cursor := range map[string]string{
		"another list's":       EncodeCursor("tokens of r2", "position"),
		"a moved boundary":     EncodeCursor("tokens of r1p", "osition"),
		"a word":               "next",
		"not base64":           "%%%",
		"padding":              good + "=",
		"a line's end":         good[:4] + "\n" + good[4:],
		"cut short":            good[:len(good)-1],
		"one more":             good + "A",
		"a changed character":  strings.Replace(good, good[12:13], "_", 1),
		"a later version":      base64.RawURLEncoding.EncodeToString([]byte("\x02\x00\x00\x00\x00a")),
		"no position":          base64.RawURLEncoding.EncodeToString([]byte("\x01\x00\x00\x00\x00")),
		"an offset in digits":  "10",
		"an id of this server": OrganizationID("p", "o").String(),
	} {
		position, err := DecodeCursor(cursor, "tokens of r1")
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != Invalid || e.Field != "after" || e.Message == "" || position != "" {
			t.Errorf("%s (%q) = %q, %v, want INVALID for the field after", what, cursor, position, err)
		}
		if _, err := CutPage(users("a"), "tokens of r1", userKey, PageRequest{Cursor: cursor}); KindOf(err) != Invalid {
			t.Errorf("a page after %s: %v, want INVALID", what, err)
		}
	}
}

func TestTheBeginningHasNoCursor(t *testing.T) {
	if got := EncodeCursor("list", ""); got != "" {
		t.Errorf("the cursor of the beginning = %q, want none", got)
	}
	if got, err := DecodeCursor("", "list"); got != "" || err != nil {
		t.Errorf("no cursor = %q, %v, want the beginning", got, err)
	}
}

func FuzzDecodeCursor(f *testing.F) {
	f.Add(EncodeCursor("list", "position"), "list")
	f.Add(EncodeCursor("list", "position")+"\r\n", "list")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, cursor, scope string) {
		position, err := DecodeCursor(cursor, scope)
		if err != nil {
			if KindOf(err) != Invalid || position != "" {
				t.Fatalf("DecodeCursor(%q) = %q, %v, want INVALID", cursor, position, err)
			}
			return
		}
		if got := EncodeCursor(scope, position); got != cursor {
			t.Errorf("DecodeCursor(%q) = %q, whose cursor is %q", cursor, position, got)
		}
	})
}

func FuzzCursorRoundTrip(f *testing.F) {
	f.Add("list", "position")
	f.Add("a", "b\x00\xff")
	f.Fuzz(func(t *testing.T, scope, position string) {
		cursor := EncodeCursor(scope, position)
		if got, err := DecodeCursor(cursor, scope); err != nil || got != position {
			t.Errorf("DecodeCursor(%q) = %q, %v, want %q", cursor, got, err, position)
		}
		if strings.ContainsAny(cursor, "+/=%& ") {
			t.Errorf("%q is not safe in a URL", cursor)
		}
	})
}

func FuzzCutPage(f *testing.F) {
	f.Add("b,a,c", 1)
	f.Add("", 0)
	f.Add("x,y,z,1,2,3", 4)
	f.Fuzz(func(t *testing.T, names string, size int) {
		list := strings.FieldsFunc(names, func(r rune) bool { return r == ',' })
		slices.Sort(list)
		list = slices.Compact(list)
		var got []string
		for request := (PageRequest{Size: size}); ; {
			page, err := CutPage(users(list...), "list", userKey, request)
			if err != nil {
				t.Fatal(err)
			}
			if size > 0 && len(page.Items) > size {
				t.Fatalf("a page of size %d holds %d", size, len(page.Items))
			}
			got = append(got, natives(page.Items)...)
			if request.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(got, list) {
			t.Errorf("pages of %d hold %q, want %q", size, got, list)
		}
	})
}

func TestABadCursorIsRefusedBeforeAnythingIsRead(t *testing.T) {
	of := ProviderID("p")
	registry := func(native string) Registry { return Registry{ID: OrganizationID("p", "o").RegistryID(native)} }
	key := func(r Registry) ID { return r.ID }
	reads := 0
	read := func() ([]Registry, error) {
		reads++
		return []Registry{registry("b"), registry("a"), registry("c")}, nil
	}
	first, err := ReadPage("list registries", of, key, PageRequest{Size: 2}, read)
	if err != nil || len(first.Items) != 2 || first.Next == "" {
		t.Fatalf("the first page is %v, %v, want two items and a cursor", first, err)
	}
	last, err := ReadPage("list registries", of, key, PageRequest{Size: 2, Cursor: first.Next}, read)
	if diff := cmp.Diff(last, Page[Registry]{Items: []Registry{registry("c")}}); err != nil || diff != "" {
		t.Fatalf("the last page differs, %v (-got +want):\n%s", err, diff)
	}
	reads = 0
	for _, bad := range []struct {
		op, cursor string
		of         ID
	}{
		{"list registries", "rubbish", of},
		{"list users", first.Next, of},
		{"list registries", first.Next, ProviderID("q")},
	} {
		_, err := ReadPage(bad.op, bad.of, key, PageRequest{Cursor: bad.cursor}, read)
		e, _ := errors.AsType[*Error](err)
		if e == nil || e.Kind != Invalid || e.Provider != bad.of.Provider || e.Op != bad.op || e.Field != "after" || reads != 0 {
			t.Errorf("ReadPage(%v) = %v after %d reads, want %s before any", bad, err, reads, Invalid)
		}
	}
	failure := NotFoundError("p", "list registries")
	if _, err := ReadPage("list registries", of, key, PageRequest{}, func() ([]Registry, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("a failed read is %v, want %v", err, failure)
	}
}
