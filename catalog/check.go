package catalog

import (
	"slices"
	"strconv"
	"time"

	"regtok/providers"
)

// check collects all that is wrong with an input before anything is sent.
type check struct {
	driver   providers.Driver
	allowed  []providers.TokenField // by the provider, in this operation
	now      time.Time
	problems []Problem
}

func newCheck(driver providers.Driver, allowed []providers.TokenField) *check {
	return &check{driver: driver, allowed: allowed, now: time.Now()}
}

func (k *check) refuse(p Problem) { k.problems = append(k.problems, p) }

// may refuses a field that is given and that the provider does not know.
func (k *check) may(field providers.TokenField) bool {
	if slices.Contains(k.allowed, field) {
		return true
	}
	k.refuse(unsupported(k.driver, field, pathOf(field)))
	return false
}

func (k *check) name(name string) {
	if !k.may(providers.FieldName) {
		return
	}
	if message := k.driver.Capabilities.CheckName(name); message != "" {
		k.refuse(invalid(message, "name"))
	}
}

func (k *check) enabled(given bool) {
	if given {
		k.may(providers.FieldEnabled)
	}
}

// expiry returns the end that the input asks for; nil: none.
func (k *check) expiry(e *Expiry) *time.Time {
	if e == nil || !k.may(providers.FieldExpiry) {
		return nil
	}
	given := 0
	for _, is := range []bool{e.At != nil, e.In != nil, e.Never != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		k.refuse(invalid("say exactly one of at, in and never", "expiry"))
		return nil
	}
	switch {
	case e.Never != nil && !*e.Never:
		k.refuse(invalid("never can only be true; to give the token an end say at or in", "expiry", "never"))
	case e.In != nil && *e.In <= 0:
		k.refuse(invalid("the token would have ended already; say how long it shall live from now on, for example P30D", "expiry", "in"))
	case e.In != nil:
		return k.end(k.now.Add(*e.In), "in")
	case e.At != nil && !e.At.After(k.now):
		k.refuse(invalid("the date is in the past; say one in the future", "expiry", "at"))
	case e.At != nil:
		return k.end(*e.At, "at")
	}
	return nil
}

// lastEnd is the last moment that RFC 3339 can write.
var lastEnd = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func (k *check) end(at time.Time, field string) *time.Time {
	if at.After(lastEnd) {
		k.refuse(invalid("the date lies behind the year 9999; say never: true for a token without an end", "expiry", field))
		return nil
	}
	at = at.UTC()
	return &at
}

// scopes checks the form of a list of scopes that stands in the input at path.
func (k *check) scopes(list []providers.Scope, wantsActions bool, path ...string) {
	for i, s := range list {
		at := append(slices.Clone(path), strconv.Itoa(i))
		if s.Type == "" {
			k.refuse(invalid("a scope needs a type, for example repository", append(at, "type")...))
		}
		if s.Name == "" {
			k.refuse(invalid("a scope needs a name, for example a repository's or *", append(at, "name")...))
		}
		if wantsActions && len(s.Actions) == 0 {
			k.refuse(invalid("a scope needs an action, for example pull", append(at, "actions")...))
		}
		if j := slices.Index(s.Actions, ""); j >= 0 {
			k.refuse(invalid("an action is a word, for example pull", append(at, "actions", strconv.Itoa(j))...))
		}
	}
}

// scopesPatch checks what shall change of a token's scopes.
func (k *check) scopesPatch(p *ScopesPatch) {
	if p == nil || !k.may(providers.FieldScopes) {
		return
	}
	if p.Change == nil {
		k.scopes(p.Set, true, "scopes", "set")
		return
	}
	k.scopes(p.Change.Remove, false, "scopes", "change", "remove")
	k.scopes(p.Change.Add, true, "scopes", "change", "add")
	if len(p.Change.Remove) == 0 && len(p.Change.Add) == 0 {
		k.refuse(invalid("the change removes nothing and adds nothing; leave it out, or say what", "scopes", "change"))
	}
}
