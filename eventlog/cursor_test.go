package eventlog

import (
	"testing"

	"regtok/providers"
)

func FuzzCursor(f *testing.F) {
	f.Add(string(position{1, 2, 3}.cursor()))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Cursor(text).position()
		if err == nil && text != "" && p.cursor() != Cursor(text) {
			t.Errorf("%q was read as %+v", text, p)
		}
		if err != nil && providers.KindOf(err) != providers.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	})
}
