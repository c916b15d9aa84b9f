package transport

import (
	"iter"
	"net/http"
	"strconv"
	"strings"
)

// Insists tells whether a request's Cache-Control asks for an answer of now, and none that was kept: by no-cache, no-store or
// max-age=0, as RFC 9111 has them. Other directives change nothing, nor does a header that makes no sense.
func Insists(h http.Header) bool {
	for name, value := range directives(strings.Join(h.Values("Cache-Control"), ",")) {
		switch strings.ToLower(name) {
		case "no-cache", "no-store":
			return true
		case "max-age":
			if age, err := strconv.ParseUint(value, 10, 64); err == nil && age == 0 {
				return true
			}
		}
	}
	return false
}

// directives are the names of a header's list, each with its value, if it has one.
func directives(header string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for part := range elements(header) {
			name, value, _ := strings.Cut(part, "=")
			if !yield(strings.TrimSpace(name), unquoted(strings.TrimSpace(value))) {
				return
			}
		}
	}
}

// elements are the parts of a list between commas. A comma in a quoted string belongs to that.
func elements(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		begin, quoted := 0, false
		for i := 0; i < len(list); i++ {
			switch c := list[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				i++ // whatever comes is meant as it is
			case c == ',' && !quoted:
				if !yield(list[begin:i]) {
					return
				}
				begin = i + 1
			}
		}
		yield(list[begin:])
	}
}

// unquoted is what a quoted string says; anything else is as it is.
func unquoted(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	var said strings.Builder
	for i := 1; i < len(value)-1; i++ {
		if value[i] == '\\' {
			i++
		}
		said.WriteByte(value[i])
	}
	return said.String()
}
