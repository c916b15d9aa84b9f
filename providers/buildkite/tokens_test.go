package buildkite

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
	"regtok/providers/rest"
)

func TestWritesSayExactlyThis(t *testing.T) {
	const items = "/v2/packages/organizations/acme/registries/images/tokens"
	u := newWorld().upstream()
	a := u.account(t)
	readOne(t, a, "none")
	u.took()
	created, err := a.CreateToken(t.Context(), registryID, providers.TokenState{Name: `<ci> & "pull"/ключ`})
	if err != nil || created.Secret.Reveal() != "bkpt_secret" || created.Token.ID.Native != otherUUID {
		t.Errorf("CreateToken = %+v (secret %q), %v", created, created.Secret.Reveal(), err)
	}
	u.wantAsked(t, "create", `POST `+items+` {"description":"<ci> & \"pull\"/ключ"}`)
	patched, err := a.PatchToken(t.Context(), tokenID, providers.TokenPatch{Name: providers.Some("new")})
	if err != nil || patched.ID != tokenID {
		t.Errorf("PatchToken = %+v, %v", patched, err)
	}
	u.wantAsked(t, "patch", `POST `+items+`/`+tokenUUID+` {"description":"new"}`)
	if err := a.DeleteToken(t.Context(), tokenID); err != nil {
		t.Errorf("DeleteToken = %v", err)
	}
	u.wantAsked(t, "delete", `DELETE `+items+`/`+tokenUUID)
}

func TestWhatBuildkiteCannotDoSendsNothing(t *testing.T) {
	now, on := time.Now(), true
	u := newWorld().upstream()
	a := u.account(t)
	create := func(in providers.TokenState) error {
		_, err := a.CreateToken(t.Context(), registryID, in)
		return err
	}
	patch := func(in providers.TokenPatch) error {
		_, err := a.PatchToken(t.Context(), tokenID, in)
		return err
	}
	_, replaced := a.ReplaceToken(t.Context(), tokenID, providers.TokenState{Name: "ci"})
	for what, test := range map[string]struct {
		err   error
		kind  providers.Kind
		field string
	}{
		"replace":               {replaced, providers.Unsupported, ""},
		"create with an end":    {create(providers.TokenState{Name: "ci", ExpiresAt: &now}), providers.Unsupported, "EXPIRY"},
		"create with scopes":    {create(providers.TokenState{Name: "ci", Scopes: []providers.Scope{}}), providers.Unsupported, "SCOPES"},
		"create switched on":    {create(providers.TokenState{Name: "ci", Enabled: &on}), providers.Unsupported, "ENABLED"},
		"create without a name": {create(providers.TokenState{}), providers.Invalid, "NAME"},
		"patch of the end":      {patch(providers.TokenPatch{ExpiresAt: providers.Null[time.Time]()}), providers.Unsupported, "EXPIRY"},
		"patch to no name":      {patch(providers.TokenPatch{Name: providers.Null[string]()}), providers.Invalid, "NAME"},
		"patch to an empty one": {patch(providers.TokenPatch{Name: providers.Some("")}), providers.Invalid, "NAME"},
		"empty patch":           {patch(providers.TokenPatch{}), providers.Invalid, "NAME"},
	} {
		e, ok := errors.AsType[*providers.Error](test.err)
		if !ok || e.Kind != test.kind || e.Field != test.field || e.Provider != name {
			t.Errorf("%s = %v, want %s of field %q", what, test.err, test.kind, test.field)
		}
	}
	u.wantAsked(t, "all of it")
}

