package model

import (
	"regtok/catalog"
	"regtok/providers"
)

// TokenCredential is a new token's secret and how to use it.
type TokenCredential struct {
	// Token is the one that it belongs to.
	Token  *catalog.Token
	Secret providers.Secret
}

// Username goes with the secret at login.
func (c *TokenCredential) Username() *string { return orNull(&c.Token.Username) }
