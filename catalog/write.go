package catalog

import (
	"context"
	"time"

	"regtok/providers"
)

// A write is checked whole before anything is sent. Then it is carried through although its caller may leave, and ends
// what is cached of its registry before it is answered, whatever came of it. The errors that the methods return are no
// caller's matter; everything else is told as Problems.

// CreateToken makes a token. It is sent once.
func (c *Catalog) CreateToken(ctx context.Context, in CreateToken) (Written, error) {
	w := c.writing(in.Registry, "registryId", lookForOrphan)
	done, err := c.once(ctx, repeatable{in.Repeat, "create token", in, w}, func(ctx context.Context) (Rotated, error) {
		written, err := c.createToken(ctx, in, w)
		return Rotated{Written: written}, err
	})
	return done.Written, err
}

func (c *Catalog) createToken(ctx context.Context, in CreateToken, w write) (Written, error) {
	account, refused, err := c.begin(ctx, in.Registry, providers.RegistryKind, w)
	if account == nil {
		return Written{Problems: refused}, err
	}
	k := newCheck(w.driver, w.driver.Capabilities.CreateFields)
	state := providers.TokenState{Name: in.Name, ExpiresAt: k.expiry(in.Expiry), Scopes: in.Scopes, Enabled: in.Enabled}
	k.name(in.Name)
	if in.Scopes != nil && k.may(providers.FieldScopes) {
		k.scopes(in.Scopes, true, "scopes")
	}
	k.enabled(in.Enabled != nil)
	if len(k.problems) > 0 {
		return Written{Problems: k.problems}, nil
	}
	ctx, cancel := c.carried(ctx)
	defer cancel()
	return c.send(ctx, account, in.Registry, w, func() (providers.Created, error) {
		return account.Provider.CreateToken(ctx, in.Registry, state)
	})
}

// ReplaceToken puts the whole state of a token, and makes it where the provider lets an id be chosen.
func (c *Catalog) ReplaceToken(ctx context.Context, in ReplaceToken) (Written, error) {
	w := c.writing(in.Token, "token", lookAtState)
	account, refused, err := c.begin(ctx, in.Token, providers.TokenKind, w)
	if account == nil {
		return Written{Problems: refused}, err
	}
	allowed := w.driver.Capabilities.ReplaceFields
	if len(allowed) == 0 {
		p := unsupported(w.driver, "", nil)
		p.Message += ": a token's whole state cannot be put; change what can be changed with patchToken"
		return Written{Problems: []Problem{p}}, nil
	}
	k := newCheck(w.driver, allowed)
	state := providers.TokenState{Name: in.Name, ExpiresAt: k.expiry(&in.Expiry), Scopes: in.Scopes, Enabled: &in.Enabled}
	k.name(in.Name)
	k.scopes(in.Scopes, true, "scopes")
	if len(k.problems) > 0 {
		return Written{Problems: k.problems}, nil
	}
	ctx, cancel := c.carried(ctx)
	defer cancel()
	return c.locked(ctx, account, in.Token, w, in.IfVersion, false, func(*Token) (Written, error) {
		return c.send(ctx, account, in.Token.OfRegistry(), w, func() (providers.Created, error) {
			return account.Provider.ReplaceToken(ctx, in.Token, state)
		})
	})
}

// PatchToken changes what is said and nothing else.
func (c *Catalog) PatchToken(ctx context.Context, in PatchToken) (Written, error) {
	w := c.writing(in.Token, "token", lookAtToken)
	account, refused, err := c.begin(ctx, in.Token, providers.TokenKind, w)
	if account == nil {
		return Written{Problems: refused}, err
	}
	patch, problems := patchOf(w.driver, in)
	if len(problems) > 0 {
		return Written{Problems: problems}, nil
	}
	ctx, cancel := c.carried(ctx)
	defer cancel()
	changes := in.Scopes != nil && in.Scopes.Change != nil
	return c.locked(ctx, account, in.Token, w, in.IfVersion, changes, func(now *Token) (Written, error) {
		if changes {
			patch.Scopes = providers.Some(in.Scopes.Change.of(now.Scopes))
		}
		return c.send(ctx, account, in.Token.OfRegistry(), w, func() (providers.Created, error) {
			t, err := account.Provider.PatchToken(ctx, in.Token, patch)
			return providers.Created{Token: t}, err
		})
	})
}

// patchOf is the patch as providers take it. What a change makes of scopes is known once the token has been read.
func patchOf(driver providers.Driver, in PatchToken) (providers.TokenPatch, []Problem) {
	k := newCheck(driver, driver.Capabilities.PatchFields)
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
		k.scopesPatch(in.Scopes)
		patch.Scopes = providers.Some(in.Scopes.Set)
	}
	if in.Enabled != nil {
		k.enabled(true)
		patch.Enabled = providers.Some(*in.Enabled)
	}
	if len(patch.Fields()) == 0 {
		k.refuse(invalid("the patch changes nothing; say at least one of the fields that `capabilities { patchFields }` lists"))
	}
	return patch, k.problems
}

