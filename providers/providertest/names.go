package providertest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"regtok/providers"
)

func checkableNames(t *testing.T, s subject) {
	rule := s.driver.Capabilities.Names
	if (rule.Pattern == "") != (rule.Help == "") {
		t.Errorf("the names' pattern is %q and its help %q, want both or none", rule.Pattern, rule.Help)
	}
	if rule.Pattern == "" {
		return
	}
	if _, err := regexp.Compile(rule.Pattern); err != nil {
		t.Errorf("the names' pattern: %v", err)
	}
	if foreign := foreignSyntax(rule.Pattern); foreign != "" {
		t.Errorf("the names' pattern %s has %q, which Go and JavaScript do not both understand in the same way", rule.Pattern, foreign)
	}
}

// foreignSyntax is what of a pattern does not mean the same to Go and to JavaScript, where frontends may use it with any
// flag: the pattern attribute of HTML compiles with v, which wants more escaped between brackets. Empty: nothing.
func foreignSyntax(pattern string) string {
	if !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") {
		return "no ^ and $ around it"
	}
	bracketed := false
	for i := 0; i < len(pattern); i++ {
		rest := pattern[i:]
		switch c := pattern[i]; {
		case c > unicode.MaxASCII:
			return rest
		case c == '\\':
			if !understood(rest, bracketed) {
				return rest
			}
			i++
		case bracketed && c == '-' && !isRange(pattern, i), bracketed && strings.IndexByte("()[{}/|", c) >= 0:
			return rest
		case c == '[' || c == ']':
			bracketed = c == '['
		case !bracketed && c == '.', strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?:"):
			return rest
		}
	}
	return ""
}

// understood tells whether text begins with an escape that both have.
func understood(text string, bracketed bool) bool {
	if len(text) < 2 {
		return false
	}
	return strings.IndexByte(`dDwW^$\.*+?()[]{}|/`, text[1]) >= 0 || bracketed && text[1] == '-'
}

// isRange tells whether the hyphen at i stands between two plain characters.
func isRange(pattern string, i int) bool {
	plain := func(c byte) bool { return unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) }
	return plain(pattern[i-1]) && i+1 < len(pattern) && plain(pattern[i+1])
}

// namesToTry are names at the borders of what providers take, and odd ones.
func namesToTry() []string {
	border := []string{"", "a", "ab", "A1", "1a", "-a", "a-", "a-b", "a_b", "a.b", "a b", "a\n", "\na", "a\x00b"}
	for _, n := range []int{63, 64, 128, 256} {
		border = append(border, strings.Repeat("a", n))
	}
	return append(border, oddTexts()...)
}

func formOfNames(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	for _, name := range namesToTry() {
		for _, w := range r.writes(r.world.token.ID, name) {
			if !slices.Contains(w.fields, providers.FieldName) {
				continue
			}
			what := fmt.Sprintf("%s called %q", w.name, name)
			r.tap.Reset()
			err := r.named(t, w, name)
			if r.driver.Capabilities.CheckName(name) == "" {
				if err != nil && w.name != "replace" { // whose name has to stay
					t.Errorf("%s: %v", what, err)
				}
				continue
			}
			if e := r.wantKind(t, what, err, providers.Invalid); e.Field != string(providers.FieldName) {
				t.Errorf("%s: the field at fault is %q", what, e.Field)
			}
			r.wantRequests(t, what, 0)
		}
	}
}

// named tries a write with a name of the test's choice.
func (r *rig) named(t *testing.T, w write, name string) error {
	t.Helper()
	var err error
	switch id := r.world.token.ID; w.name {
	case "create":
		_, err = r.provider.CreateToken(t.Context(), id.OfRegistry(), state(w.fields, name))
	case "replace":
		_, err = r.provider.ReplaceToken(t.Context(), id, state(w.fields, name))
	case "patch":
		_, err = r.provider.PatchToken(t.Context(), id, patch(w.fields, name))
	}
	return err
}

func takenNames(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	can := r.driver.Capabilities
	created, _ := r.create(t)
	again := state(can.CreateFields, created.Token.Name)
	_, err := r.provider.CreateToken(t.Context(), r.world.registry, again)
	if can.Names.Unique {
		r.wantKind(t, "a second token of the same name", err, providers.Conflict)
		if err := r.provider.DeleteToken(t.Context(), created.Token.ID); err != nil {
			t.Fatal(err)
		}
		_, err = r.provider.CreateToken(t.Context(), r.world.registry, again)
	}
	if err != nil {
		t.Errorf("a token of a name that may be had: %v", err)
	}
}
