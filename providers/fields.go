package providers

import "slices"

// FieldID in an Error's Field is the id that a caller chose for a new token.
const FieldID = "ID"

// Fields are the fields that s chooses. An empty name, and nil, choose nothing.
func (s TokenState) Fields() []TokenField {
	return chosen(s.Name != "", s.ExpiresAt != nil, s.Scopes != nil, s.Enabled != nil)
}

// Fields are the fields that p changes, those that it clears included.
func (p TokenPatch) Fields() []TokenField {
	return chosen(p.Name.IsSet(), p.ExpiresAt.IsSet(), p.Scopes.IsSet(), p.Enabled.IsSet())
}

func chosen(name, expiry, scopes, enabled bool) []TokenField {
	var fields []TokenField
	for _, field := range []struct {
		field  TokenField
		chosen bool
	}{{FieldName, name}, {FieldExpiry, expiry}, {FieldScopes, scopes}, {FieldEnabled, enabled}} {
		if field.chosen {
			fields = append(fields, field.field)
		}
	}
	return fields
}

// CheckFields is Unsupported for the first given field that is not allowed, and for any operation that allows none.
func CheckFields(provider, op string, given, allowed []TokenField) error {
	if len(allowed) == 0 {
		return UnsupportedError(provider, op, "")
	}
	for _, field := range given {
		if !slices.Contains(allowed, field) {
			return UnsupportedError(provider, op, field)
		}
	}
	return nil
}
