package cachetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"regtok/cache"
)

type storeCase struct {
	name string
	run  func(t *testing.T, connect func() cache.Store)
}

// storeCases hold for a store without a cache.
var storeCases = []storeCase{
	{"an empty store has generations and no values", func(t *testing.T, connect func() cache.Store) {
		found := getMany(t, connect(), key("a", "1"), key("b", "1"), key("a", "2"))
		for i, f := range found {
			if len(f.Value) != 0 || f.Generation == 0 {
				t.Errorf("key %d: got %q of generation %d, want none of some", i, f.Value, f.Generation)
			}
		}
		if found[0].Generation != found[2].Generation {
			t.Errorf("two keys of a scope have generations %d and %d, want one", found[0].Generation, found[2].Generation)
		}
		if got := getMany(t, connect(), key("a", "1")); got[0].Generation != found[0].Generation {
			t.Errorf("another process got generation %d, want %d too", got[0].Generation, found[0].Generation)
		}
	}},
	{"no keys are no values", func(t *testing.T, connect func() cache.Store) {
		if got := getMany(t, connect()); len(got) != 0 {
			t.Errorf("got %d, want none", len(got))
		}
		setMany(t, connect())
	}},
	{"many values come in the order asked", func(t *testing.T, connect func() cache.Store) {
		store := connect()
		generation := getMany(t, store, key("a", ""))[0].Generation
		var keys []cache.Key
		var items []cache.Item
		for i := range 100 {
			keys = append(keys, key("a", fmt.Sprint(i)))
			if i%3 != 0 {
				items = append(items, cache.Item{Key: keys[i], Value: fmt.Append(nil, i), Generation: generation, For: time.Hour})
			}
		}
		setMany(t, store, items...)
		for i, f := range getMany(t, connect(), append(keys, keys[1])...) {
			want := fmt.Sprint(i % 100)
			switch {
			case i == 100:
				want = "1"
			case i%3 == 0:
				want = ""
			}
			if string(f.Value) != want {
				t.Errorf("value %d: got %q, want %q", i, f.Value, want)
			}
		}
	}},
	{"binary values and odd keys come back as they were", func(t *testing.T, connect func() cache.Store) {
		store := connect()
		odd := []string{"", "\x00", "{a}", "a:b", "ab", "a", "*", "é\xff", "\r\n", strings.Repeat("long", 500)}
		var items []cache.Item
		var keys []cache.Key
		for i, name := range odd {
			k := cache.Key{Scope: cache.Scope{Tenant: name, Name: odd[len(odd)-1-i]}, Item: name}
			value := append([]byte(name), "\x00\xff\r\n"...)
			value = append(value, bytes.Repeat([]byte{byte(i), 0}, 1<<i)...)
			keys = append(keys, k)
			items = append(items, cache.Item{Key: k, Value: value, Generation: getMany(t, store, k)[0].Generation, For: time.Hour})
		}
		setMany(t, store, items...)
		for i, f := range getMany(t, store, keys...) {
			if !bytes.Equal(f.Value, items[i].Value) {
				t.Errorf("under %q: got %q, want %q", odd[i], f.Value, items[i].Value)
			}
		}
	}},
	{"keys that look alike when joined are apart", func(t *testing.T, connect func() cache.Store) {
		store := connect()
		one := cache.Key{Scope: cache.Scope{Tenant: "ab", Name: "c"}, Item: "d"}
		two := cache.Key{Scope: cache.Scope{Tenant: "a", Name: "bc"}, Item: "d"}
		three := cache.Key{Scope: cache.Scope{Tenant: "ab", Name: ""}, Item: "cd"}
		four := cache.Key{Scope: one.Scope, Item: "1:d"}
		five := cache.Key{Scope: one.Scope}
		set(t, store, one, "one", time.Hour)
		for i, f := range getMany(t, store, one, two, three, four, five) {
			if want := map[int]string{0: "one"}[i]; string(f.Value) != want {
				t.Errorf("under the %d. key: got %q, want %q", i+1, f.Value, want)
			}
		}
	}},
	{"a value lives as long as it was told to", func(t *testing.T, connect func() cache.Store) {
		store := connect()
		short, long := key("a", "short"), key("a", "long")
		set(t, store, long, "long", time.Hour)
		set(t, store, short, "short", 5*time.Millisecond)
		eventually(t, "the short-lived value is gone", func() bool { return len(getMany(t, store, short)[0].Value) == 0 })
		if got := getMany(t, store, long)[0].Value; string(got) != "long" {
			t.Errorf("the other is %q, want it as it was", got)
		}
	}},
	{"a deleted value is gone, and no other", func(t *testing.T, connect func() cache.Store) {
		store := connect()
		one, two := key("a", "1"), key("a", "2")
		set(t, store, one, "one", time.Hour)
		set(t, store, two, "two", time.Hour)
		for range 2 { // the second time there is nothing to delete
			if err := store.DeleteMany(t.Context(), []cache.Key{one}); err != nil {
				t.Fatal(err)
			}
		}
		if got := getMany(t, connect(), one, two); len(got[0].Value) != 0 || string(got[1].Value) != "two" {
			t.Errorf("got %q and %q, want the second only", got[0].Value, got[1].Value)
		}
	}},
	{"a bump makes a generation that never was, in its scopes only", func(t *testing.T, connect func() cache.Store) {
		store, other := connect(), connect()
		a, b, c := key("a", "1"), key("b", "1"), key("c", "1")
		seen := map[cache.Generation]bool{}
		untouched := getMany(t, store, c)[0].Generation
		for range 100 {
			found := getMany(t, other, a, b, c)
			if g := found[0].Generation; g == 0 || seen[g] {
				t.Fatalf("got generation %d, want one that never was", g)
			}
			seen[found[0].Generation] = true
			if got := found[2].Generation; got != untouched {
				t.Fatalf("an untouched scope went from generation %d to %d", untouched, got)
			}
			if _, err := store.Bump(t.Context(), a.Scope, b.Scope); err != nil {
				t.Fatal(err)
			}
			if again := getMany(t, other, b)[0].Generation; again == found[1].Generation {
				t.Fatalf("the second scope kept generation %d", again)
			}
		}
	}},
	{"a late write of an old generation does not bring that generation back", func(t *testing.T, connect func() cache.Store) {
		store, late := connect(), connect()
		a := key("a", "1")
		old := getMany(t, late, a)[0].Generation
		if _, err := store.Bump(t.Context(), a.Scope); err != nil {
			t.Fatal(err)
		}
		now := getMany(t, store, a)[0].Generation
		setMany(t, late, cache.Item{Key: a, Value: []byte("old"), Generation: old, For: time.Hour})
		if got := getMany(t, store, a)[0].Generation; got != now || got == old {
			t.Errorf("generation %d after the late write of %d, want %d", got, old, now)
		}
	}},
	{"a lease is one process's until it is ended", func(t *testing.T, connect func() cache.Store) {
		store, other := connect(), connect()
		a, b := key("a", "1"), key("a", "2")
		g := getMany(t, store, a)[0].Generation
		lease(t, store, a, g, time.Hour, true)
		lease(t, store, a, g, time.Hour, false)
		lease(t, other, a, g, time.Hour, false)
		lease(t, other, b, g, time.Hour, true)
		lease(t, other, a, g+1, time.Hour, true)
		for range 2 { // the second time there is nothing to end
			if err := store.EndLease(t.Context(), a, g); err != nil {
				t.Fatal(err)
			}
		}
		lease(t, other, a, g, time.Hour, true)
		lease(t, store, b, g, time.Hour, false)
		lease(t, store, a, g+1, time.Hour, false)
	}},
	{"a lease is ended by what was loaded under it", func(t *testing.T, connect func() cache.Store) {
		store, other := connect(), connect()
		a := key("a", "1")
		g := getMany(t, store, a)[0].Generation
		for _, leased := range []bool{true, false} {
			lease(t, store, a, g, time.Hour, true)
			setMany(t, store, cache.Item{Key: a, Value: []byte("one"), Generation: g, For: time.Hour, Leased: leased})
			lease(t, other, a, g, time.Hour, leased)
			if err := store.EndLease(t.Context(), a, g); err != nil {
				t.Fatal(err)
			}
		}
	}},
	{"leases claimed together are each got by itself", func(t *testing.T, connect func() cache.Store) {
		store, other := connect(), connect()
		claims := make([]cache.Claim, 20)
		for i := range claims {
			k := key(fmt.Sprint("scope ", i%3), fmt.Sprint(i))
			set(t, store, k, k.Item, time.Hour)
			claims[i] = cache.Claim{Key: k, Generation: getMany(t, store, k)[0].Generation, For: time.Hour}
			if i%2 == 0 {
				lease(t, other, k, claims[i].Generation, time.Hour, true)
			}
		}
		claimed, err := store.LeaseMany(t.Context(), claims)
		if err != nil || len(claimed) != len(claims) {
			t.Fatalf("%d answers to %d claims, %v", len(claimed), len(claims), err)
		}
		for i, got := range claimed {
			if got.Mine != (i%2 == 1) || got.Generation != claims[i].Generation || string(got.Value) != claims[i].Key.Item {
				t.Errorf("%d: got %+v", i, got)
			}
		}
	}},
	{"a lease runs out", func(t *testing.T, connect func() cache.Store) {
		store, other := connect(), connect()
		a := key("a", "1")
		g := getMany(t, store, a)[0].Generation
		lease(t, store, a, g, 5*time.Millisecond, true)
		eventually(t, "another process has it", func() bool {
			claimed, err := other.LeaseMany(t.Context(), []cache.Claim{{Key: a, Generation: g, For: time.Hour}})
			return err == nil && claimed[0].Mine
		})
	}},
	{"who asks for a lease is told what there is", func(t *testing.T, connect func() cache.Store) {
		store, other := connect(), connect()
		a := key("a", "1")
		if found := lease(t, store, a, 1<<62, time.Hour, true); len(found.Value) != 0 || found.Generation != 0 {
			t.Errorf("got %q of generation %d, want none of none", found.Value, found.Generation)
		}
		set(t, store, a, "one", time.Hour)
		g := getMany(t, store, a)[0].Generation
		for _, mine := range []bool{true, false} {
			if found := lease(t, other, a, g, time.Hour, mine); string(found.Value) != "one" || found.Generation != g {
				t.Errorf("got %q of generation %d, want one of %d", found.Value, found.Generation, g)
			}
		}
		if _, err := store.Bump(t.Context(), a.Scope); err != nil {
			t.Fatal(err)
		}
		if found := lease(t, other, a, g, time.Hour, false); found.Generation == g {
			t.Errorf("the generation is %d after a bump, too", g)
		}
	}},
	{"watchers hear of others' bumps and not of their own", func(t *testing.T, connect func() cache.Store) {
		store, other := connect(), connect()
		heard, own := NewEars(), NewEars()
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { other.Watch(ctx, heard) })
		watching.Go(func() { store.Watch(ctx, own) })
		want := cache.Scope{Tenant: "tenant", Name: cache.Join("odd \x00 {name}")}
		eventually(t, "the bump is heard", func() bool {
			if _, err := store.Bump(ctx, want); err != nil {
				t.Fatal(err)
			}
			return len(heard.Heard) > 0
		})
		cancel()
		watching.Wait()
		if got := <-heard.Heard; got != want {
			t.Errorf("heard of %q, want %q", got, want)
		}
		if len(own.Heard) != 0 {
			t.Errorf("heard of %d own bumps, want none", len(own.Heard))
		}
	}},
	{"a call whose context has ended returns", func(t *testing.T, connect func() cache.Store) {
		store := connect()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		k := key("a", "1")
		// Whether it did its work all the same is open.
		if found, err := store.GetMany(ctx, []cache.Question{{Key: k}}); err == nil && len(found) != 1 {
			t.Errorf("GetMany returned %d for one key", len(found))
		}
		_ = store.SetMany(ctx, []cache.Item{{Key: k, Value: []byte("v"), Generation: 1, For: time.Hour}})
		_ = store.DeleteMany(ctx, []cache.Key{k})
		if claimed, err := store.LeaseMany(ctx, []cache.Claim{{Key: k, Generation: 1, For: time.Hour}}); err == nil && len(claimed) != 1 {
			t.Errorf("LeaseMany returned %d for one claim", len(claimed))
		}
		_ = store.EndLease(ctx, k, 1)
		_, _ = store.Bump(ctx, k.Scope)
		store.Watch(ctx, NewEars())
	}},
	{"values of many writers do not mix", func(t *testing.T, connect func() cache.Store) {
		var writers sync.WaitGroup
		for w := range 8 {
			writers.Go(func() {
				store := connect()
				for i := range 50 {
					k := key(fmt.Sprint("scope ", i%3), fmt.Sprint(i))
					set(t, store, k, k.Item, time.Hour)
					if w == 0 && i%10 == 0 {
						_, _ = store.Bump(t.Context(), k.Scope)
					}
					if got := getMany(t, store, k)[0].Value; len(got) != 0 && string(got) != k.Item {
						t.Errorf("under %q: got %q", k.Item, got)
					}
				}
			})
		}
		writers.Wait()
	}},
}

