package cache

import (
	"context"
	"testing"
	"time"
)

func TestKeysOfOneHashDoNotMix(t *testing.T) {
	c := New(Options{})
	t.Cleanup(c.Close)
	one := numbered(c, "one")
	two := numbered(c, "two")
	two.seed = one.seed // now equal keys have equal hashes in both
	type another int
	other := NewView(c, Config[another, int]{
		Name:    "other",
		Key:     func(another) Key { return Key{} },
		Load:    func(context.Context, another) (int, error) { return 7, nil },
		Timeout: time.Minute,
		Fresh:   func(int) time.Duration { return time.Hour },
	})
	other.seed = one.seed
	for range 3 {
		if got := one.Get(t.Context(), 5).Value; got != "one" {
			t.Errorf("the first view has %q", got)
		}
		if got := two.Get(t.Context(), 5).Value; got != "two" {
			t.Errorf("the second view has %q", got)
		}
		if got := other.Get(t.Context(), 5).Value; got != 7 {
			t.Errorf("the third view has %d", got)
		}
	}
}

// numbered is a view in which every value is the view's name.
func numbered(c *Cache, name string) *View[int, string] {
	return NewView(c, Config[int, string]{
		Name:    name,
		Key:     func(int) Key { return Key{} },
		Load:    func(context.Context, int) (string, error) { return name, nil },
		Timeout: time.Minute,
		Fresh:   func(string) time.Duration { return time.Hour },
	})
}

func TestDroppingAnItemSparesWhatTookItsPlace(t *testing.T) {
	n := newNear(1 << 20)
	v := &View[int, int]{}
	old, replacement := &item[int, int]{view: v}, &item[int, int]{view: v}
	n.put(1, old)
	n.put(1, replacement)
	n.drop(1, old)
	if n.get(1) != replacement {
		t.Error("the replacement is gone")
	}
	n.drop(1, replacement)
	if n.get(1) != nil {
		t.Error("the replacement is still there")
	}
}
