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

func TestOfTwoItemsTheNewerIsKept(t *testing.T) {
	v := &View[int, int]{}
	at := time.Now()
	loaded := func(began, observed int) *item[int, int] {
		return &item[int, int]{view: v, moment: Moment{at: at.Add(time.Duration(began))}, observed: at.Add(time.Duration(observed))}
	}
	found := func(began, observed int) *item[int, int] {
		it := loaded(began, observed)
		it.far = true
		return it
	}
	tests := []struct {
		name           string
		kept, incoming *item[int, int]
		want           bool
	}{
		{"a load that began earlier and took longer is older", loaded(2, 3), loaded(1, 4), true},
		{"a load that began later is newer", loaded(1, 4), loaded(2, 3), false},
		{"a load replaces one of the same moment", loaded(1, 1), loaded(1, 1), false},
		{"what is found later may be older", loaded(1, 2), found(5, 1), true},
		{"what is found may be newer", loaded(1, 2), found(5, 3), false},
		{"a load is newer than what was found before", found(5, 3), loaded(4, 6), false},
	}
	for _, test := range tests {
		n := newNear(1 << 20)
		n.put(1, test.kept)
		n.put(1, test.incoming)
		if got := n.get(1) == test.kept; got != test.want {
			t.Errorf("%s: kept is %v, want %v", test.name, got, test.want)
		}
	}
}
