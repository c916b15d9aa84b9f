package rest

import (
	"encoding/json"
	"errors"

	"regtok/providers"
)

// Secret is a credential in a vendor's JSON: a [providers.Secret] from the moment it is read. Null is no secret.
type Secret struct{ providers.Secret }

// errSecret does not quote what came instead.
var errSecret = errors.New("a secret that is no text")

// UnmarshalJSON implements json.Unmarshaler.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errSecret
	}
	s.Secret = providers.NewSecret(text)
	return nil
}
