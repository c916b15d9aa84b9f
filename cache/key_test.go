package cache

import (
	"slices"
	"testing"
)

func TestKeysThatLookAlikeWhenJoinedAreApart(t *testing.T) {
	lists := [][]string{
		{}, {""}, {"", ""}, {"a"}, {"a", ""}, {"", "a"}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"a", "b", "c"},
		{"1:a"}, {"1:a1:b"}, {"1:a", "1:b"}, {"11:a"}, {":"}, {"0:"}, {"0:0:"}, {"\x00"}, {"a\x00"},
	}
	seen := map[string][]string{}
	for _, parts := range lists {
		joined := Join(parts...)
		if other, ok := seen[joined]; ok {
			t.Errorf("Join(%q) = Join(%q) = %q", parts, other, joined)
		}
		seen[joined] = parts
	}
}

func TestKeysAreVersioned(t *testing.T) {
	scope := Scope{Tenant: "t", Name: "n"}
	if got, want := (Key{Scope: scope, Item: "i"}).Encode(), "1:11:t1:n1:i"; got != want {
		t.Errorf("a key encodes as %q, want %q", got, want)
	}
	if got, want := scope.Encode(), "1:11:t1:n"; got != want {
		t.Errorf("a scope encodes as %q, want %q", got, want)
	}
}

// FuzzJoin checks that what was joined can be told apart again, which is what keeps keys apart.
func FuzzJoin(f *testing.F) {
	f.Add("ab", "c", "")
	f.Add("a", "bc", "1:a")
	f.Add("12:", "\x00\xff", ":0:")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, parts := range [][]string{{a, b, c}, {a, b}, {a + b, c}, {a, b + c}, {a}, {Join(a, b), c}} {
			if got, ok := split(Join(parts...)); !ok || !slices.Equal(got, parts) {
				t.Errorf("Join(%q) splits into %q, %t", parts, got, ok)
			}
		}
		key := Key{Scope: Scope{Tenant: a, Name: b}, Item: c}
		if key.Encode() == key.Scope.Encode() {
			t.Errorf("a key and its scope are both %q", key.Encode())
		}
	})
}

// FuzzSplit checks that nothing but what Join wrote is taken apart.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"", "1:a", "01:a", "+1:a", "-1:", "2:a", "0", "0:", "1:a0:", "9223372036854775808:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if parts, ok := split(text); ok && Join(parts...) != text {
			t.Errorf("%q splits into %q", text, parts)
		}
	})
}
