package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"regtok/activity"
	"regtok/ledger"
	"regtok/providers"
)

// ending is how the end of a rotated token is kept.
type ending int

const (
	atOnce   ending = iota // it is deleted now
	dated                  // its provider ends it, at a date that it is given now
	promised               // this server deletes it later, and must not forget it
)

// ending decides how an overlap is kept, or refuses it.
func (k *check) ending(overlap time.Duration, durable bool) ending {
	soonest := k.driver.Capabilities.SoonestExpiry
	canDate := slices.Contains(k.driver.Capabilities.PatchFields, providers.FieldExpiry)
	switch {
	case overlap < 0:
		k.invalid("an overlap cannot be negative; say PT0S to delete the old token at once", "overlap")
	case overlap == 0:
	case canDate && overlap >= soonest:
		return dated
	case durable:
		return promised
	case canDate:
		k.invalid(fmt.Sprintf("%s ends a token no sooner than in %s, and this server keeps no promise of its own without Redis; "+
			"say an overlap of %[2]s or more, or PT0S to delete the old token at once, or start the server with --redis-url",
			k.driver.Title, period(soonest)), "overlap")
	default:
		k.invalid(k.driver.Title+" does not end tokens at a date, and this server keeps no promise of its own without Redis; "+
			"say PT0S to delete the old token at once, or start the server with --redis-url", "overlap")
	}
	return atOnce
}

// period writes a duration of whole hours or minutes by ISO 8601, as inputs have it.
func period(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = strings.TrimSuffix(text, zero[1:])
		}
	}
	return "PT" + strings.ToUpper(text)
}

// end ends the old token, and tells what is left of it and when it stops working. One that is gone already, or ends by
// itself before that, is left alone.
func (r rotation) end(ctx context.Context, old *Token) (*Token, time.Time, error) {
	now := time.Now().UTC()
	if r.ending == atOnce {
		return nil, now, unlessGone(r.delete(ctx))
	}
	ends := now.Add(r.in.Overlap)
	if r.ending == dated {
		ends = ahead(r.driver, r.in.Overlap)
	}
	if !old.ExpiresAt.IsZero() && !old.ExpiresAt.After(ends) {
		return old, old.ExpiresAt, nil
	}
	if r.ending == promised {
		return old, ends, r.c.schedule(ctx, ledger.Deletion{Token: old.ID, At: ends, By: actorOf(ctx)})
	}
	patched, err := r.date(ctx, ends)
	if providers.KindOf(err) == providers.NotFound {
		return nil, now, nil
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	return patched, patched.ExpiresAt, nil
}

func (r rotation) delete(ctx context.Context) error {
	_, err := r.c.sent(ctx, r.account, r.token.OfRegistry(), deed{kind: activity.Deleted, token: r.token}, func() (providers.Created, error) {
		return providers.Created{}, r.account.Provider.DeleteToken(ctx, r.token)
	})
	if err == nil {
		r.c.tellDeleted(r.token)
	}
	return err
}

// date gives the old token its end, and makes sure that the provider has understood.
func (r rotation) date(ctx context.Context, ends time.Time) (*Token, error) {
	d := deed{kind: activity.Changed, token: r.token, set: []providers.TokenField{providers.FieldExpiry}}
	written, err := r.c.sent(ctx, r.account, r.token.OfRegistry(), d, func() (providers.Created, error) {
		patched, err := r.account.Provider.PatchToken(ctx, r.token, providers.TokenPatch{ExpiresAt: providers.Some(ends)})
		return providers.Created{Token: patched}, err
	})
	if err == nil && written.Token.ExpiresAt.IsZero() {
		err = &providers.Error{
			Kind: providers.OutcomeUnknown, Reason: providers.InvalidResponse, Provider: r.driver.Name, Op: "rotate token",
		}
	}
	return written.Token, err
}

// unended says that the new token is there and the old one was not ended, and why.
func (r rotation) unended(old *Token, err error) Problem {
	w := r.write
	w.advice = lookAtPrevious
	p, fault := w.problem(err)
	if fault != nil {
		r.c.log.Error("the old token of a rotation could not be ended", "provider", r.driver.Name, "err", fault)
		p = Problem{Kind: providers.OutcomeUnknown, Provider: r.driver.Name,
			Message: "something went wrong in this server; " + string(lookAtPrevious)}
	}
	p.Path = []string{"overlap"}
	const good = "the new token is made, and its secret is in this answer"
	if p.Kind == providers.OutcomeUnknown {
		p.Message = good + "; but whether the old one's end was set is not known: " + p.Message
		return p
	}
	works := "it goes on working"
	if !old.ExpiresAt.IsZero() {
		works += " until " + old.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if errors.Is(err, ledger.ErrUnavailable) {
		works += ", as far as is known"
	}
	p.Message = fmt.Sprintf("%s; but the old one's end could not be set, because %s: %s. "+
		"Delete it with deleteToken once nothing uses it", good, r.cause(err), works)
	return p
}

// cause is why something failed, without what to do about it.
func (w write) cause(err error) string {
	e, ok := errors.AsType[*providers.Error](err)
	switch {
	case !ok:
		return "this server cannot reach what it remembers promises in"
	case e.Kind == providers.Forbidden && e.RequiredScope != "":
		return "this server's credential lacks the scope " + e.RequiredScope
	case e.Kind == providers.Forbidden || e.Kind == providers.Invalid || e.Kind == providers.Conflict:
		return w.said(e, "the provider refuses it", "and does not say why")
	}
	_, why, _ := Explain(e)
	return why
}
