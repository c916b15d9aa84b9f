package providertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"regtok/providers"
)

func concurrencyCases() []testCase {
	return []testCase{
		{"32 callers at once each get their own answer", manyCallers, false},
		{"cancelling one does not cancel the others", oneLeaves, false},
		{"one caller's deadline is not the others'", oneIsInAHurry, false},
	}
}

const callers = 32

func manyCallers(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	before := must(r.tokens(t.Context(), r.provider, r.world.registry))(t)
	r.provider = r.open(t)
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			if err := r.callAll(t.Context()); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	same(t, "the tokens afterwards", must(r.tokens(t.Context(), r.provider, r.world.registry))(t), before)
}

// callAll makes a token, calls every method about it, and deletes it.
func (r *rig) callAll(ctx context.Context) error {
	chosen := state(r.driver.Capabilities.CreateFields, r.newName())
	created, err := r.provider.CreateToken(ctx, r.world.registry, chosen)
	if err != nil {
		return err
	}
	if created.Token.Name != chosen.Name {
		return fmt.Errorf("%s was created for %s", created.Token.Name, chosen.Name)
	}
	mine := r.world
	mine.token = created.Token
	for _, m := range r.methods() {
		if m.name == "CreateToken" {
			continue
		}
		got, err := m.call(ctx, r.provider, mine)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if token, ok := got.(providers.Token); ok && token.ID != created.Token.ID {
			return fmt.Errorf("%s: the answer is about %+v, want %+v", m.name, token.ID, created.Token.ID)
		}
	}
	return nil
}

// oneLeaves: the first caller of a cold account, on whose call the others may be waiting, leaves in the middle.
func oneLeaves(t *testing.T, s subject) {
	s.together(t, func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		stop := time.AfterFunc(leaving, cancel)
		return ctx, func() { stop.Stop(); cancel() }
	}, providers.Canceled)
}

func oneIsInAHurry(t *testing.T, s subject) {
	s.together(t, func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, leaving)
	}, providers.Unavailable)
}

// leaving is in the middle of the first request, which takes latency.
const (
	latency = time.Second
	leaving = latency / 2
)

// together calls each read at once from many callers, of which the first does not stay; it gets a kind of error when
// it left, and the others get their answers.
func (s subject) together(t *testing.T, first func(context.Context) (context.Context, context.CancelFunc), left providers.Kind) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		for _, m := range r.methods() {
			if m.writes || m.cost.Cold == 0 {
				continue
			}
			want := must(m.call(t.Context(), r.provider, r.world))(t)
			r.tap.SetLatency(latency)
			p := r.open(t)
			var wait sync.WaitGroup
			wait.Go(func() {
				ctx, cancel := first(t.Context())
				defer cancel()
				start := time.Now()
				_, err := m.call(ctx, p, r.world)
				r.wantKind(t, m.name+", the first", err, left)
				if took := time.Since(start); took != leaving {
					t.Errorf("%s: the first was let go after %v, want %v", m.name, took, leaving)
				}
			})
			for i := range callers - 1 {
				wait.Go(func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					got, err := m.call(t.Context(), p, r.world)
					if err != nil {
						t.Errorf("%s, another: %v", m.name, err)
						return
					}
					same(t, m.name+", another", got, want)
				})
			}
			wait.Wait()
			r.tap.SetLatency(0)
		}
	})
}
