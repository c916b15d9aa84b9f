package emulator

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"time"
)

// object is a JSON object whose fields are read one by one, because an absent field and a null one differ, and because
// names must match exactly.
type object map[string]json.RawMessage

// object reads a JSON object. Fields that are not known are ignored or refused, as chosen.
func (b behaviour) object(data []byte, what string, known ...string) (object, error) {
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, invalid("%s is not a JSON object", what)
	}
	if o == nil {
		return nil, invalid("%s is required", what)
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if b.strictFields && !slices.Contains(known, name) {
			return nil, invalid("%s has no field %q", what, name)
		}
	}
	return o, nil
}

// properties reads the object inside the wrapper that POST and PUT have.
func (b behaviour) properties(body []byte, known ...string) (object, error) {
	wrapper, err := b.object(body, "the body", "properties")
	if err != nil {
		return nil, err
	}
	data := wrapper["properties"]
	if data == nil {
		return nil, invalid("properties is required")
	}
	return b.object(data, "properties", known...)
}

// has tells whether a field is there, null included.
func (o object) has(name string) bool { return o[name] != nil }

func (o object) null(name string) bool { return string(o[name]) == "null" }

// text reads a string that must be there.
func (o object) text(name string) (string, error) {
	var s *string
	if !o.has(name) || json.Unmarshal(o[name], &s) != nil || s == nil {
		return "", invalid("%s is required and must be a string", name)
	}
	return *s, nil
}

// texts reads a list of strings that may be null.
func (o object) texts(name string) ([]string, error) {
	var list []*string
	if json.Unmarshal(o[name], &list) != nil || slices.Contains(list, nil) {
		return nil, invalid("%s must be a list of strings", name)
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = *s
	}
	return out, nil
}

// given is a field that may be absent. Null is the zero value.
type given[T any] struct {
	set   bool
	value T
}

// tokenChange is what a client may say about a token besides its name.
type tokenChange struct {
	expiry given[time.Time]
	scopes given[[]scope]
	status given[string]
}

var tokenNamePattern = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9]{0,61}[A-Za-z0-9]$`)

// newToken reads the body of POST and PUT.
func (b behaviour) newToken(body []byte, now time.Time) (string, tokenChange, error) {
	o, err := b.properties(body, "name", "expiryDate", "scopes", "status")
	if err != nil {
		return "", tokenChange{}, err
	}
	name, err := o.text("name")
	if err != nil {
		return "", tokenChange{}, err
	}
	if !tokenNamePattern.MatchString(name) {
		return "", tokenChange{}, invalid("name must match %s", tokenNamePattern)
	}
	change, err := b.tokenChange(o, now)
	return name, change, err
}

// tokenPatch reads the body of PATCH, which has no wrapper and no name.
func (b behaviour) tokenPatch(body []byte, now time.Time) (tokenChange, error) {
	o, err := b.object(body, "the body", "expiryDate", "scopes", "status")
	if err != nil {
		return tokenChange{}, err
	}
	return b.tokenChange(o, now)
}

func (b behaviour) tokenChange(o object, now time.Time) (change tokenChange, err error) {
	if o.has("expiryDate") {
		change.expiry.set = true
		if change.expiry.value, err = b.expiry(o, now); err != nil {
			return change, err
		}
	}
	if o.has("scopes") {
		change.scopes.set = true
		if change.scopes.value, err = b.scopes(o["scopes"]); err != nil {
			return change, err
		}
	}
	if o.has("status") {
		change.status.set = true
		if change.status.value, err = o.text("status"); err != nil {
			return change, err
		}
		if change.status.value != "enabled" && change.status.value != "disabled" {
			return change, invalid("status must be enabled or disabled")
		}
	}
	return change, nil
}

// expiry reads a date, in whole seconds; null is the zero time.
func (b behaviour) expiry(o object, now time.Time) (time.Time, error) {
	if o.null("expiryDate") {
		return time.Time{}, nil
	}
	text, err := o.text("expiryDate")
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, invalid("expiryDate must be a date-time of RFC 3339")
	}
	at = at.UTC().Truncate(time.Second)
	if !b.anyExpiry && at.Before(now.Truncate(time.Second).Add(b.minimumExpiry)) {
		return time.Time{}, invalid("expiryDate is too early: it must be at least %s in the future", b.minimumExpiry)
	}
	return at, nil
}

// scopes reads a list of scopes that may be null. Types, names and actions are free text: the service takes any.
func (b behaviour) scopes(data []byte) ([]scope, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, invalid("scopes must be a list")
	}
	scopes := make([]scope, len(list))
	for i, item := range list {
		o, err := b.object(item, "a scope", "actions", "name", "type")
		if err != nil {
			return nil, err
		}
		if scopes[i].Type, err = o.text("type"); err != nil {
			return nil, err
		}
		if scopes[i].Name, err = o.text("name"); err != nil {
			return nil, err
		}
		if scopes[i].Actions, err = o.texts("actions"); err != nil {
			return nil, err
		}
	}
	return scopes, nil
}