func TestAnIDThatBuildkiteCannotHaveMadeReachesNothing(t *testing.T) {
	u := newWorld().upstream()
	a := u.account(t)
	for _, native := range []string{
		"", "..", "a/b", tokenUUID + "/..", tokenUUID + "\n", strings.ToUpper(tokenUUID), "x" + tokenUUID, "%2e%2e",
	} {
		_, got := a.Token(t.Context(), registryID.TokenID(native))
		_, list := a.Tokens(t.Context(), orgID.RegistryID(native), providers.PageRequest{})
		_, registries := a.Registries(t.Context(), providers.OrganizationID(name, native), providers.PageRequest{})
		_, person := a.User(t.Context(), orgID, providers.UserID(name, native))
		_, patched := a.PatchToken(t.Context(), registryID.TokenID(native), providers.TokenPatch{Name: providers.Some("ci")})
		_, created := a.CreateToken(t.Context(), orgID.RegistryID(native), providers.TokenState{Name: "ci"})
		for op, err := range map[string]error{
			"Token": got, "Tokens": list, "Registries": registries, "User": person, "PatchToken": patched, "CreateToken": created,
			"DeleteToken": a.DeleteToken(t.Context(), registryID.TokenID(native)),
		} {
			if kindOf(err) != "NOT_FOUND" {
				t.Errorf("%s of %q = %v, want NOT_FOUND", op, native, err)
			}
		}
	}
	u.wantAsked(t, "all of it")
}

func TestAPatchIsRepeatedAndACreateIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		u := w.upstream()
		serve := u.answer
		posts := 0
		u.answer = func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				if posts++; posts == 1 {
					write(rw, 503, `{}`)
					return
				}
			}
			serve(rw, r)
		}
		opened, err := open(providers.Config{
			Account:  "main",
			Settings: providers.Settings{settingToken: providers.NewSecret("bkua_test")},
			Client:   &http.Client{Transport: rest.NewTransport(rest.TransportConfig{Provider: name, Account: "main", Base: u})},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = opened.PatchToken(t.Context(), tokenID, providers.TokenPatch{Name: providers.Some("ci")})
		if err != nil || posts != 2 {
			t.Errorf("the patch ended with %v after %d tries, want none after 2", err, posts)
		}
		posts = 0
		_, err = opened.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
		if kindOf(err) != "OUTCOME_UNKNOWN UNREACHABLE" || posts != 1 {
			t.Errorf("the create ended with %v after %d tries, want OUTCOME_UNKNOWN after 1", err, posts)
		}
	})
}

func TestASecretComesWithACreateAndNowhereElse(t *testing.T) {
	registry := `"registry":{"id":"` + registryUUID + `","slug":"my-registry"}`
	body := `{"id":"` + tokenUUID + `",` + registry + `,"token":"bkpt_canary"}`
	a := serves(map[string]string{"/tokens/" + tokenUUID: body, "/tokens": "[" + body + "]"}).account(t)
	page, errList := a.Tokens(t.Context(), registryID, providers.PageRequest{})
	one, errOne := a.Token(t.Context(), tokenID)
	patched, errPatch := a.PatchToken(t.Context(), tokenID, providers.TokenPatch{Name: providers.Some("ci")})
	text, err := json.Marshal([]any{page, one, patched})
	if err != nil || errList != nil || errOne != nil || errPatch != nil {
		t.Fatal(err, errList, errOne, errPatch)
	}
	if text := string(text) + fmt.Sprintf("%+v %+v %+v", page, one, patched); strings.Contains(text, "canary") {
		t.Errorf("a secret that should not have come was kept: %s", text)
	}

	a = serves(map[string]string{"/tokens": body}).account(t)
	created, err := a.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
	if err != nil || created.Secret.Reveal() != "bkpt_canary" || strings.Contains(fmt.Sprintf("%+v %#v", created, created), "canary") {
		t.Errorf("CreateToken = %+v, %v, want the secret, and it hidden", created, err)
	}
	for what, body := range map[string]string{
		"no secret":      `{"id":"` + tokenUUID + `",` + registry + `}`,
		"a null secret":  `{"id":"` + tokenUUID + `",` + registry + `,"token":null}`,
		"an odd secret":  `{"id":"` + tokenUUID + `",` + registry + `,"token":{"canary":1}}`,
		"no id":          `{` + registry + `,"token":"bkpt_canary"}`,
		"nothing":        `{}`,
		"half an answer": body[:40],
	} {
		a := serves(map[string]string{"/tokens": body}).account(t)
		_, err := a.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
		if kindOf(err) != "OUTCOME_UNKNOWN INVALID_RESPONSE" || strings.Contains(err.Error(), "canary") {
			t.Errorf("a create answered with %s = %v, want OUTCOME_UNKNOWN", what, err)
		}
	}
}
