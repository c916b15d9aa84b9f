package catalog

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"regtok/ledger"
	"regtok/providers"
)

// A rotation is two writes: the new token is made, then the old one's end is set. How that end will be kept is decided
// before anything is sent, and the ledger has to know of the rotation by then; from the moment that the new token's secret
// exists, nothing that fails takes it away.

const lookForSuccessor advice = "the new token may have been made: look for it by its name among the registry's newest " +
	"tokens; if it is there, delete it, because its secret cannot be read any more, and rotate again. The old token is as it was"

// RotateToken makes a new token like an old one, and then ends the old one: at once, or after an overlap. The result has
// a token, its secret and problems when the old one could not be ended.
func (c *Catalog) RotateToken(ctx context.Context, in RotateToken) (done Rotated, err error) {
	ctx = providers.WithPriority(ctx, providers.Writing)
	w := c.writing(ctx, in.Token, "token", lookForSuccessor)
	defer func() { c.audit(ctx, "rotate token", w, nil, done, err) }()
	return c.once(ctx, repeatable{in.Repeat, "rotate token", in, w}, func(ctx context.Context) (Rotated, error) {
		return c.rotateToken(ctx, in, w)
	})
}

func (c *Catalog) rotateToken(ctx context.Context, in RotateToken, w write) (Rotated, error) {
	k := newCheck(w.driver, w.driver.Capabilities.CreateFields)
	switch {
	case in.Name == nil:
	case *in.Name == "":
		k.invalid("a token needs a name; leave the name out, and the new token is called like the old one", "name")
	default:
		k.name(*in.Name)
	}
	r := rotation{c: c, in: in, expiry: k.expiry(in.Expiry), ending: k.ending(in.Overlap, c.ledger.Durable())}
	waiting, cancel, ok := c.sooner(ctx)
	defer cancel()
	if !ok && w.driver.Name != "" {
		return refusal(tooLate(w.driver)), nil
	}
	account, refused, err := c.begin(waiting, in.Token, providers.TokenKind, w, k.problems...)
	if account == nil {
		return refusal(refused...), err
	}
	r.change = change{write: w, account: account, token: in.Token, version: in.IfVersion, reads: true}
	return r.run(ctx, waiting)
}

// A rotation takes longer than another write: endTimeout bounds its second step, however long the first one took, and
// asideTimeout each of the two things that the ledger is told afterwards. Where writeTimeout is half of what an operation
// may take, all of it is nine tenths of that, and the answer has the rest to arrive in.
func (c *Catalog) endTimeout() time.Duration   { return c.writeTimeout * 2 / 3 }
func (c *Catalog) asideTimeout() time.Duration { return c.writeTimeout / 15 }

// sooner is a context that ends before ctx, by what comes after a rotation's first step; !ok: it would have ended already.
func (c *Catalog) sooner(ctx context.Context) (waiting context.Context, cancel context.CancelFunc, ok bool) {
	deadline, limited := ctx.Deadline()
	if !limited {
		return ctx, func() {}, true
	}
	deadline = deadline.Add(-c.endTimeout() - 2*c.asideTimeout())
	waiting, cancel = context.WithDeadline(ctx, deadline)
	return waiting, cancel, time.Until(deadline) > 0 || ctx.Err() != nil
}

// rotation is a rotation whose input is good.
type rotation struct {
	change
	c      *Catalog
	in     RotateToken
	expiry *time.Time // of the new token, where the input says it
	ending ending
}

// run rotates. It waits for its turn as long as waiting lets it; what it has begun it carries through.
func (r rotation) run(ctx, waiting context.Context) (Rotated, error) {
	entry := ledger.Rotation{Old: r.token, Began: time.Now().UTC()}
	var present ledger.Rotation
	var mine bool
	err := r.c.aside(ctx, func(ctx context.Context) (err error) {
		present, mine, err = r.c.ledger.BeginRotation(ctx, entry)
		return err
	})
	if err != nil {
		written, err := r.failed(err)
		return Rotated{Written: written}, err
	}
	if !mine {
		return refusal(r.underWay(present)), nil
	}
	// Whoever waits for so long would find its own rotation forgotten.
	waiting, cancel := context.WithTimeout(waiting, ledger.RotationLease/2)
	defer cancel()
	unlock, refused, err := r.c.turn(waiting, r.change)
	if unlock == nil {
		r.abandon(ctx)
		return refusal(refused...), err
	}
	defer unlock()
	old, made, err := r.makeNew(ctx)
	if made.Token == nil {
		r.abandon(ctx)
		return Rotated{Written: made}, err
	}
	r.enterRotated(ctx, old, made.Token)
	done := r.endOld(ctx, old, made)
	entry.New, entry.Ends = made.Token.ID, done.PreviousEnds
	r.enter(ctx, "its tokens do not know each other", func(ctx context.Context) error {
		return r.c.ledger.FinishRotation(ctx, entry)
	})
	return done, nil
}

// abandon lets the token be rotated again. That an answer was lost is told to the caller and no reason against it: only who
// repeats the call can mend it.
func (r rotation) abandon(ctx context.Context) {
	r.enter(ctx, "it cannot be tried again for some minutes", func(ctx context.Context) error {
		return r.c.ledger.AbandonRotation(ctx, r.token)
	})
}

// endOld ends the old token, in time of its own. When that fails, the result says so beside the new one.
func (r rotation) endOld(ctx context.Context, old *Token, made Written) Rotated {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.c.endTimeout())
	defer cancel()
	done := Rotated{Written: made}
	err := survived(func() (err error) {
		done.Previous, done.PreviousEnds, err = r.end(ctx, old)
		return err
	})
	if err != nil {
		done.Previous, done.PreviousEnds = old, old.ExpiresAt
		done.Problems = append(done.Problems, r.unended(old, err))
	}
	return done
}

// enter tells the ledger what became of a rotation. Where that fails the log has it: the tokens are as the caller is told.
func (r rotation) enter(ctx context.Context, otherwise string, do func(context.Context) error) {
	if err := survived(func() error { return r.c.aside(ctx, do) }); err != nil {
		r.c.log.Warn("what became of a rotation is not remembered", "so", otherwise, "provider", r.driver.Name, "err", err)
	}
}

// underWay says that another rotation of the token is there.
func (r rotation) underWay(present ledger.Rotation) Problem {
	p := Problem{Kind: providers.Conflict, Provider: r.driver.Name, Path: []string{r.target}}
	if present.New.IsZero() {
		p.Message = fmt.Sprintf("this token has been in rotation since %s, and nothing was done: wait for the answer of that call; "+
			"if it was cut off, look for its new token, and rotate again %d minutes after it began",
			present.Began.Format(time.RFC3339), int(ledger.RotationLease.Minutes()))
		return p
	}
	ends := "has no end yet"
	if !present.Ends.IsZero() {
		ends = "ends at " + present.Ends.UTC().Format(time.RFC3339)
	}
	p.Message = fmt.Sprintf("the token %s took this one's place already, and this one %s; nothing was done. "+
		"Rotate the new token, or delete this one once nothing uses it", present.New, ends)
	return p
}

// aside tells the ledger something, in little time and although the caller may leave meanwhile: else nobody would know
// whether it was entered.
func (c *Catalog) aside(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.asideTimeout())
	defer cancel()
	err := do(ctx)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ledger.ErrUnavailable, err)
	}
	return err
}

// survived does what comes after a secret was made. A panic becomes an error there, because the secret has to arrive.
func survived(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}
