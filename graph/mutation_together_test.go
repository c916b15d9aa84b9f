package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func small() plan {
	return plan{network: newMemory(), emulators: providers.EmulatorOptions{Registries: 2, Tokens: 3}, settings: marked()}
}

// TestScopesThatManyAddAtTheSameTimeAreAllThere changes what has to be read first, from many sides.
func TestScopesThatManyAddAtTheSameTimeAreAllThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWrites(t, small())
		on := w.warm(t, "ionos")
		w.slow(20 * time.Millisecond)
		var all sync.WaitGroup
		want := []string{"delete", "list", "pull", "push", "scan", "tag"}
		for _, action := range want {
			all.Go(func() {
				add := []map[string]any{{"type": "repository", "name": "team/app", "actions": []string{action}}}
				change := map[string]any{"change": map[string]any{"add": add}}
				got := w.mutate(t, "patchToken", map[string]any{"token": on.named(), "scopes": change})
				if got.code() != "" {
					t.Errorf("adding %s: %+v", action, got.Errors)
				}
			})
		}
		all.Wait()
		w.slow(0)
		var got []string
		for _, scope := range w.token(t, on.token.ID).Scopes {
			if scope.Name == "team/app" {
				got = append(got, scope.Actions...)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("actions after all were added (-got +want):\n%s", diff)
		}
		w.expectAgreement(t, on.place, on.token.ID)
	})
}

// TestCallsWithOneKeyAtTheSameTimeMakeOneToken repeats creates and rotations before the first is answered.
func TestCallsWithOneKeyAtTheSameTimeMakeOneToken(t *testing.T) {
	inputs := map[string]func(on ground) map[string]any{
		"createToken": func(on ground) map[string]any {
			return map[string]any{"registryId": on.id, "name": "made", "idempotencyKey": "once"}
		},
		"rotateToken": func(on ground) map[string]any {
			return map[string]any{"token": on.named(), "overlap": "PT0S", "idempotencyKey": "once"}
		},
	}
	for provider := range otherOf {
		for mutation, input := range inputs {
			t.Run(provider+" "+mutation, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWrites(t, small())
					on := w.warm(t, provider)
					w.slow(20 * time.Millisecond)
					var all sync.WaitGroup
					answers := make([]payload, 6)
					for i := range answers {
						all.Go(func() { answers[i] = w.mutate(t, mutation, input(on)) })
					}
					all.Wait()
					secrets := 0
					for _, got := range answers {
						if got.Credential != nil {
							secrets++
						} else if got.code() != "CONFLICT" {
							t.Errorf("the others are told %+v, want CONFLICT while the first runs", got)
						}
					}
					if secrets != 1 {
						t.Errorf("%d answers have a secret, want one", secrets)
					}
					later := w.mutate(t, mutation, input(on))
					if later.Token == nil || later.Credential != nil || later.code() != "" {
						t.Errorf("afterwards a repetition is told %+v, want the token without its secret", later)
					}
					if made := w.behind[provider].made(); len(made) != 1 {
						t.Errorf("%d tokens are made, want one", len(made))
					}
					w.expectAgreement(t, on.place, on.token.ID)
				})
			})
		}
	}
}

// TestAMutationIsCarriedThroughAlthoughItsCallerLeaves has the caller leave while the first and while the second request of
// a mutation is under way.
func TestAMutationIsCarriedThroughAlthoughItsCallerLeaves(t *testing.T) {
	for _, m := range mutationsTried() {
		for i, last := range m.steps {
			t.Run(fmt.Sprintf("%s %s, %s", m.provider, m.name, last.step), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWrites(t, small())
					on := w.warm(t, m.provider)
					before := w.behind[m.provider].keeps(t, on.path)
					w.slow(time.Second)
					// While the request of step i is under way.
					ctx, leave := context.WithTimeout(t.Context(), time.Duration(i)*time.Second+500*time.Millisecond)
					defer leave()
					w.leaves(ctx, t, m.mutation, m.input(on))
					time.Sleep(time.Minute)
					w.slow(0)
					if got, want := changes(before, w.behind[m.provider].keeps(t, on.path)), m.steps[len(m.steps)-1].then; got != want {
						t.Errorf("the provider changed %q, want %q", got, want)
					}
					w.expectAgreement(t, on.place, on.token.ID)
					w.expectNoSecrets(t)
				})
			})
		}
	}
}

