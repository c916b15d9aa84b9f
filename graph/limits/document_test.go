package limits

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

func TestDocumentsThatAreKept(t *testing.T) {
	t.Run("one that was added is found again", func(t *testing.T) {
		d, doc := newDocuments(), &ast.QueryDocument{}
		d.Add(t.Context(), "{a}", doc)
		if got, ok := d.Get(t.Context(), "{a}"); !ok || got != doc {
			t.Errorf("Get = %p, %t, want %p", got, ok, doc)
		}
	})
	t.Run("a long one is not kept", func(t *testing.T) {
		d, text := newDocuments(), strings.Repeat("a", keptDocument+1)
		d.Add(t.Context(), text, &ast.QueryDocument{})
		if _, ok := d.Get(t.Context(), text); ok {
			t.Error("it was kept")
		}
	})
	t.Run("many take no more than their share", func(t *testing.T) {
		d := newDocuments()
		for i := range 1000 {
			d.Add(t.Context(), fmt.Sprintf("%08000d", i), &ast.QueryDocument{})
		}
		d.cache.CleanUp()
		kept := 0
		for text := range d.cache.Keys() {
			kept += len(text)
		}
		if kept == 0 || kept > keptDocuments {
			t.Errorf("%d bytes of text are kept, want some and at most %d", kept, keptDocuments)
		}
	})
}

func TestLimitsThatAreMissingStopTheStart(t *testing.T) {
	l := Default()
	l.Depth = 0
	if err := (&guard{limits: l}).Validate(nil); err == nil {
		t.Error("a depth of 0 was accepted")
	}
}
