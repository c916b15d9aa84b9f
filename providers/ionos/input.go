package ionos

import (
	"time"

	"regtok/providers"
)

// What is written to IONOS.

// Words of a token's status.
const (
	enabled  = "enabled"
	disabled = "disabled"
)

// tokenInput wraps what POST and PUT send. PATCH has no wrapper.
type tokenInput struct {
	Properties any `json:"properties"`
}

// newToken is what POST sends. What is left out, IONOS chooses: no end, no scopes, enabled.
type newToken struct {
	Name       string  `json:"name"`
	ExpiryDate string  `json:"expiryDate,omitzero"`
	Status     string  `json:"status,omitzero"`
	Scopes     []scope `json:"scopes,omitzero"`
}

// wholeToken is what PUT sends. It says everything, because what PUT makes of a missing field is not documented.
type wholeToken struct {
	Name       string  `json:"name"`
	ExpiryDate *string `json:"expiryDate"`
	Status     string  `json:"status"`
	Scopes     []scope `json:"scopes"`
}

func newTokenInput(op string, in providers.TokenState) (tokenInput, error) {
	token := newToken{Name: in.Name}
	if err := checkName(op, in.Name); err != nil {
		return tokenInput{}, err
	}
	if in.ExpiresAt != nil {
		date, err := stamp(op, *in.ExpiresAt)
		if err != nil {
			return tokenInput{}, err
		}
		token.ExpiryDate = date
	}
	if in.Enabled != nil {
		token.Status = status(*in.Enabled)
	}
	if in.Scopes != nil {
		token.Scopes = wireScopes(in.Scopes)
	}
	return tokenInput{token}, nil
}

func wholeTokenInput(op string, in providers.TokenState) (tokenInput, error) {
	token := wholeToken{Name: in.Name, Status: enabled, Scopes: wireScopes(in.Scopes)}
	if err := checkName(op, in.Name); err != nil {
		return tokenInput{}, err
	}
	if in.ExpiresAt != nil {
		date, err := stamp(op, *in.ExpiresAt)
		if err != nil {
			return tokenInput{}, err
		}
		token.ExpiryDate = &date
	}
	if in.Enabled != nil {
		token.Status = status(*in.Enabled)
	}
	return tokenInput{token}, nil
}

// patchInput holds what the patch sets and nothing else. A null expiry date clears it. The description allows null
// scopes too, but an empty list cannot be misread.
func patchInput(op string, patch providers.TokenPatch) (map[string]any, error) {
	body := map[string]any{}
	if patch.ExpiresAt.IsSet() {
		body["expiryDate"] = nil
	}
	if end, ok := patch.ExpiresAt.Value(); ok {
		date, err := stamp(op, end)
		if err != nil {
			return nil, err
		}
		body["expiryDate"] = date
	}
	if patch.Scopes.IsSet() {
		scopes, _ := patch.Scopes.Value()
		body["scopes"] = wireScopes(scopes)
	}
	if patch.Enabled.IsNull() {
		return nil, providers.InvalidError(name, op, string(providers.FieldEnabled), "a token is either enabled or not")
	}
	if on, ok := patch.Enabled.Value(); ok {
		body["status"] = status(on)
	}
	if len(body) == 0 {
		return nil, providers.InvalidError(name, op, "", "the patch changes nothing")
	}
	return body, nil
}

func checkName(op, text string) error {
	if message := capabilities().CheckName(text); message != "" {
		return providers.InvalidError(name, op, string(providers.FieldName), message)
	}
	return nil
}

// stamp writes an end as IONOS does: UTC and whole seconds. A fraction is dropped, so that no token lives longer than
// asked for.
func stamp(op string, end time.Time) (string, error) {
	end = end.UTC()
	if end.Year() < 1 || end.Year() > 9999 {
		return "", providers.InvalidError(name, op, string(providers.FieldExpiry), "the end is outside the years 1 to 9999")
	}
	return end.Truncate(time.Second).Format(time.RFC3339), nil
}

func status(on bool) string {
	if on {
		return enabled
	}
	return disabled
}

// wireScopes is never nil, and neither are actions: both are written as lists.
func wireScopes(scopes []providers.Scope) []scope {
	wire := make([]scope, 0, len(scopes))
	for _, s := range scopes {
		wire = append(wire, scope{Type: s.Type, Name: s.Name, Actions: append([]string{}, s.Actions...)})
	}
	return wire
}
