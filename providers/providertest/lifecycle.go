package providertest

import (
	"slices"
	"testing"
	"time"

	"regtok/providers"
)

func lifecycleCases() []testCase {
	return []testCase{
		{"a token is created, read back, listed, deleted and gone", createdToGone, true},
		{"a second delete is NOT_FOUND", secondDelete, true},
		{"two creates are two tokens", twoCreates, true},
		{"a token tells when and by whom it was made", madeByWhom, true},
		{"a replace keeps the id and puts the whole state", replaceWhole, true},
		{"a replace makes what is missing", replaceMissing, true},
		{"a patch changes only what is given", patchOnly, true},
		{"null clears", nullClears, true},
		{"a patch of nothing changes nothing", emptyPatch, true},
		{"a token that has ended is gone", endedToken, true},
	}
}

// create makes a token with all fields chosen.
func (r *rig) create(t *testing.T) (providers.Created, providers.TokenState) {
	t.Helper()
	chosen := state(r.driver.Capabilities.CreateFields, r.newName())
	created := must(r.provider.CreateToken(t.Context(), r.world.registry, chosen))(t)
	if created.Secret.Empty() {
		t.Fatal("the new token has no secret")
	}
	return created, chosen
}

// listed finds a token in its registry's list.
func (r *rig) listed(t *testing.T, id providers.ID) (providers.Token, bool) {
	t.Helper()
	tokens := must(r.tokens(t.Context(), r.provider, id.OfRegistry()))(t)
	at := slices.IndexFunc(tokens, func(k providers.Token) bool { return k.ID == id })
	if at < 0 {
		return providers.Token{}, false
	}
	return tokens[at], true
}

// wantGone checks that a token is neither read nor listed.
func (r *rig) wantGone(t *testing.T, what string, id providers.ID) {
	t.Helper()
	_, err := r.provider.Token(t.Context(), id)
	r.wantKind(t, what+": reading it", err, providers.NotFound)
	if _, found := r.listed(t, id); found {
		t.Errorf("%s: it is still listed", what)
	}
}

// wantStored checks that a token reads and lists as a write returned it.
func (r *rig) wantStored(t *testing.T, what string, want providers.Token) {
	t.Helper()
	same(t, what+" and the token differ", want, must(r.provider.Token(t.Context(), want.ID))(t))
	listed, found := r.listed(t, want.ID)
	if !found {
		t.Fatalf("%s: the token is not listed", what)
	}
	same(t, what+" and the list differ", want, listed)
}

func createdToGone(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	created, chosen := r.create(t)
	if created.Token.ID.OfRegistry() != r.world.registry {
		t.Errorf("the token belongs to %+v, want %+v", created.Token.ID.OfRegistry(), r.world.registry)
	}
	r.wantState(t, "created", created.Token, chosen)
	r.wantStored(t, "the create", created.Token)
	if err := r.provider.DeleteToken(t.Context(), created.Token.ID); err != nil {
		t.Fatal(err)
	}
	r.wantGone(t, "after the delete", created.Token.ID)
}

func secondDelete(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	if err := r.provider.DeleteToken(t.Context(), r.world.token.ID); err != nil {
		t.Fatal(err)
	}
	r.wantKind(t, "the second delete", r.provider.DeleteToken(t.Context(), r.world.token.ID), providers.NotFound)
	if fields := r.driver.Capabilities.PatchFields; len(fields) > 0 {
		_, err := r.provider.PatchToken(t.Context(), r.world.token.ID, patch(fields, r.newName()))
		r.wantKind(t, "a patch after it", err, providers.NotFound)
	}
}

func twoCreates(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	one, _ := r.create(t)
	two, _ := r.create(t)
	if one.Token.ID == two.Token.ID || one.Secret.Reveal() == two.Secret.Reveal() {
		t.Error("two creates made the same token or the same secret")
	}
	r.wantStored(t, "the first", one.Token)
	r.wantStored(t, "the second", two.Token)
}

func madeByWhom(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	before := time.Now().Truncate(time.Second)
	created, _ := r.create(t)
	token := created.Token
	if token.CreatedAt.Before(before) || token.CreatedAt.After(time.Now()) {
		t.Errorf("the token was made at %v, want between %v and now", token.CreatedAt, before)
	}
	for _, at := range []time.Time{token.CreatedAt, token.ExpiresAt, token.UpdatedAt} {
		if at.Location() != time.UTC {
			t.Errorf("%v is not in UTC", at)
		}
	}
	if token.CreatedBy == nil || token.CreatedBy.Name == "" || token.CreatedBy.ID.Native == "" {
		t.Errorf("the token was made by %+v, want somebody with an id and a name", token.CreatedBy)
	}
	if token.Username == "" {
		t.Error("nobody knows what to log in as")
	}
}

