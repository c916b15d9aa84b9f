package catalog

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"regtok/providers"
)

// What a source does when it is written to: it keeps its state, as a provider does.

var allFields = []providers.TokenField{providers.FieldName, providers.FieldExpiry, providers.FieldScopes, providers.FieldEnabled}

// newWriter makes a grid whose tokens can be written to in every field.
func newWriter(registries, tokens int) *source {
	s := newGrid("p", registries, tokens)
	s.driver.Title = "Paper"
	s.driver.Capabilities = providers.Capabilities{
		CreateFields: allFields, RequiredCreateFields: allFields[:1], ReplaceFields: allFields, PatchFields: allFields, Expiry: true, Scopes: true,
	}
	return s
}

// losing does what writes say, and then answers with an error.
func (s *source) losing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = err
}

// doing waits, fails or does it.
func doing[T any](ctx context.Context, s *source, op string, id providers.ID, do func() (T, error)) (T, error) {
	var none T
	if err := s.answer(ctx, op, id); err != nil {
		if ctx.Err() != nil {
			err = &providers.Error{Kind: providers.OutcomeUnknown, Reason: providers.Timeout, Provider: s.driver.Name, Op: op}
		}
		return none, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	done, err := do()
	if err == nil && s.lost != nil {
		return none, s.lost
	}
	return done, err
}

func (s *source) CreateToken(ctx context.Context, registry providers.ID, in providers.TokenState) (providers.Created, error) {
	return doing(ctx, s, "create", registry, func() (providers.Created, error) {
		s.made++
		return s.make(registry.TokenID(numbered("new", s.made)), in), nil
	})
}

func (s *source) ReplaceToken(ctx context.Context, id providers.ID, in providers.TokenState) (providers.Created, error) {
	return doing(ctx, s, "replace", id, func() (providers.Created, error) {
		t := s.find(id)
		if t == nil {
			return s.make(id, in), nil
		}
		*t = stated(providers.Token{ID: id, CreatedAt: t.CreatedAt, UpdatedAt: time.Now().UTC()}, in)
		return providers.Created{Token: *t}, nil
	})
}

func (s *source) PatchToken(ctx context.Context, id providers.ID, patch providers.TokenPatch) (providers.Token, error) {
	return doing(ctx, s, "patch", id, func() (providers.Token, error) {
		t := s.find(id)
		if t == nil {
			return providers.Token{}, errGone
		}
		if patch.Name.IsSet() {
			t.Name, _ = patch.Name.Value()
		}
		if patch.ExpiresAt.IsSet() {
			t.ExpiresAt, _ = patch.ExpiresAt.Value()
		}
		if patch.Scopes.IsSet() {
			scopes, _ := patch.Scopes.Value()
			t.Scopes = ordered(scopes)
		}
		if patch.Enabled.IsSet() {
			t.Enabled, _ = patch.Enabled.Value()
		}
		t.UpdatedAt = time.Now().UTC()
		return *t, nil
	})
}

func (s *source) DeleteToken(ctx context.Context, id providers.ID) error {
	_, err := doing(ctx, s, "delete", id, func() (struct{}, error) {
		if s.find(id) == nil {
			return struct{}{}, errGone
		}
		registry := id.OfRegistry()
		s.tokens[registry] = slices.DeleteFunc(s.tokens[registry], func(t providers.Token) bool { return t.ID == id })
		return struct{}{}, nil
	})
	return err
}

// make adds a token with a secret. s is locked.
func (s *source) make(id providers.ID, in providers.TokenState) providers.Created {
	t := stated(providers.Token{ID: id, CreatedAt: time.Now().UTC()}, in)
	s.tokens[id.OfRegistry()] = append(s.tokens[id.OfRegistry()], t)
	return providers.Created{Token: t, Secret: providers.NewSecret("secret of " + id.Native)}
}

// find is the token as it is kept; nil: it is not there. s is locked.
func (s *source) find(id providers.ID) *providers.Token {
	list := s.tokens[id.OfRegistry()]
	i := slices.IndexFunc(list, func(t providers.Token) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// now is the token as it is at the provider.
func (s *source) now(t testing.TB, id providers.ID) providers.Token {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.find(id)
	if found == nil {
		t.Fatalf("there is no token %+v", id)
	}
	return *found
}

// set changes a token behind everybody's back.
func (s *source) set(id providers.ID, change func(*providers.Token)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.find(id))
}

// stated gives a token a whole state.
func stated(t providers.Token, in providers.TokenState) providers.Token {
	t.Name, t.Enabled, t.Scopes = in.Name, in.Enabled == nil || *in.Enabled, ordered(in.Scopes)
	if in.ExpiresAt != nil {
		t.ExpiresAt = *in.ExpiresAt
	}
	return t
}

// ordered is a copy in the order that tokens have their scopes in.
func ordered(scopes []providers.Scope) []providers.Scope {
	list := make([]providers.Scope, 0, len(scopes))
	for _, s := range scopes {
		s.Actions = slices.Sorted(slices.Values(s.Actions))
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b providers.Scope) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), slices.Compare(a.Actions, b.Actions))
	})
	return list
}

// written is a write's result where nothing but problems may be wrong.
func written(t testing.TB) func(Written, error) Written {
	return func(w Written, err error) Written {
		t.Helper()
		if err != nil {
			t.Fatalf("the write has a fault: %v", err)
		}
		return w
	}
}

// done is a write's result where nothing may be wrong.
func done(t testing.TB) func(Written, error) Written {
	return func(w Written, err error) Written {
		t.Helper()
		if err != nil || len(w.Problems) > 0 {
			t.Fatalf("the write failed: %v %+v", err, w.Problems)
		}
		return w
	}
}

// refused is the only problem of a write.
func refused(t testing.TB) func(Written, error) Problem {
	return func(w Written, err error) Problem {
		t.Helper()
		if err != nil || len(w.Problems) != 1 || w.Token != nil || !w.Secret.Empty() {
			t.Fatalf("the write came to %+v, %v; want one problem and nothing else", w, err)
		}
		return w.Problems[0]
	}
}