// leaves runs a mutation whose caller goes away when ctx ends.
func (w *writes) leaves(ctx context.Context, t *testing.T, mutation string, input map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document(mutation), "variables": map[string]any{"input": input}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(r)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("the answer came before the caller left")
	}
}

// TestAVersionConflictTellsWhatTheNextReadTells changes a token past this server, while it is cached here.
func TestAVersionConflictTellsWhatTheNextReadTells(t *testing.T) {
	past := map[string][2]string{ // method and body
		"buildkite": {http.MethodPost, `{"description": "renamed elsewhere"}`},
		"ionos":     {http.MethodPatch, `{"status": "disabled"}`},
	}
	for provider, change := range past {
		for _, mutation := range []string{"patchToken", "deleteToken", "rotateToken"} {
			t.Run(provider+" "+mutation, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWrites(t, small())
					on := w.warm(t, provider)
					behind := w.behind[provider]
					behind.past(t, change[0], on.path+"/"+on.token.NativeID, change[1])
					behind.strike(nil)
					input := map[string]any{"token": on.named(), "ifVersion": on.token.Version}
					switch {
					case mutation == "rotateToken":
						input["overlap"] = "PT0S"
					case mutation == "patchToken" && provider == "ionos":
						input["enabled"] = true
					case mutation == "patchToken":
						input["name"] = "renamed here"
					}
					got := w.mutate(t, mutation, input)
					if got.code() != "CONFLICT" || got.Errors[0].CurrentVersion == "" || got.Errors[0].CurrentVersion == on.token.Version {
						t.Fatalf("told %+v, want a CONFLICT with the version of now", got)
					}
					for _, s := range []step{creating, changing, deleting} {
						if n := behind.requests(s); n > 0 {
							t.Errorf("%d requests of %s, want none", n, s)
						}
					}
					w.expectAgreement(t, on.place, on.token.ID)
					if now := w.token(t, on.token.ID).Version; now != got.Errors[0].CurrentVersion {
						t.Errorf("the next read tells the version %s, and the conflict told %s", now, got.Errors[0].CurrentVersion)
					}
				})
			})
		}
	}
}

// TestATokenThatIsGoneIsGoneFromTheNextRead deletes a token past this server, while it is cached here.
func TestATokenThatIsGoneIsGoneFromTheNextRead(t *testing.T) {
	for provider := range otherOf {
		for _, mutation := range []string{"patchToken", "deleteToken", "rotateToken"} {
			for _, guarded := range []bool{false, true} {
				t.Run(fmt.Sprint(provider, " ", mutation, " ifVersion ", guarded), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWrites(t, small())
						on := w.warm(t, provider)
						w.behind[provider].past(t, http.MethodDelete, on.path+"/"+on.token.NativeID, "")
						input := map[string]any{"token": on.named()}
						if guarded {
							input["ifVersion"] = on.token.Version
						}
						switch {
						case mutation == "rotateToken":
							input["overlap"] = "PT0S"
						case mutation == "patchToken" && provider == "ionos":
							input["enabled"] = false
						case mutation == "patchToken":
							input["name"] = "renamed"
						}
						if got := w.mutate(t, mutation, input); got.code() != "NOT_FOUND" {
							t.Fatalf("told %+v, want NOT_FOUND", got)
						}
						w.expectAgreement(t, on.place, on.token.ID)
					})
				})
			}
		}
	}
}
