package expiry

import (
	"context"
	"errors"
	"time"

	"regtok/providers"
)

// List is what was read of a registry's tokens at one time.
type List struct {
	Registry providers.ID
	// At is when the list was asked for: what is in it was so at that time or since.
	At time.Time
	// Part: these are not all tokens of the registry. Else one that is not among them is gone.
	Part   bool
	Tokens []Reading
}

// Source is where a [Watcher] looks at tokens.
type Source interface {
	// Look returns all tokens of a registry: as somebody has read them since a moment, or as the provider tells them now. It may
	// take as long as an answer of a provider takes. Its errors are a *providers.Error, of which NotFound says that the
	// registry is gone with all that was in it; [ErrUnowned]; or the context's.
	Look(ctx context.Context, registry providers.ID, since time.Time) (List, error)
	// RegistryName returns a registry's name, of any age, or as the provider tells it before ctx ends; empty: it is not known.
	RegistryName(ctx context.Context, registry providers.ID) string
}

// ErrUnowned says that a registry is none of those that this process can read. Another process may be able to.
var ErrUnowned = errors.New("no account of this process has the registry")
