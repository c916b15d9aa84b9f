package ionos

import (
	"errors"
	"testing"

	"regtok/providers"
	"regtok/providers/rest"
)

func TestErrorBodiesAreExplained(t *testing.T) {
	for body, want := range map[string]string{
		`{"httpStatus":401,"messages":[{"errorCode":"paas-auth-1","message":"Unauthorized, wrong key"}]}`:         "Unauthorized, wrong key",
		`{"httpStatus":422,"messages":[{"errorCode":"200","message":"one"},{"errorCode":"201","message":"two"}]}`: "one; two",
		`{"httpStatus":422,"messages":[{"errorCode":"200","message":""},{"message":"two"}]}`:                      "two",
		`{"httpStatus":400,"messages":null}`:                "",
		`{"httpStatus":"x","messages":[{"message":"one"}]}`: "one",
		`{"messages":"down"}`:                               "",
		`{"msg":"Not Found"}`:                               "Not Found",
		`{"msg":7}`:                                         "",
		`<html>Bad Gateway</html>`:                          "",
		``:                                                  "",
	} {
		if got := explain(400, nil, []byte(body)); got != (rest.Explanation{Message: want}) {
			t.Errorf("%s is explained as %+v, want the message %q", body, got, want)
		}
	}
}

func TestARefusalIsAboutTheOnlyPropertyThatItNames(t *testing.T) {
	for message, want := range map[string]providers.TokenField{
		"expiryDate is too early: it must be at least 1h0m0s in the future": providers.FieldExpiry,
		"'status' is neither enabled nor disabled":                          providers.FieldEnabled,
		"[VDC-1] properties.scopes.0.type: required":                        providers.FieldScopes,
		"name: name is too long":                                            providers.FieldName,
		"name and scopes do not go together":                                "",
		"a username is no property":                                         "",
		"Bad Request":                                                       "",
	} {
		body := `{"httpStatus":400,"messages":[{"errorCode":"1","message":"` + message + `"}]}`
		if got := explain(400, nil, []byte(body)).Field; got != string(want) {
			t.Errorf("%q is about %q, want %q", message, got, want)
		}
		if got := explain(403, nil, []byte(body)).Field; got != "" {
			t.Errorf("%q with 403 is about %q, want nothing of the input", message, got)
		}
	}
}

func TestARefusalNamesThePrivilegeOfTheRegistryAPI(t *testing.T) {
	a := serves(403, `{"httpStatus":403,"messages":[{"errorCode":"paas-auth-2","message":"no"}]}`).contracted(t)
	_, token := a.Token(t.Context(), tokenID)
	_, tokens := a.Tokens(t.Context(), registryID, providers.PageRequest{})
	_, registry := a.Registry(t.Context(), registryID)
	_, registries := a.Registries(t.Context(), orgID, providers.PageRequest{})
	_, created := a.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
	_, replaced := a.ReplaceToken(t.Context(), tokenID, providers.TokenState{Name: "ci"})
	_, patched := a.PatchToken(t.Context(), tokenID, providers.TokenPatch{Enabled: providers.Some(true)})
	_, users := a.Users(t.Context(), orgID, providers.PageRequest{})
	_, user := a.User(t.Context(), orgID, userID)
	for op, err := range map[string]error{
		"Token": token, "Tokens": tokens, "Registry": registry, "Registries": registries, "CreateToken": created,
		"ReplaceToken": replaced, "PatchToken": patched, "DeleteToken": a.DeleteToken(t.Context(), tokenID), "Users": users, "User": user,
	} {
		want := manageRegistries
		if op == "Users" || op == "User" {
			want = ""
		}
		e, ok := errors.AsType[*providers.Error](err)
		if !ok || e.Kind != providers.Forbidden || e.RequiredScope != want || e.Message != "no" {
			t.Errorf("%s = %+v, want FORBIDDEN with scope %q", op, e, want)
		}
	}
}
