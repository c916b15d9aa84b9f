package providers

import (
	"regexp"
	"strings"
	"sync"
)

// NameRule is the form that a provider wants of a token's name. The zero value takes any text that is not empty.
type NameRule struct {
	// Pattern is a regular expression that matches the whole name; empty: any. It has to be one that JavaScript
	// understands as well, because frontends get it.
	Pattern string
	// Help says in a sentence what the pattern asks for.
	Help string
	// Unique: no two tokens of a registry have the same name.
	Unique bool
}

// patterns are the compiled ones. There is one for each provider at most.
var patterns sync.Map // string → *regexp.Regexp

// CheckName tells what is wrong with a token's name, for people; empty: nothing.
func (c Capabilities) CheckName(name string) string {
	if strings.TrimSpace(name) == "" {
		return "a token needs a name"
	}
	if c.Names.Pattern == "" {
		return ""
	}
	compiled, ok := patterns.Load(c.Names.Pattern)
	if !ok {
		compiled, _ = patterns.LoadOrStore(c.Names.Pattern, regexp.MustCompile(c.Names.Pattern))
	}
	if !compiled.(*regexp.Regexp).MatchString(name) {
		return c.Names.Help
	}
	return ""
}
