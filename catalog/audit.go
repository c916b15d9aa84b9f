package catalog

import (
	"context"
	"log/slog"

	"regtok/providers"
)

// Every write leaves a line in the log, whatever came of it: who asked for what, of which thing, and the outcome. It names no
// property's value, and holds nothing that a provider said.

// The outcomes of a write that are no providers.Kind.
const (
	outcomeDone     = "DONE"
	outcomeRepeated = "REPEATED" // an earlier call with its idempotency key had done it, and nothing was sent
	outcomeLeft     = "CANCELED" // its caller left before anything was sent
	outcomeFault    = "INTERNAL"
)

// audit writes the line of a write that a caller asked for.
func (c *Catalog) audit(ctx context.Context, op string, w write, set []providers.TokenField, done Rotated, err error) {
	var more []slog.Attr
	if made := done.Token; made != nil && made.ID != w.thing {
		more = append(more, slog.String("made", made.ID.String()))
	}
	if len(set) > 0 {
		more = append(more, slog.Any("set", set))
	}
	if done.Token != nil && len(done.Problems) > 0 {
		more = append(more, slog.String("old", string(done.Problems[0].Kind))) // it was not ended
	}
	c.line(ctx, op, w.thing, outcomeOf(done, err), more...)
}

// line writes the line of a write to a token, or to a registry that gets one.
func (c *Catalog) line(ctx context.Context, op string, thing providers.ID, outcome string, more ...slog.Attr) {
	attributes := []slog.Attr{
		slog.String("actor", actorOf(ctx)), slog.String("op", op), slog.String("outcome", outcome),
		slog.String("provider", thing.Provider), slog.String(nameOfKind(thing.Kind), thing.String()),
	}
	c.log.LogAttrs(ctx, slog.LevelInfo, "token activity", append(attributes, more...)...)
}

func nameOfKind(kind providers.IDKind) string {
	if kind == providers.RegistryKind {
		return "registry"
	}
	return "token"
}

func outcomeOf(done Rotated, err error) string {
	switch {
	case err != nil && before(err):
		return outcomeLeft
	case err != nil:
		return outcomeFault
	case done.repeated:
		return outcomeRepeated
	case done.Token == nil && len(done.Problems) > 0:
		return string(worst(done.Problems))
	}
	return outcomeDone
}

// worst is the kind that says the most: that something may have been done.
func worst(problems []Problem) providers.Kind {
	if has(problems, providers.OutcomeUnknown) {
		return providers.OutcomeUnknown
	}
	return problems[0].Kind
}
