package catalog

import (
	"context"

	"regtok/activity"
	"regtok/providers"
)

// A write is checked whole before anything is sent. Then it is carried through although its caller may leave, and ends
// what is cached of its registry before it is answered, whatever came of it. All that it asks of a provider, reads
// included, goes before what others read. The errors that the methods return are no caller's matter; everything else is
// told as Problems.

// CreateToken makes a token. It is sent once.
func (c *Catalog) CreateToken(ctx context.Context, in CreateToken) (written Written, err error) {
	ctx = providers.WithPriority(ctx, providers.Writing)
	w := c.writing(ctx, in.Registry, "registryId", lookForOrphan)
	var done Rotated
	defer func() { c.audit(ctx, "create token", w, nil, done, err) }()
	done, err = c.once(ctx, repeatable{in.Repeat, "create token", in, w}, func(ctx context.Context) (Rotated, error) {
		written, err := c.createToken(ctx, in, w)
		return Rotated{Written: written}, err
	})
	return done.Written, err
}

func (c *Catalog) createToken(ctx context.Context, in CreateToken, w write) (Written, error) {
	state, wrong := in.state(w.driver)
	account, refused, err := c.begin(ctx, in.Registry, providers.RegistryKind, w, wrong...)
	if account == nil {
		return Written{Problems: refused}, err
	}
	ctx, cancel := c.carried(ctx)
	defer cancel()
	w.name = in.Name
	return c.send(ctx, account, in.Registry, w, deed{kind: activity.Created}, func() (providers.Created, error) {
		return account.Provider.CreateToken(ctx, in.Registry, state)
	})
}

// ReplaceToken puts the whole state of a token, and makes it where the provider lets an id be chosen. It is sent once.
func (c *Catalog) ReplaceToken(ctx context.Context, in ReplaceToken) (written Written, err error) {
	ctx = providers.WithPriority(ctx, providers.Writing)
	w := c.writing(ctx, in.Token, "token", lookAtState)
	defer func() { c.audit(ctx, "replace token", w, nil, Rotated{Written: written}, err) }()
	state, wrong := in.state(w.driver)
	account, refused, err := c.begin(ctx, in.Token, providers.TokenKind, w, wrong...)
	if account == nil {
		return Written{Problems: refused}, err
	}
	w.name = in.Name
	change := change{write: w, account: account, token: in.Token, version: in.IfVersion, reads: in.MustExist,
		deed: deed{kind: activity.Replaced, token: in.Token}}
	written, err = c.locked(ctx, change, func(ctx context.Context, _ *Token) (providers.Created, error) {
		return account.Provider.ReplaceToken(ctx, in.Token, state)
	})
	if !written.Secret.Empty() {
		c.unpromise(ctx, in.Token) // it was about the token that had this id before
	}
	return written, err
}

// PatchToken changes what is said and nothing else.
func (c *Catalog) PatchToken(ctx context.Context, in PatchToken) (written Written, err error) {
	ctx = providers.WithPriority(ctx, providers.Writing)
	w := c.writing(ctx, in.Token, "token", lookAtToken)
	patch, wrong := in.patch(w.driver)
	set := patch.Fields()
	defer func() { c.audit(ctx, "patch token", w, set, Rotated{Written: written}, err) }()
	account, refused, err := c.begin(ctx, in.Token, providers.TokenKind, w, wrong...)
	if account == nil {
		return Written{Problems: refused}, err
	}
	change := change{write: w, account: account, token: in.Token, version: in.IfVersion,
		deed: deed{kind: activity.Changed, token: in.Token, set: set}}
	change.reads = in.Scopes != nil && in.Scopes.Change != nil
	return c.locked(ctx, change, func(ctx context.Context, now *Token) (providers.Created, error) {
		if change.reads {
			patch.Scopes = providers.Some(in.Scopes.Change.of(now.Scopes))
		}
		t, err := account.Provider.PatchToken(ctx, in.Token, patch)
		return providers.Created{Token: t}, err
	})
}

// DeleteToken deletes a token. Written.Token stays nil.
func (c *Catalog) DeleteToken(ctx context.Context, in DeleteToken) (written Written, err error) {
	ctx = providers.WithPriority(ctx, providers.Writing)
	w := c.writing(ctx, in.Token, "token", lookIfDeleted)
	defer func() { c.audit(ctx, "delete token", w, nil, Rotated{Written: written}, err) }()
	account, refused, err := c.begin(ctx, in.Token, providers.TokenKind, w)
	if account == nil {
		return Written{Problems: refused}, err
	}
	change := change{write: w, account: account, token: in.Token, version: in.IfVersion,
		deed: deed{kind: activity.Deleted, token: in.Token}}
	written, err = c.locked(ctx, change, func(ctx context.Context, _ *Token) (providers.Created, error) {
		return providers.Created{}, account.Provider.DeleteToken(ctx, in.Token)
	})
	written.Token = nil
	if err == nil && len(written.Problems) == 0 {
		c.tellDeleted(in.Token)
		c.unpromise(ctx, in.Token)
	}
	if in.AllowMissing && err == nil && len(written.Problems) == 1 && written.Problems[0].Kind == providers.NotFound {
		return Written{}, nil
	}
	return written, err
}
