package catalog

import (
	"context"

	"regtok/activity"
	"regtok/providers"
)

// Whoever asks for a write travels in its context, and is told beside what came of it: to the trail of what happens to tokens,
// and to the log. It is a name, and never a credential.

type actorKey struct{}

// As returns ctx for a caller of that name, as the trail and the log shall tell it.
func As(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// actorOf is who asks for what is done in ctx; empty: it is this server's own work.
func actorOf(ctx context.Context) string {
	actor, _ := ctx.Value(actorKey{}).(string)
	return actor
}

// deed is what a write does to a token, when its provider does it.
type deed struct {
	kind activity.Kind
	// token is the one that is written to; zero: the one that is made.
	token providers.ID
	// set are the properties that are set, for activity.Changed.
	set []providers.TokenField
}

// enter tells the trail what was done. A replace that made a secret has made the token.
func (c *Catalog) enter(ctx context.Context, account *Account, registry providers.ID, d deed, created providers.Created) {
	if c.trail == nil {
		return
	}
	told := activity.Deed{
		Kind: d.kind, Actor: actorOf(ctx), Token: d.token, Set: d.set, RegistryName: c.registryName(ctx, at{account, registry}),
	}
	if d.kind == activity.Replaced && !created.Secret.Empty() {
		told.Kind = activity.Created
	}
	if d.kind != activity.Deleted {
		told.Token, told.State = created.Token.ID, &created.Token
	}
	c.trail.Tell(ctx, told)
}

// enterRotated tells the trail that a token has a successor.
func (r rotation) enterRotated(ctx context.Context, old, made *Token) {
	if r.c.trail == nil {
		return
	}
	r.c.trail.Tell(ctx, activity.Deed{
		Kind: activity.Rotated, Actor: actorOf(ctx), Token: old.ID, State: &old.Token, RotatedTo: made.ID,
		RegistryName: r.c.registryName(ctx, at{r.account, old.ID.OfRegistry()}),
	})
}
