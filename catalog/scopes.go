package catalog

import (
	"slices"

	"regtok/providers"
)

// of is what the change makes of a token's scopes. It leaves the list itself alone, because others may share it. What
// is implicit was never given, so it is not given now.
func (s ScopesChange) of(scopes []providers.Scope) []providers.Scope {
	left := make([]providers.Scope, 0, len(scopes)+len(s.Add))
	for _, scope := range scopes {
		scope.Actions = slices.Clone(scope.Actions)
		if !scope.Implicit && !taken(&scope, s.Remove) {
			left = append(left, scope)
		}
	}
	for _, given := range s.Add {
		i := slices.IndexFunc(left, func(scope providers.Scope) bool { return same(scope, given) })
		if i < 0 {
			left = append(left, providers.Scope{Type: given.Type, Name: given.Name, Actions: distinct(given.Actions)})
			continue
		}
		left[i].Actions = distinct(append(left[i].Actions, given.Actions...))
	}
	return left
}

// taken takes actions away from a scope and tells whether that took all of it.
func taken(scope *providers.Scope, remove []providers.Scope) bool {
	for _, r := range remove {
		if !same(*scope, r) {
			continue
		}
		had := len(scope.Actions)
		scope.Actions = slices.DeleteFunc(scope.Actions, func(action string) bool { return slices.Contains(r.Actions, action) })
		if len(r.Actions) == 0 || had > 0 && len(scope.Actions) == 0 {
			return true
		}
	}
	return false
}

func same(a, b providers.Scope) bool { return a.Type == b.Type && a.Name == b.Name }

func distinct(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}
