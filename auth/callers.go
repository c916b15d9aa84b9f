package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

// longestCredential bounds what is looked at, in bytes. Tokens of issuers have a few kilobytes.
const longestCredential = 16 << 10

// Caller is one API key of the configuration, and who holds it.
type Caller struct {
	Key KeyHash
	// Viewer is who calls with the key. After its Until the key is refused.
	Viewer Viewer
}

// Config is what Callers are made of.
type Config struct {
	// Keys are the callers with API keys. No two have the same key; several may have the same subject.
	Keys []Caller
	// Issuer admits callers with tokens, besides. Nil: there is none.
	Issuer *Issuer
	// Refused is told of each caller that was not admitted. It has to be quick and safe for concurrent use. Nil: nobody looks.
	Refused func(Reason)
	// Log gets a line for refused credentials, once a minute for each address that they come from. Nil: none.
	Log *slog.Logger
}

// Callers are those whom a server admits. They are safe for concurrent use.
type Callers struct {
	config   Config
	keys     atomic.Pointer[map[string]Caller] // by the public id of the key; no such map is changed
	failures failures
}

// NewCallers makes the callers of a configuration.
func NewCallers(c Config) *Callers {
	if c.Refused == nil {
		c.Refused = func(Reason) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	callers := &Callers{config: c}
	callers.keys.Store(&map[string]Caller{})
	callers.Renew(c.Keys)
	return callers
}

// Admit tells who presents an Authorization header, or what stands for one: "Bearer …". Every error is an *Error.
// Where the caller is (NewAddressContext) is looked up in ctx.
func (c *Callers) Admit(ctx context.Context, authorization string) (Viewer, error) {
	viewer, err := c.admit(ctx, authorization)
	if err != nil {
		c.config.Refused(err.Reason)
		c.tell(ctx, err)
		return Viewer{}, err
	}
	return viewer, nil
}

func (c *Callers) admit(ctx context.Context, authorization string) (Viewer, *Error) {
	if authorization == "" {
		return Viewer{}, &Error{Reason: Missing, Message: "this server answers callers that it knows: send Authorization: Bearer, and your key or token"}
	}
	scheme, credential, _ := strings.Cut(authorization, " ")
	credential = strings.Trim(credential, " ")
	if !strings.EqualFold(scheme, "Bearer") || credential == "" || len(credential) > longestCredential || strings.ContainsAny(credential, " \t,") {
		return Viewer{}, &Error{Reason: Malformed, Message: "the form of Authorization is: Bearer, a space, and one credential"}
	}
	if c.config.Issuer != nil && !strings.HasPrefix(credential, keyPrefix) {
		return c.config.Issuer.admit(ctx, credential)
	}
	return c.byKey(credential)
}

// byKey finds the caller with a key. That takes as long for an id that nobody has as for one that somebody has.
func (c *Callers) byKey(credential string) (Viewer, *Error) {
	key, ok := parseKey(credential)
	if !ok {
		return Viewer{}, &Error{Reason: Malformed, Message: "this is no key of regtok, or not all of one"}
	}
	presented := key.Hash()
	caller, known := (*c.keys.Load())[presented.ID()]
	if same := caller.Key.equal(presented); !same || !known {
		return Viewer{}, &Error{Reason: Unknown, Message: "this key is not known"}
	}
	if end := caller.Viewer.Until; !end.IsZero() && !time.Now().Before(end) {
		return Viewer{}, &Error{Reason: Expired, Message: "this key has ended", Err: errors.New("it was the key of " + caller.Viewer.Subject)}
	}
	return caller.Viewer, nil
}
