package graph_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"regtok/catalog"
	"regtok/providers"
)

// breaking is a provider that panics once it has done what it was asked for.
type breaking struct {
	providers.Provider
	at step
}

func (b breaking) CreateToken(ctx context.Context, registry providers.ID, in providers.TokenState) (providers.Created, error) {
	created, err := b.Provider.CreateToken(ctx, registry, in)
	if b.at == creating && in.Name != "well" {
		panic(panicked)
	}
	return created, err
}

func (b breaking) ReplaceToken(ctx context.Context, id providers.ID, in providers.TokenState) (providers.Created, error) {
	created, err := b.Provider.ReplaceToken(ctx, id, in)
	if b.at == putting {
		panic(panicked)
	}
	return created, err
}

func (b breaking) PatchToken(ctx context.Context, id providers.ID, patch providers.TokenPatch) (providers.Token, error) {
	patched, err := b.Provider.PatchToken(ctx, id, patch)
	if b.at == changing {
		panic(panicked)
	}
	return patched, err
}

func (b breaking) DeleteToken(ctx context.Context, id providers.ID) error {
	err := b.Provider.DeleteToken(ctx, id)
	if b.at == deleting {
		panic(panicked)
	}
	return err
}

// TestAPanicInTheMiddleOfAMutationLosesNoSecret panics after each request that changes something. In a rotation's second half
// that must not take the new token's secret along.
func TestAPanicInTheMiddleOfAMutationLosesNoSecret(t *testing.T) {
	for _, m := range mutationsTried() {
		for i, at := range m.steps {
			if at.step == reading {
				continue
			}
			t.Run(fmt.Sprint(m.provider, " ", m.name, " ", at.step), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := small()
					p.change = func(a *catalog.Account) { a.Provider = breaking{a.Provider, at.step} }
					w := newWrites(t, p)
					on := w.warm(t, m.provider)
					before := w.behind[m.provider].keeps(t, on.path)
					got, a := w.attempt(t, m.mutation, m.input(on))
					if second := m.mutation == "rotateToken" && at.step != creating; second {
						if got.Credential == nil || got.code() != "OUTCOME_UNKNOWN" || len(a.Errors) > 0 {
							t.Errorf("told %+v and %v, want the secret and OUTCOME_UNKNOWN", got, a.Errors)
						}
					} else if len(a.Errors) != 1 || a.Errors[0]["extensions"].(map[string]any)["code"] != "INTERNAL" {
						t.Errorf("told %+v and %v, want INTERNAL", got, a.Errors)
					}
					if got, want := changes(before, w.behind[m.provider].keeps(t, on.path)), m.steps[i].then; got != want {
						t.Errorf("the provider changed %q, want %q", got, want)
					}
					if !strings.Contains(w.log.String(), panicked) {
						t.Error("the log does not tell of the panic")
					}
					w.expectAgreement(t, on.place, on.token.ID, on.idOf(on.vacant))
					w.expectNoSecrets(t)
				})
			})
		}
	}
}

// TestOneMutationsPanicTakesNoOthersSecretAway has two mutations in one document.
func TestOneMutationsPanicTakesNoOthersSecretAway(t *testing.T) {
	for provider := range otherOf {
		t.Run(provider, func(t *testing.T) {
			p := small()
			p.network = nil
			p.change = func(a *catalog.Account) { a.Provider = breaking{a.Provider, creating} }
			w := newWrites(t, p)
			on := w.places(t, provider)[0]
			a := w.ask(t, `mutation ($in: ID!) {
				one: createToken(input: { registryId: $in, name: "well" }) { credential { secret } errors { code } }
				two: createToken(input: { registryId: $in, name: "not-well" }) { credential { secret } errors { code } }
				three: createToken(input: { registryId: $in, name: "well" }) { errors { code } }
			}`, map[string]any{"in": on.id})
			made := w.behind[provider].made()
			if !strings.Contains(string(a.Data), `{"one":{"credential":{"secret":"`+made[0]+`"},"errors":[]},"two":null,"three":`) || len(a.Errors) != 1 {
				t.Errorf("told %s and %v, want the first token's secret, and an error for the second alone", a.Data, a.Errors)
			}
		})
	}
}