func key(scope, item string) cache.Key {
	return cache.Key{Scope: cache.Scope{Tenant: "tenant", Name: cache.Join(scope)}, Item: cache.Join(item)}
}

func getMany(t *testing.T, store cache.Store, keys ...cache.Key) []cache.Found {
	t.Helper()
	found, err := store.GetMany(t.Context(), questions(keys...))
	if err != nil || len(found) != len(keys) {
		t.Errorf("GetMany of %d keys: %d found, %v", len(keys), len(found), err)
		return make([]cache.Found, len(keys))
	}
	return found
}

func questions(keys ...cache.Key) []cache.Question {
	asked := make([]cache.Question, len(keys))
	for i, key := range keys {
		asked[i].Key = key
	}
	return asked
}

func setMany(t *testing.T, store cache.Store, items ...cache.Item) {
	t.Helper()
	if err := store.SetMany(t.Context(), items); err != nil {
		t.Errorf("SetMany: %v", err)
	}
}

// lease asks for a lease and checks who gets it.
func lease(t *testing.T, store cache.Store, k cache.Key, under cache.Generation, life time.Duration, want bool) cache.Found {
	t.Helper()
	claimed, err := store.LeaseMany(t.Context(), []cache.Claim{{Key: k, Generation: under, For: life}})
	if err != nil || len(claimed) != 1 || claimed[0].Mine != want {
		t.Errorf("the lease of %q under %d: %+v, %v; want it to be the asker's: %t", k.Item, under, claimed, err, want)
		return cache.Found{}
	}
	return claimed[0].Found
}

// set holds one value under its scope's generation of now.
func set(t *testing.T, store cache.Store, k cache.Key, value string, life time.Duration) {
	t.Helper()
	generation := getMany(t, store, k)[0].Generation
	setMany(t, store, cache.Item{Key: k, Value: []byte(value), Generation: generation, For: life})
}
