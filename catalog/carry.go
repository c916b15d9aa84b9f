package catalog

import (
	"context"
	"errors"
	"strings"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// How a write whose input is good is carried out: by whom, in whose turn, and until when.

// write is what the failures of a write are told about.
type write struct {
	driver providers.Driver // the zero one for an id of nobody's, or out of reach, which begin refuses
	// thing is written to, and target the input's field that names it.
	thing  providers.ID
	target string
	advice advice
	// name is what the token shall be called, where the whole of it is said; empty elsewhere.
	name string
}

func (c *Catalog) writing(ctx context.Context, id providers.ID, target string, a advice) write {
	w := write{thing: id, target: target, advice: a}
	if ReachOf(ctx).Sees(id) {
		w.driver, _ = c.Driver(id.Provider)
	}
	return w
}

// begin finds the account that speaks for what shall be written to, unless something is wrong with the input; nil: the
// problems or the error say why.
func (c *Catalog) begin(ctx context.Context, id providers.ID, kind providers.IDKind, w write, wrong ...Problem) (*Account, []Problem, error) {
	switch {
	case w.driver.Name == "": // nobody can tell what else is wrong
		return nil, []Problem{notFound(kind, w.target)}, nil
	case id.Kind != kind, id.String() == "":
		wrong = append([]Problem{notFound(kind, w.target)}, wrong...)
	}
	if len(wrong) > 0 {
		return nil, wrong, nil
	}
	waiting, cancel := c.beforehand(ctx)
	defer cancel()
	accounts, errs := c.owners(waiting, []providers.ID{id})
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case waiting.Err() != nil:
		return nil, []Problem{tooLate(w.driver)}, nil
	case errs[0] != nil:
		refused, err := w.failed(c.beforeWrite(errs[0]))
		return nil, refused.Problems, err
	}
	return accounts[0], nil, nil
}

// beforehand is a context for what comes before a write: it ends when there is no longer time for the write after it.
// What is begun is carried through, so it is begun only while its answer can still be heard.
func (c *Catalog) beforehand(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-c.writeTimeout))
}

// carried is a context for what is carried through although its caller may leave.
func (c *Catalog) carried(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), c.writeTimeout)
}

// change is a write to a token that is there, or may be.
type change struct {
	write
	account *Account
	token   providers.ID
	version *string // expected of the token; nil: any will do
	reads   bool    // the token is to be read first, whatever the version
	deed    deed
}

// looks tells whether the change depends on what the token is like.
func (ch change) looks() bool { return ch.reads || ch.version != nil }

// locked sends a change that nobody else of this server comes between. What it depends on is read first, past the cache;
// when it depends on nothing do gets nil.
func (c *Catalog) locked(ctx context.Context, ch change, do func(ctx context.Context, now *Token) (providers.Created, error)) (Written, error) {
	unlock, refused, err := c.turn(ctx, ch)
	if unlock == nil {
		return Written{Problems: refused}, err
	}
	defer unlock()
	ctx, cancel := c.carried(ctx)
	defer cancel()
	var now *Token
	if ch.looks() {
		if now, err = c.current(ctx, ch.account, ch.token); err != nil {
			return ch.failed(err)
		}
	}
	if ch.version != nil && *ch.version != now.Version() {
		return c.overtaken(ctx, ch.driver, now), nil
	}
	return c.send(ctx, ch.account, ch.token.OfRegistry(), ch.write, ch.deed, func() (providers.Created, error) { return do(ctx, now) })
}

// turn waits for the token's lock, while the caller does and time for the change is left; when unlock is nil the problems
// or the error say why. Where the ledger cannot be reached, only a change that looks at the token is refused: any other
// is no worse for coming between two.
func (c *Catalog) turn(ctx context.Context, ch change) (unlock func(), refused []Problem, err error) {
	waiting, cancel := c.beforehand(ctx)
	defer cancel()
	unlock, err = c.ledger.Lock(waiting, ch.token)
	switch {
	case err == nil && ctx.Err() != nil:
		unlock()
		return nil, nil, ctx.Err()
	case err == nil:
		return unlock, nil, nil
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case waiting.Err() != nil:
		return nil, []Problem{busy(ch.driver)}, nil
	case ch.looks():
		written, err := ch.failed(err)
		return nil, written.Problems, err
	}
	return c.unlocked(ch.token, err), nil, nil
}

// lock keeps the rest of this server from changing a token, as far as it is to be had in time.
func (c *Catalog) lock(ctx context.Context, token providers.ID) (unlock func()) {
	unlock, err := c.ledger.Lock(ctx, token)
	if err != nil {
		return c.unlocked(token, err)
	}
	return unlock
}

