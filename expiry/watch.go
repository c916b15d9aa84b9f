package expiry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// mostTries is how often something is done anew because others were faster. After that it is theirs.
const mostTries = 5

// work does what there is to do in a registry. What it fails at may be done again.
func (w *Watcher) work(ctx context.Context, source Source, t task) error {
	var look, late []providers.ID
	var err error
	name := nameOf(ctx, source, t.registry)
	if t.list != nil {
		look, err = w.hear(ctx, *t.list, name)
	}
	if err == nil && len(t.parts) > 0 {
		late, err = w.hear(ctx, List{Registry: t.registry, Part: true, Tokens: t.parts}, name)
		look = append(look, late...)
	}
	if err == nil && len(t.due) > 0 {
		late, err = w.tick(ctx, t, name)
		look = append(look, late...)
	}
	if err != nil || len(look) == 0 {
		return err
	}
	return w.look(ctx, source, t.registry, look, name)
}

// naming finds out what a registry is called; empty: it is not known.
type naming func() string

// nameOf asks the source, once and not for long: an event does not wait for a name.
func nameOf(ctx context.Context, source Source, registry providers.ID) naming {
	return sync.OnceValue(func() string {
		ctx, cancel := context.WithTimeout(ctx, nameTimeout)
		defer cancel()
		return source.RegistryName(ctx, registry)
	})
}

// hear applies what was read; look are the tokens to be looked at again.
func (w *Watcher) hear(ctx context.Context, list List, name naming) (look []providers.ID, err error) {
	readings := make(map[providers.ID]Reading, len(list.Tokens))
	for _, reading := range list.Tokens {
		readings[reading.Subject.Token] = latter(readings[reading.Subject.Token], reading)
	}
	states, err := w.concerned(ctx, list, readings)
	if err != nil {
		return nil, err
	}
	return w.settle(ctx, states, name, func(s State, now time.Time) Outcome {
		reading, listed := readings[s.Subject.Token]
		if !listed {
			reading = Reading{At: list.At, Gone: true, Subject: Subject{Token: s.Subject.Token}}
		}
		return w.rule.Read(s, named(reading, s), now)
	})
}

// concerned are the states of all tokens that a list tells something of: of those, too, that it does not have.
func (w *Watcher) concerned(ctx context.Context, list List, readings map[providers.ID]Reading) (states []State, err error) {
	if !list.Part {
		if states, err = w.index.OfRegistry(ctx, list.Registry); err != nil {
			return nil, err
		}
	}
	known := make(map[providers.ID]bool, len(states))
	for _, s := range states {
		known[s.Subject.Token] = true
	}
	var rest []providers.ID
	for token := range readings {
		switch {
		case known[token] || !eventlog.OfToken(token):
		case list.Part:
			rest = append(rest, token)
		default:
			states = append(states, unknown(token))
		}
	}
	if len(rest) == 0 {
		return states, nil
	}
	return w.index.Get(ctx, rest)
}

// tick applies the clock to the tokens that are due.
func (w *Watcher) tick(ctx context.Context, t task, name naming) (look []providers.ID, err error) {
	tokens := make([]providers.ID, 0, len(t.due))
	for token := range t.due {
		tokens = append(tokens, token)
	}
	states, err := w.index.Get(ctx, tokens)
	if err != nil {
		return nil, err
	}
	return w.settle(ctx, states, name, w.rule.Tick)
}

// look looks at a registry because some of its tokens may have something to be told.
func (w *Watcher) look(ctx context.Context, source Source, registry providers.ID, tokens []providers.ID, name naming) error {
	asked := w.now()
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	list, err := source.Look(bounded, registry, asked.Add(-w.rule.freshness/2))
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, ErrUnowned):
		return w.giveUp(ctx, tokens, name, w.rule.Unowned)
	case providers.KindOf(err) == providers.NotFound:
		list, err = List{Registry: registry, At: asked}, nil
	}
	w.looked(err)
	if err == nil {
		w.desk.note(list)
		left, err := w.hear(ctx, list, name)
		if err != nil {
			return err
		}
		tokens = slices.DeleteFunc(tokens, func(token providers.ID) bool { return !slices.Contains(left, token) })
	}
	return w.giveUp(ctx, tokens, name, w.rule.Unread)
}

// giveUp does what is right for tokens that could not be looked at.
func (w *Watcher) giveUp(ctx context.Context, tokens []providers.ID, name naming, apply func(State, time.Time) Outcome) error {
	if len(tokens) == 0 {
		return nil
	}
	states, err := w.index.Get(ctx, tokens)
	if err != nil {
		return err
	}
	_, err = w.settle(ctx, states, name, apply)
	return err
}

// settle records what the rule makes of states, and once more of those that others have changed meanwhile; look are the tokens
// that it wants to be looked at first.
func (w *Watcher) settle(
	ctx context.Context, states []State, name naming, apply func(State, time.Time) Outcome,
) (look []providers.ID, err error) {
	for range mostTries {
		var next []State
		for _, s := range states {
			outcome := apply(s, w.now())
			if outcome.LookFirst {
				look = append(look, s.Subject.Token)
			}
			if outcome.Save {
				next = append(next, complete(outcome.State, name))
			}
		}
		if len(next) == 0 || ctx.Err() != nil {
			return look, ctx.Err()
		}
		// What is begun is carried through: what is saved and not told would have to wait for somebody to find it.
		lost, err := Record(context.WithoutCancel(ctx), w.index, w.log, next)
		if err != nil {
			return nil, err
		}
		w.told(next, lost)
		w.expect(next)
		if len(lost) == 0 {
			return look, nil
		}
		if states, err = w.index.Get(ctx, lost); err != nil {
			return nil, err
		}
	}
	return look, nil
}

// latter is the later of two readings of a token.
func latter(a, b Reading) Reading {
	if a.At.After(b.At) {
		return a
	}
	return b
}

// named is a reading with the name of the registry as it was known, if whoever read the token did not know it.
func named(reading Reading, s State) Reading {
	if reading.Subject.RegistryName == "" {
		reading.Subject.RegistryName = s.Subject.RegistryName
	}
	return reading
}

// complete gives what is to be told the name of the registry, if nobody who read or wrote the token knew it.
func complete(s State, name naming) State {
	if len(s.Untold) == 0 || s.Subject.RegistryName != "" {
		return s
	}
	s.Subject.RegistryName = name()
	s.Subject = s.Subject.Tidy()
	s.Untold = slices.Clone(s.Untold)
	for i := range s.Untold {
		s.Untold[i].Subject.RegistryName = s.Subject.RegistryName
	}
	return s
}
