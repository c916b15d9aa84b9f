package catalog

import (
	"slices"
	"time"

	"regtok/providers"
)

// What inputs come to, as providers take it, and all that is wrong with them. A field is refused where the provider's
// capabilities do not have it; nothing that was said is dropped.

// state is the state that the new token shall have.
func (in CreateToken) state(driver providers.Driver) (providers.TokenState, []Problem) {
	allowed := driver.Capabilities.CreateFields
	if len(allowed) == 0 {
		return providers.TokenState{}, []Problem{lacking(driver, "tokens cannot be created")}
	}
	return wish{in.Name, in.Expiry, in.Scopes, in.Enabled}.state(newCheck(driver, allowed))
}

// state is the whole state that the token shall have.
func (in ReplaceToken) state(driver providers.Driver) (providers.TokenState, []Problem) {
	allowed := driver.Capabilities.ReplaceFields
	if len(allowed) == 0 {
		return providers.TokenState{}, []Problem{lacking(driver, "a token's whole state cannot be put; change what can be changed with patchToken")}
	}
	w := wish{in.Name, &in.Expiry, in.Scopes, &in.Enabled}
	// Where a field cannot be chosen, its default is no choice.
	can := func(field providers.TokenField) bool { return slices.Contains(allowed, field) }
	if in.Expiry.never() && !can(providers.FieldExpiry) {
		w.expiry = nil
	}
	if len(in.Scopes) == 0 && !can(providers.FieldScopes) {
		w.scopes = nil
	}
	if in.Enabled && !can(providers.FieldEnabled) {
		w.enabled = nil
	}
	return w.state(newCheck(driver, allowed))
}

// wish is what a caller says of a token's state; what is nil or empty is not said.
type wish struct {
	name    string
	expiry  *Expiry
	scopes  []providers.Scope
	enabled *bool
}

func (w wish) state(k *check) (providers.TokenState, []Problem) {
	k.needed(w)
	if w.name != "" {
		k.name(w.name)
	}
	end := k.expiry(w.expiry)
	if w.scopes != nil && k.may(providers.FieldScopes) {
		k.scopes(w.scopes, true, "scopes")
	}
	if w.enabled != nil {
		k.may(providers.FieldEnabled)
	}
	return providers.TokenState{Name: w.name, ExpiresAt: end, Scopes: w.scopes, Enabled: w.enabled}, k.problems
}

// needed refuses that a field is not said which the provider has to be told.
func (k *check) needed(w wish) {
	said := map[providers.TokenField]bool{
		providers.FieldName: w.name != "", providers.FieldExpiry: w.expiry != nil,
		providers.FieldScopes: w.scopes != nil, providers.FieldEnabled: w.enabled != nil,
	}
	for _, field := range k.driver.Capabilities.RequiredCreateFields {
		if !said[field] {
			k.invalid(k.driver.Title+" has to be told "+called(field)+" of a token; say "+inputs(field), pathOf(field)...)
		}
	}
}

// patch is the patch as providers take it. What a change makes of scopes is known once the token has been read.
func (in PatchToken) patch(driver providers.Driver) (providers.TokenPatch, []Problem) {
	allowed := driver.Capabilities.PatchFields
	if len(allowed) == 0 {
		return providers.TokenPatch{}, []Problem{lacking(driver, "a token stays as it was created; create another one instead")}
	}
	k := newCheck(driver, allowed)
	var patch providers.TokenPatch
	if in.Name != nil {
		k.name(*in.Name)
		patch.Name = providers.Some(*in.Name)
	}
	if in.Expiry != nil {
		patch.ExpiresAt = providers.Null[time.Time]()
		if end := k.expiry(in.Expiry); end != nil {
			patch.ExpiresAt = providers.Some(*end)
		}
	}
	if in.Scopes != nil {
		k.scopesPatch(*in.Scopes)
		patch.Scopes = providers.Some(in.Scopes.Set)
	}
	if in.Enabled != nil {
		k.may(providers.FieldEnabled)
		patch.Enabled = providers.Some(*in.Enabled)
	}
	if len(patch.Fields()) == 0 {
		k.invalid("the patch changes nothing; say at least one of these: " + inputs(allowed...))
	}
	return patch, k.problems
}