// unlocked is for a change that goes on without its lock: no provider would wait either.
func (c *Catalog) unlocked(token providers.ID, why error) (unlock func()) {
	c.log.Warn("a token is changed without its lock", "provider", token.Provider, "err", why)
	return func() {}
}

// overtaken says that a token is not of the version that the caller saw. That may have been out of the cache, and who is
// told to read it again has to get what it is now.
func (c *Catalog) overtaken(ctx context.Context, driver providers.Driver, now *Token) Written {
	c.outdated(ctx, now.ID)
	return Written{Problems: []Problem{changed(driver, now.Version())}}
}

// outdated ends what is cached of a token's registry, because a look past the cache has found it otherwise.
func (c *Catalog) outdated(ctx context.Context, token providers.ID) {
	c.cache.Bump(ctx, c.seenBy(token.OfRegistry())...)
}

// current reads a token past the cache.
func (c *Catalog) current(ctx context.Context, account *Account, id providers.ID) (*Token, error) {
	if err := c.learnFor(ctx, account, id.OfRegistry()); err != nil {
		return nil, err
	}
	t, err := account.Provider.Token(ctx, id)
	if providers.KindOf(err) == providers.NotFound {
		c.outdated(ctx, id)
	}
	if err != nil {
		return nil, c.beforeWrite(err)
	}
	now := c.token(account, t, time.Now())
	return &now, nil
}

// send is sent, with the failure told.
func (c *Catalog) send(
	ctx context.Context, account *Account, registry providers.ID, w write, d deed, do func() (providers.Created, error),
) (Written, error) {
	written, err := c.sent(ctx, account, registry, d, func() (providers.Created, error) {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < c.writeTimeout/3 {
			// What was read before took so long that the answer, and a secret in it, might be cut off.
			return providers.Created{}, &providers.Error{
				Kind: providers.Unavailable, Reason: providers.Timeout, Provider: account.Driver.Name, Op: "begin to write",
			}
		}
		return do()
	})
	if err != nil {
		return w.failed(err)
	}
	return written, nil
}

// sent sends a write, tells what it did, and ends what is cached of its registry, whatever comes of it.
func (c *Catalog) sent(
	ctx context.Context, account *Account, registry providers.ID, d deed, do func() (providers.Created, error),
) (Written, error) {
	if err := c.learnFor(ctx, account, registry); err != nil {
		return Written{}, err
	}
	defer func() { c.cache.Bump(ctx, c.seenBy(registry)...) }() // of the accounts as they are by then
	created, err := do()
	if err != nil {
		return Written{}, c.beforeWrite(err) // adapters read something first, too
	}
	c.enter(ctx, account, registry, d, created)
	token := c.token(account, created.Token, time.Now())
	c.tellWritten(ctx, account, &token)
	return Written{Token: &token, Secret: created.Secret}, nil
}

// learnFor learns the names that a URL in the registry needs. When that takes too long nothing was sent.
func (c *Catalog) learnFor(ctx context.Context, account *Account, registry providers.ID) error {
	err := c.learnRegistries(ctx, at{account, registry.OfOrganization()})
	if errors.Is(err, context.DeadlineExceeded) && providers.KindOf(err) == "" {
		return &providers.Error{Kind: providers.Unavailable, Reason: providers.Timeout, Provider: account.Driver.Name, Op: "learn names", Err: err}
	}
	return c.beforeWrite(err)
}

// beforeWrite is a failure on the way to a write. What a provider, or its adapter, finds wrong with what has to be read
// first is a setting of this server's, and nothing that the caller gave.
func (c *Catalog) beforeWrite(err error) error {
	e, ok := errors.AsType[*providers.Error](err)
	reads := ok && (strings.HasPrefix(e.Op, "get ") || strings.HasPrefix(e.Op, "list "))
	if !reads || e.Kind != providers.Invalid && e.Kind != providers.Conflict {
		return err
	}
	c.log.Error("an account's settings do not fit", "provider", e.Provider, "op", e.Op, "setting", e.Field,
		"status", e.Status, "message", OwnMessage(e))
	return &providers.Error{Kind: providers.Forbidden, Provider: e.Provider, Op: e.Op, Err: err,
		Message: "the provider refuses what this server has to read before it can write, and nothing was done; the account's settings " +
			"may be wrong: whoever runs this server finds more in its log"}
}

// seenBy are the scopes of the cache that hold what is known of a registry: those of every account that may see it.
func (c *Catalog) seenBy(registry providers.ID) []cache.Scope {
	accounts := c.of(registry.Provider)
	scopes := make([]cache.Scope, len(accounts))
	for i, a := range accounts {
		scopes[i] = scopeOf(a, registry)
	}
	return scopes
}

func (w write) failed(err error) (Written, error) {
	p, err := w.problem(err)
	if err != nil {
		return Written{}, err
	}
	return Written{Problems: []Problem{p}}, nil
}
