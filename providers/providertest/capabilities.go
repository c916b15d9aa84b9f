package providertest

import (
	"context"
	"slices"
	"testing"

	"regtok/providers"
)

func capabilityCases() []testCase {
	return []testCase{
		{"the declaration makes sense", saneCapabilities, false},
		{"a declared field works alone", declaredFields, true},
		{"an undeclared field is UNSUPPORTED and sends no request", undeclaredFields, false},
		{"a required field that is missing is INVALID and sends no request", requiredFields, false},
		{"names are of a form that programs can check", checkableNames, false},
		{"a name of another form is INVALID and sends no request", formOfNames, false},
		{"a name that is taken is a CONFLICT where names are unique, and only there", takenNames, false},
	}
}

var allFields = []providers.TokenField{
	providers.FieldName, providers.FieldExpiry, providers.FieldScopes, providers.FieldEnabled,
}

// write is a way to choose a token's fields.
type write struct {
	name     string
	fields   []providers.TokenField
	required []providers.TokenField
	// call chooses values for some fields and leaves out the others. It returns what it chose.
	call func(ctx context.Context, fields []providers.TokenField) (providers.Token, providers.TokenState, error)
}

// writes are tried on the token id, whose name is known.
func (r *rig) writes(id providers.ID, name string) []write {
	can := r.driver.Capabilities
	type fields = []providers.TokenField
	return []write{
		{"create", can.CreateFields, can.RequiredCreateFields,
			func(ctx context.Context, f fields) (providers.Token, providers.TokenState, error) {
				chosen := state(f, r.newName())
				created, err := r.provider.CreateToken(ctx, id.OfRegistry(), chosen)
				return created.Token, chosen, err
			}},
		{"replace", can.ReplaceFields, can.RequiredCreateFields,
			func(ctx context.Context, f fields) (providers.Token, providers.TokenState, error) {
				chosen := state(f, name)
				replaced, err := r.provider.ReplaceToken(ctx, id, chosen)
				return replaced.Token, chosen, err
			}},
		{"patch", can.PatchFields, nil,
			func(ctx context.Context, f fields) (providers.Token, providers.TokenState, error) {
				chosen := patch(f, r.newName())
				patched, err := r.provider.PatchToken(ctx, id, chosen)
				return patched, applied(providers.TokenState{}, chosen), err
			}},
	}
}

func saneCapabilities(t *testing.T, s subject) {
	can := s.driver.Capabilities
	for what, fields := range map[string][]providers.TokenField{
		"create": can.CreateFields, "required create": can.RequiredCreateFields, "replace": can.ReplaceFields, "patch": can.PatchFields,
	} {
		for i, field := range fields {
			if !slices.Contains(allFields, field) || slices.Contains(fields[:i], field) {
				t.Errorf("the %s field %q is unknown or there twice", what, field)
			}
		}
	}
	for _, field := range can.RequiredCreateFields {
		if !slices.Contains(can.CreateFields, field) {
			t.Errorf("%s is required and cannot be given", field)
		}
	}
	chosen := slices.Concat(can.CreateFields, can.ReplaceFields, can.PatchFields)
	if got := slices.Contains(chosen, providers.FieldExpiry); got != can.Expiry {
		t.Errorf("an expiry can be chosen: %v, declared: %v", got, can.Expiry)
	}
	if got := slices.Contains(chosen, providers.FieldScopes); got != can.Scopes {
		t.Errorf("scopes can be chosen: %v, declared: %v", got, can.Scopes)
	}
	r := s.newRig(t, options{})
	for _, token := range must(r.tokens(t.Context(), r.provider, r.world.registry))(t) {
		if !can.Expiry && !token.ExpiresAt.IsZero() {
			t.Errorf("the token %+v ends, and the provider ends none", token)
		}
		for _, scope := range token.Scopes {
			if scope.Implicit == can.Scopes {
				t.Errorf("the scope %+v is implicit: %v, chosen: %v", scope, scope.Implicit, can.Scopes)
			}
		}
	}
}

func declaredFields(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	created, _ := r.create(t)
	for _, w := range r.writes(created.Token.ID, created.Token.Name) {
		for _, field := range w.fields {
			fields := append(slices.Clone(w.required), field)
			token, chosen, err := w.call(t.Context(), fields)
			if err != nil {
				t.Errorf("%s with %v: %v", w.name, fields, err)
				continue
			}
			r.wantField(t, w.name, field, token, chosen)
		}
	}
}

// wantField checks one field of a token.
func (r *rig) wantField(t *testing.T, what string, field providers.TokenField, token providers.Token, chosen providers.TokenState) {
	t.Helper()
	want := providers.TokenState{Name: token.Name, ExpiresAt: &token.ExpiresAt, Enabled: &token.Enabled, Scopes: token.Scopes}
	switch field {
	case providers.FieldName:
		want.Name = chosen.Name
	case providers.FieldExpiry:
		want.ExpiresAt = chosen.ExpiresAt
	case providers.FieldScopes:
		want.Scopes = chosen.Scopes
	case providers.FieldEnabled:
		want.Enabled = chosen.Enabled
	}
	r.wantState(t, what+" with "+string(field), token, want)
}

func undeclaredFields(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	r.tap.Reset()
	for _, w := range r.writes(r.world.token.ID, r.world.token.Name) {
		for _, field := range allFields {
			if slices.Contains(w.fields, field) {
				continue
			}
			_, _, err := w.call(t.Context(), append(slices.Clone(w.fields), field))
			e := r.wantKind(t, w.name+" with "+string(field), err, providers.Unsupported)
			if len(w.fields) > 0 && e.Field != string(field) {
				t.Errorf("%s with %s: the field at fault is %q", w.name, field, e.Field)
			}
			r.wantRequests(t, w.name+" with "+string(field), 0)
		}
	}
}

func requiredFields(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	r.tap.Reset()
	for _, w := range r.writes(r.world.token.ID, r.world.token.Name)[:2] {
		if len(w.fields) == 0 {
			continue // undeclared as a whole, which is a case of its own
		}
		for _, missing := range w.required {
			given := slices.DeleteFunc(slices.Clone(w.fields), func(f providers.TokenField) bool { return f == missing })
			_, _, err := w.call(t.Context(), given)
			e := r.wantKind(t, w.name+" without "+string(missing), err, providers.Invalid)
			if e.Field != string(missing) {
				t.Errorf("%s without %s: the field at fault is %q", w.name, missing, e.Field)
			}
			r.wantRequests(t, w.name+" without "+string(missing), 0)
		}
	}
}