// DeleteToken deletes a token. Written.Token stays nil.
func (c *Catalog) DeleteToken(ctx context.Context, in DeleteToken) (Written, error) {
	w := c.writing(in.Token, "token", lookIfDeleted)
	account, refused, err := c.begin(ctx, in.Token, providers.TokenKind, w)
	if account == nil {
		return Written{Problems: refused}, err
	}
	ctx, cancel := c.carried(ctx)
	defer cancel()
	written, err := c.locked(ctx, account, in.Token, w, in.IfVersion, false, func(*Token) (Written, error) {
		return c.delete(ctx, account, in.Token, w)
	})
	if in.AllowMissing && err == nil && len(written.Problems) == 1 && written.Problems[0].Kind == providers.NotFound {
		return Written{}, nil
	}
	return written, err
}

// delete deletes a token whose lock is held.
func (c *Catalog) delete(ctx context.Context, account *Account, id providers.ID, w write) (Written, error) {
	written, err := c.send(ctx, account, id.OfRegistry(), w, func() (providers.Created, error) {
		return providers.Created{}, account.Provider.DeleteToken(ctx, id)
	})
	written.Token = nil
	return written, err
}

// writing is what the failures of a write to id will be told about.
func (c *Catalog) writing(id providers.ID, target string, a advice) write {
	driver, _ := c.Driver(id.Provider) // the zero driver for an id of nobody's, which begin refuses
	return write{driver, target, a}
}

// begin finds who speaks for what shall be written to; nil: nobody, and the problems or the error say why.
func (c *Catalog) begin(ctx context.Context, id providers.ID, kind providers.IDKind, w write) (*Account, []Problem, error) {
	if id.Kind != kind {
		what := "token"
		if kind == providers.RegistryKind {
			what = "registry"
		}
		return nil, []Problem{notFound(what, w.target)}, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < c.writeTimeout {
		// What is begun is carried through, so it is begun only when its answer can still be heard.
		return nil, []Problem{{Kind: providers.Unavailable, Provider: w.driver.Name,
			Message: "too little of this operation's time is left for another change, and nothing was done; send it alone"}}, nil
	}
	accounts, errs := c.owners(ctx, []providers.ID{id.OfOrganization()})
	if errs[0] == nil {
		return accounts[0], nil, nil
	}
	p, err := w.problem(errs[0])
	if err != nil {
		return nil, nil, err
	}
	return nil, []Problem{p}, nil
}

// carried is a context for what is carried through although its caller may leave.
func (c *Catalog) carried(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), c.writeTimeout)
}

// locked changes a token that nobody else of this server changes meanwhile. It is read first, past the cache, when a
// version is expected of it or reads says so; otherwise do gets nil.
func (c *Catalog) locked(ctx context.Context, account *Account, id providers.ID, w write, version *string, reads bool, do func(now *Token) (Written, error)) (Written, error) {
	defer c.lock(ctx, id)()
	if version == nil && !reads {
		return do(nil)
	}
	now, err := c.current(ctx, account, id)
	if err != nil {
		return w.failed(err)
	}
	if version != nil && *version != now.Version() {
		return Written{Problems: []Problem{changed(w.driver, now.Version())}}, nil
	}
	return do(now)
}

// lock keeps the rest of this server from changing a token. Where the ledger cannot be reached, or the lock is not to
// be had in time, the change goes on without: no provider would wait either.
func (c *Catalog) lock(ctx context.Context, id providers.ID) (unlock func()) {
	unlock, err := c.ledger.Lock(ctx, id)
	if err != nil {
		if c.log != nil {
			c.log.Warn("a token is changed without its lock", "provider", id.Provider, "err", err)
		}
		return func() {}
	}
	return unlock
}

// current reads a token past the cache.
func (c *Catalog) current(ctx context.Context, account *Account, id providers.ID) (*Token, error) {
	if err := c.learnRegistries(ctx, at{account, id.OfOrganization()}); err != nil {
		return nil, err
	}
	t, err := account.Provider.Token(ctx, id)
	if err != nil {
		return nil, err
	}
	now := c.token(account, t, time.Now())
	return &now, nil
}

// send sends a write and ends what is cached of its registry, whatever comes of it.
func (c *Catalog) send(ctx context.Context, account *Account, registry providers.ID, w write, do func() (providers.Created, error)) (Written, error) {
	if err := c.learnRegistries(ctx, at{account, registry.OfOrganization()}); err != nil {
		return w.failed(err)
	}
	defer c.cache.Bump(ctx, c.seenBy(registry)...)
	created, err := do()
	if err != nil {
		return w.failed(err)
	}
	token := c.token(account, created.Token, time.Now())
	return Written{Token: &token, Secret: created.Secret}, nil
}

func (w write) failed(err error) (Written, error) {
	p, err := w.problem(err)
	if err != nil {
		return Written{}, err
	}
	return Written{Problems: []Problem{p}}, nil
}
