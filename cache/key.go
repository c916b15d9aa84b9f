package cache

import (
	"strconv"
	"strings"
)

// keyVersion stands in every encoded key. Change it with the meaning of keys, and nothing older is found any more.
const keyVersion = "1"

// Scope names what one write ends together: the tokens of a registry, the registries of an organization.
type Scope struct {
	// Tenant is whose data it is: an account. Two tenants share nothing, neither values nor turns to load.
	Tenant string
	// Name is unique within the tenant, and made by Join.
	Name string
}

// Key addresses one entry: item within scope. It is unique within one view.
type Key struct {
	Scope Scope
	// Item is unique within scope and view, and made by Join.
	Item string
}

// Join makes one string of parts such that no two lists of parts make the same string: ("ab", "c") and ("a", "bc")
// stay apart, and so do ("a") and ("a", "").
func Join(parts ...string) string { return string(appendJoined(make([]byte, 0, 256), parts...)) }

func appendJoined(joined []byte, parts ...string) []byte {
	for _, part := range parts {
		joined = strconv.AppendInt(joined, int64(len(part)), 10)
		joined = append(joined, ':')
		joined = append(joined, part...)
	}
	return joined
}

// split takes apart what Join joined; ok is false for anything else.
func split(joined string) (parts []string, ok bool) {
	for joined != "" {
		digits, rest, found := strings.Cut(joined, ":")
		length, err := strconv.Atoi(digits)
		if !found || err != nil || length < 0 || length > len(rest) || strconv.Itoa(length) != digits {
			return nil, false
		}
		parts = append(parts, rest[:length])
		joined = rest[length:]
	}
	return parts, true
}

// Encode makes the name of a scope's generation in a Store: unique and versioned, and never equal to an encoded Key.
func (s Scope) Encode() string { return string(s.appendTo(make([]byte, 0, 256))) }

func (s Scope) appendTo(b []byte) []byte { return appendJoined(b, keyVersion, s.Tenant, s.Name) }

// Encode makes the name of an entry in a Store: unique and versioned, and never equal to an encoded Scope.
func (k Key) Encode() string { return string(k.appendTo(make([]byte, 0, 256))) }

func (k Key) appendTo(b []byte) []byte {
	return appendJoined(b, keyVersion, k.Scope.Tenant, k.Scope.Name, k.Item)
}
