package providertest

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// wantKind checks that a call failed with one of the kinds, and what every error of every adapter keeps to.
func (r *rig) wantKind(t *testing.T, what string, err error, kinds ...providers.Kind) providers.Error {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](err)
	if !ok {
		t.Errorf("%s: %v, want %v", what, err, kinds)
		return providers.Error{}
	}
	if !slices.Contains(kinds, e.Kind) {
		t.Errorf("%s: %v (%q), want %v", what, err, e.Message, kinds)
	}
	if e.Provider != r.driver.Name || e.Op == "" {
		t.Errorf("%s: the error names provider %q and operation %q, want %q and some", what, e.Provider, e.Op, r.driver.Name)
	}
	reasoned := e.Kind == providers.Unavailable || e.Kind == providers.OutcomeUnknown
	if reasoned != (e.Reason != "") {
		t.Errorf("%s: %s has the reason %q, which Unavailable and OutcomeUnknown have, and no other", what, e.Kind, e.Reason)
	}
	r.wantQuiet(t, what, err.Error())
	r.wantQuiet(t, what, e.Message)
	return *e
}

// wantQuiet checks that a text for logs or people holds neither address nor credential.
func (r *rig) wantQuiet(t *testing.T, what, text string) {
	t.Helper()
	_, host, _ := strings.Cut(r.base, "://")
	hidden := []string{host}
	for _, s := range r.driver.Settings {
		if value := r.emulator.Settings(r.base)[s.Name]; s.Secret && !value.Empty() {
			hidden = append(hidden, value.Reveal())
		}
	}
	for _, secret := range hidden {
		if strings.Contains(text, secret) {
			t.Errorf("%s: %q is in %s", what, secret, text)
		}
	}
}

// wantState checks a token against what was chosen for it, in the fields that could be chosen.
func (r *rig) wantState(t *testing.T, what string, got providers.Token, want providers.TokenState) {
	t.Helper()
	if got.Name != want.Name {
		t.Errorf("%s: the name is %q, want %q", what, got.Name, want.Name)
	}
	if expiry := deref(want.ExpiresAt, time.Time{}); !got.ExpiresAt.Equal(expiry) {
		t.Errorf("%s: the token ends at %v, want %v", what, got.ExpiresAt, expiry)
	}
	if enabled := deref(want.Enabled, true); got.Enabled != enabled {
		t.Errorf("%s: enabled is %v, want %v", what, got.Enabled, enabled)
	}
	if !r.driver.Capabilities.Scopes {
		return
	}
	same(t, what+": scopes differ", slices.Concat(got.Scopes), sorted(want.Scopes))
}

func deref[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// sorted is a copy in the order that Token promises; nil when there are none, as what slices.Concat makes.
func sorted(scopes []providers.Scope) []providers.Scope {
	var ordered []providers.Scope
	for _, s := range scopes {
		s.Actions = slices.Sorted(slices.Values(s.Actions))
		ordered = append(ordered, s)
	}
	slices.SortFunc(ordered, func(a, b providers.Scope) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), slices.Compare(a.Actions, b.Actions))
	})
	return ordered
}

// same checks that two values of the model are equal.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := gocmp.Diff(got, want); diff != "" {
		t.Errorf("%s, got - want +\n%s", what, diff)
	}
}

// wantRequests checks how many requests have come since the last Reset, and forgets them.
func (r *rig) wantRequests(t *testing.T, what string, want int) {
	t.Helper()
	if got := r.tap.Total(); got != want {
		t.Errorf("%s: %d requests were sent, want %d: %v", what, got, want, r.tap.Requests())
	}
	r.tap.Reset()
}
