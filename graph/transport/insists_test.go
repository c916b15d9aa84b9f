package transport_test

import (
	"net/http"
	"testing"

	"regtok/graph/transport"
)

func TestACallerMayInsist(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		want    bool
	}{
		{"nothing", nil, false},
		{"an empty header", []string{""}, false},
		{"no-cache", []string{"no-cache"}, true},
		{"no-store", []string{"no-store"}, true},
		{"max-age=0", []string{"max-age=0"}, true},
		{"capitals", []string{"No-Cache"}, true},
		{"a list", []string{"no-transform , \tno-cache"}, true},
		{"several headers are one list", []string{"no-transform", "no-cache"}, true},
		{"empty elements", []string{",, no-cache,"}, true},
		{"an argument that it does not take", []string{`no-cache="x"`}, true},
		{"a quoted age", []string{`max-age="0"`}, true},
		{"a quoted age with a useless escape", []string{`max-age="\0"`}, true},
		{"many zeros", []string{"max-age=000"}, true},
		{"after a quoted list", []string{`x="a,b\",c", no-cache`}, true},
		{"in a quoted string", []string{`x="a, no-cache, b"`}, false},
		{"in a quoted string after an escaped quote", []string{`x="a\", no-cache, b"`}, false},
		{"in a quoted string that does not end", []string{`x="a, no-cache`}, false},
		{"an escape at the end", []string{`x="\`}, false},
		{"another age", []string{"max-age=1"}, false},
		{"an age below zero", []string{"max-age=-0"}, false},
		{"an age of words", []string{"max-age=soon"}, false},
		{"no age", []string{"max-age"}, false},
		{"an age that is one quote", []string{`max-age="`}, false},
		{"a name that begins alike", []string{"no-cache-please"}, false},
		{"another directive", []string{"only-if-cached"}, false},
		{"a space in the name", []string{"no -cache"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := transport.Insists(http.Header{"Cache-Control": test.headers}); got != test.want {
				t.Errorf("Insists(%q) = %t, want %t", test.headers, got, test.want)
			}
		})
	}
}

func FuzzWhatACallerMayInsistWith(f *testing.F) {
	f.Add(`x="a\",b", max-age="0"`)
	f.Fuzz(func(t *testing.T, header string) {
		transport.Insists(http.Header{"Cache-Control": {header}})
		if !transport.Insists(http.Header{"Cache-Control": {"no-cache", header}}) {
			t.Errorf("%q takes back what was said before it", header)
		}
	})
}
