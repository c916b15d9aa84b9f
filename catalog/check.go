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
	return &check{driver: driver, allowed: allowed, now: time.Now().Round(0)}
}

func (k *check) refuse(p Problem) { k.problems = append(k.problems, p) }

func (k *check) invalid(message string, path ...string) { k.refuse(invalid(message, path...)) }

// may refuses a field that is given and that the provider does not know.
func (k *check) may(field providers.TokenField) bool {
	if slices.Contains(k.allowed, field) {
		return true
	}
	k.refuse(unsupported(k.driver, field))
	return false
}

func (k *check) name(name string) {
	if !k.may(providers.FieldName) {
		return
	}
	if message := k.driver.Capabilities.CheckName(name); message != "" {
		k.invalid(message, "name")
	}
}

// expiry returns the end that the input asks for; nil: none.
func (k *check) expiry(e *Expiry) *time.Time {
	if e == nil || !k.may(providers.FieldExpiry) {
		return nil
	}
	switch {
	case e.given() != 1:
		k.invalid("say exactly one of at, in and never", "expiry")
	case e.Never != nil && !*e.Never:
		k.invalid("never can only be true; to give the token an end say at or in", "expiry", "never")
	case e.In != nil && *e.In <= 0:
		k.invalid("the token would have ended already; say how long it shall live from now on, for example P30D", "expiry", "in")
	case e.In != nil:
		return k.end(k.now.Add(*e.In), "in")
	case e.At != nil && !e.At.After(k.now):
		k.invalid("the date is in the past; say one in the future", "expiry", "at")
	case e.At != nil:
		return k.end(*e.At, "at")
	}
	return nil
}

// given counts the fields that are said.
func (e *Expiry) given() int {
	n := 0
	for _, given := range []bool{e.At != nil, e.In != nil, e.Never != nil} {
		if given {
			n++
		}
	}
	return n
}

// never tells whether it says that there is no end.
func (e *Expiry) never() bool { return e.given() == 1 && e.Never != nil && *e.Never }

// lastEnd is the last moment that RFC 3339 can write.
var lastEnd = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func (k *check) end(at time.Time, field string) *time.Time {
	if at.After(lastEnd) {
		k.invalid("the date lies behind the year 9999; say never: true for a token without an end", "expiry", field)
		return nil
	}
	at = at.UTC()
	return &at
}

// scopes checks the form of a list of scopes that stands in the input at path.
func (k *check) scopes(list []providers.Scope, wantsActions bool, path ...string) {
	for i, s := range list {
		at := func(field ...string) []string { return slices.Concat(path, []string{strconv.Itoa(i)}, field) }
		if s.Type == "" {
			k.invalid("a scope needs a type, for example repository", at("type")...)
		}
		if s.Name == "" {
			k.invalid("a scope needs a name, for example a repository's or *", at("name")...)
		}
		if wantsActions && len(s.Actions) == 0 {
			k.invalid("a scope needs an action, for example pull", at("actions")...)
		}
		for j, action := range s.Actions {
			if action == "" {
				k.invalid("an action is a word, for example pull", at("actions", strconv.Itoa(j))...)
			}
		}
	}
}

// scopesPatch checks what shall change of a token's scopes.
func (k *check) scopesPatch(p ScopesPatch) {
	if !k.may(providers.FieldScopes) {
		return
	}
	change := p.Change
	switch {
	case (p.Set == nil) == (change == nil):
		k.invalid("say exactly one of set and change; set: [] takes all scopes away", "scopes")
	case change == nil:
		k.scopes(p.Set, true, "scopes", "set")
	case len(change.Remove) == 0 && len(change.Add) == 0:
		k.invalid("the change removes nothing and adds nothing; leave it out, or say what", "scopes", "change")
	default:
		k.scopes(change.Remove, false, "scopes", "change", "remove")
		k.scopes(change.Add, true, "scopes", "change", "add")
	}
}