func replaceWhole(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	fields := r.driver.Capabilities.ReplaceFields
	if len(fields) == 0 {
		r.wantNoReplace(t)
		return
	}
	created, _ := r.create(t)
	bare := providers.TokenState{Name: created.Token.Name}
	for _, chosen := range []providers.TokenState{bare, state(fields, created.Token.Name), bare} {
		replaced := must(r.provider.ReplaceToken(t.Context(), created.Token.ID, chosen))(t)
		if replaced.Token.ID != created.Token.ID {
			t.Errorf("the replaced token is %+v, want %+v", replaced.Token.ID, created.Token.ID)
		}
		r.wantState(t, "replaced", replaced.Token, chosen)
		r.wantStored(t, "the replace", replaced.Token)
	}
}

func replaceMissing(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	fields := r.driver.Capabilities.ReplaceFields
	if len(fields) == 0 {
		r.wantNoReplace(t)
		return
	}
	id := r.world.token.ID
	if err := r.provider.DeleteToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	chosen := state(fields, r.newName())
	made := must(r.provider.ReplaceToken(t.Context(), id, chosen))(t)
	if made.Secret.Empty() || made.Token.ID != id {
		t.Errorf("the token made is %+v, with a secret: %v; want %+v and true", made.Token.ID, !made.Secret.Empty(), id)
	}
	r.wantState(t, "made", made.Token, chosen)
	r.wantStored(t, "the replace", made.Token)
}

// wantNoReplace checks that a provider without replaces says so, and asks nobody.
func (r *rig) wantNoReplace(t *testing.T) {
	t.Helper()
	r.tap.Reset()
	_, err := r.provider.ReplaceToken(t.Context(), r.world.token.ID, providers.TokenState{Name: r.world.token.Name})
	r.wantKind(t, "a replace", err, providers.Unsupported)
	r.wantRequests(t, "a replace", 0)
}

func patchOnly(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	for _, field := range r.driver.Capabilities.PatchFields {
		created, want := r.create(t)
		p := patch([]providers.TokenField{field}, r.newName())
		patched := must(r.provider.PatchToken(t.Context(), created.Token.ID, p))(t)
		want = applied(want, p)
		r.wantState(t, "after a patch of "+string(field), patched, want)
		r.wantStored(t, "the patch of "+string(field), patched)
	}
}

// applied is the state after a patch that clears nothing.
func applied(s providers.TokenState, p providers.TokenPatch) providers.TokenState {
	if name, ok := p.Name.Value(); ok {
		s.Name = name
	}
	if expiry, ok := p.ExpiresAt.Value(); ok {
		s.ExpiresAt = &expiry
	}
	if scopes, ok := p.Scopes.Value(); ok {
		s.Scopes = scopes
	}
	if enabled, ok := p.Enabled.Value(); ok {
		s.Enabled = &enabled
	}
	return s
}

// nullClears tries null for each field: it goes back to what a provider takes when nothing is chosen, or, where
// there has to be a value, the patch is INVALID.
func nullClears(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	for _, field := range r.driver.Capabilities.PatchFields {
		created, want := r.create(t)
		p, mayRefuse := providers.TokenPatch{}, false
		switch field {
		case providers.FieldName:
			p.Name, want.Name, mayRefuse = providers.Null[string](), "", true
		case providers.FieldExpiry:
			p.ExpiresAt, want.ExpiresAt = providers.Null[time.Time](), nil
		case providers.FieldScopes:
			p.Scopes, want.Scopes = providers.Null[[]providers.Scope](), nil
		case providers.FieldEnabled:
			p.Enabled, want.Enabled, mayRefuse = providers.Null[bool](), nil, true
		}
		patched, err := r.provider.PatchToken(t.Context(), created.Token.ID, p)
		if mayRefuse && err != nil {
			e := r.wantKind(t, "null for "+string(field), err, providers.Invalid)
			if e.Field != string(field) {
				t.Errorf("null for %s: the field at fault is %q", field, e.Field)
			}
			continue
		}
		if err != nil {
			t.Fatalf("null for %s: %v", field, err)
		}
		r.wantState(t, "after null for "+string(field), patched, want)
		r.wantStored(t, "the null for "+string(field), patched)
	}
}

func emptyPatch(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	if len(r.driver.Capabilities.PatchFields) == 0 {
		return
	}
	created, _ := r.create(t)
	if _, err := r.provider.PatchToken(t.Context(), created.Token.ID, providers.TokenPatch{}); err != nil {
		r.wantKind(t, "a patch of nothing", err, providers.Invalid)
	}
	same(t, "the token has changed", must(r.provider.Token(t.Context(), created.Token.ID))(t), created.Token)
}

func endedToken(t *testing.T, s subject) {
	s.inBubble(t, options{}, func(t *testing.T, r *rig) {
		created, chosen := r.create(t)
		if !r.driver.Capabilities.Expiry {
			time.Sleep(10 * 365 * 24 * time.Hour)
			r.wantStored(t, "a token that never ends", created.Token)
			return
		}
		time.Sleep(time.Until(*chosen.ExpiresAt) - time.Second)
		r.wantStored(t, "a token that has not ended", created.Token)
		// A provider may take a while to clean up, but not long.
		time.Sleep(time.Second + 5*time.Minute)
		r.wantGone(t, "a token that has ended", created.Token.ID)
	})
}
