package documents

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestWhatIsKeptIsBoundedInNumberAndInBytes(t *testing.T) {
	k := newKept(3, 100)
	add := func(name string, length int) { k.add(entry{name, strings.Repeat("x", length)}) }
	check := func(when string, want string) {
		t.Helper()
		var held []string
		bytes := 0
		for _, hash := range k.texts.Keys() {
			held = append(held, hash)
			text, _ := k.texts.Peek(hash)
			bytes += len(text)
		}
		if got := strings.Join(held, " "); got != want || bytes != k.bytes {
			t.Errorf("%s: %s of %d bytes, counted as %d; want %s", when, got, bytes, k.bytes, want)
		}
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		add(name, 10)
	}
	check("one more than there is room for", "b c d")
	if text, ok := k.get("b"); !ok || len(text) != 10 {
		t.Errorf("b is %q, %v", text, ok)
	}
	add("e", 10)
	check("the one that was asked for longest ago makes room", "d b e")
	add("d", 10)
	check("what is there is not counted twice", "d b e")
	add("f", 85)
	check("as many make room as it takes", "e f")
	add("g", 101)
	check("what is too long drives nothing out", "e f")
}

func TestManyMayKeepAndAskAtOnce(t *testing.T) {
	k := newKept(20, 1000)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				text := fmt.Sprintf("%*d", 10+i%50, i%37)
				k.add(entry{text, text})
				if got, ok := k.get(text); ok && got != text {
					t.Errorf("worker %d: %q is %q", worker, text, got)
				}
			}
		})
	}
	group.Wait()
	if k.texts.Len() > 20 || k.bytes > 1000 || k.bytes <= 0 {
		t.Errorf("%d documents of %d bytes are kept", k.texts.Len(), k.bytes)
	}
}
