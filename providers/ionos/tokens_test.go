package ionos

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

const (
	tokensPath = "/containerregistries/registries/" + registryUUID + "/tokens"
	tokenPath  = tokensPath + "/" + tokenUUID
)

// answered is a token as IONOS answers writes with it.
func answered(password string) string {
	return fmt.Sprintf(`{"id":%q,"type":"token","href":"","metadata":{"state":"enabled"},
		"properties":{"name":"ci-push","status":"enabled","credentials":{"username":"ci-push","password":%q}}}`, tokenUUID, password)
}

func scopes() []providers.Scope {
	return []providers.Scope{
		{Type: "repository", Name: "team/<app>", Actions: []string{"push", "pull"}}, {Type: "registry", Name: "*"},
	}
}

func TestACreateSaysExactlyThis(t *testing.T) {
	off, on := false, true
	end := time.Date(2027, 1, 31, 13, 0, 0, 999e6, time.FixedZone("", 3600))
	for want, in := range map[string]providers.TokenState{
		`{"properties":{"name":"ci-push"}}`: {Name: "ci-push"},
		`{"properties":{"name":"ci-push","expiryDate":"2027-01-31T12:00:00Z","status":"enabled","scopes":[` +
			`{"type":"repository","name":"team/<app>","actions":["push","pull"]},{"type":"registry","name":"*","actions":[]}]}}`: {
			Name: "ci-push", ExpiresAt: &end, Scopes: scopes(), Enabled: &on,
		},
		`{"properties":{"name":"ci-push","status":"disabled","scopes":[]}}`: {
			Name: "ci-push", Scopes: []providers.Scope{}, Enabled: &off,
		},
	} {
		u := serves(201, answered("shown once"))
		created, err := u.contracted(t).CreateToken(t.Context(), registryID, in)
		if err != nil || created.Token.ID != tokenID || created.Secret.Reveal() != "shown once" {
			t.Errorf("CreateToken = %+v (secret %q), %v", created, created.Secret.Reveal(), err)
		}
		u.wantAsked(t, "create", "POST "+tokensPath+" "+want)
	}
}

func TestAReplaceSaysEverything(t *testing.T) {
	off := false
	end := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	for want, in := range map[string]providers.TokenState{
		`{"properties":{"name":"ci-push","expiryDate":null,"status":"enabled","scopes":[]}}`: {Name: "ci-push"},
		`{"properties":{"name":"ci-push","expiryDate":"2027-01-31T12:00:00Z","status":"disabled","scopes":[` +
			`{"type":"repository","name":"team/<app>","actions":["push","pull"]},{"type":"registry","name":"*","actions":[]}]}}`: {
			Name: "ci-push", ExpiresAt: &end, Scopes: scopes(), Enabled: &off,
		},
	} {
		u := serves(201, answered(""))
		replaced, err := u.contracted(t).ReplaceToken(t.Context(), tokenID, in)
		if err != nil || replaced.Token.ID != tokenID || !replaced.Secret.Empty() {
			t.Errorf("ReplaceToken = %+v, %v, want no secret", replaced, err)
		}
		u.wantAsked(t, "replace", "PUT "+tokenPath+" "+want)
	}
	replaced, err := serves(201, answered("new")).contracted(t).ReplaceToken(t.Context(), tokenID, providers.TokenState{Name: "ci"})
	if err != nil || replaced.Secret.Reveal() != "new" {
		t.Errorf("a replace that creates has the secret %q, %v, want new", replaced.Secret.Reveal(), err)
	}
}

func TestAPatchSaysOnlyWhatIsSet(t *testing.T) {
	end := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	for want, patch := range map[string]providers.TokenPatch{
		`{"status":"disabled"}`:                 {Enabled: providers.Some(false)},
		`{"status":"enabled"}`:                  {Enabled: providers.Some(true)},
		`{"expiryDate":null}`:                   {ExpiresAt: providers.Null[time.Time]()},
		`{"expiryDate":"2027-01-31T12:00:00Z"}`: {ExpiresAt: providers.Some(end)},
		`{"scopes":[]}`:                         {Scopes: providers.Null[[]providers.Scope]()},
		`{"expiryDate":null,"scopes":[{"type":"repository","name":"team/<app>","actions":["push","pull"]},` +
			`{"type":"registry","name":"*","actions":[]}],"status":"enabled"}`: {
			ExpiresAt: providers.Null[time.Time](), Scopes: providers.Some(scopes()), Enabled: providers.Some(true),
		},
	} {
		u := serves(200, answered(""))
		patched, err := u.contracted(t).PatchToken(t.Context(), tokenID, patch)
		if err != nil || patched.ID != tokenID {
			t.Errorf("PatchToken = %+v, %v", patched, err)
		}
		u.wantAsked(t, "patch", "PATCH "+tokenPath+" "+want)
	}
}

func TestADeleteReadsNothing(t *testing.T) {
	for _, status := range []int{200, 202, 204} {
		u := serves(status, "")
		if err := u.contracted(t).DeleteToken(t.Context(), tokenID); err != nil {
			t.Errorf("a delete answered with %d = %v, want none", status, err)
		}
		u.wantAsked(t, "delete", "DELETE "+tokenPath)
	}
}

func TestWhatIonosCannotDoSendsNothing(t *testing.T) {
	u := serves(500, "")
	a := u.contracted(t)
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	create := func(in providers.TokenState) error {
		_, err := a.CreateToken(t.Context(), registryID, in)
		return err
	}
	replace := func(in providers.TokenState) error {
		_, err := a.ReplaceToken(t.Context(), tokenID, in)
		return err
	}
	patch := func(in providers.TokenPatch) error {
		_, err := a.PatchToken(t.Context(), tokenID, in)
		return err
	}
	for what, test := range map[string]struct {
		err   error
		kind  providers.Kind
		field string
	}{
		"patch of the name":      {patch(providers.TokenPatch{Name: providers.Some("ci")}), providers.Unsupported, "NAME"},
		"empty patch":            {patch(providers.TokenPatch{}), providers.Invalid, ""},
		"patch to neither":       {patch(providers.TokenPatch{Enabled: providers.Null[bool]()}), providers.Invalid, "ENABLED"},
		"patch to a far end":     {patch(providers.TokenPatch{ExpiresAt: providers.Some(far)}), providers.Invalid, "EXPIRY"},
		"create with a far end":  {create(providers.TokenState{Name: "ci", ExpiresAt: &far}), providers.Invalid, "EXPIRY"},
		"replace with a far end": {replace(providers.TokenState{Name: "ci", ExpiresAt: &far}), providers.Invalid, "EXPIRY"},
		"create without a name":  {create(providers.TokenState{}), providers.Invalid, "NAME"},
		"replace without a name": {replace(providers.TokenState{}), providers.Invalid, "NAME"},
	} {
		e, ok := errors.AsType[*providers.Error](test.err)
		if !ok || e.Kind != test.kind || e.Field != test.field || e.Provider != name {
			t.Errorf("%s = %v, want %s of field %q", what, test.err, test.kind, test.field)
		}
	}
	for _, odd := range []string{
		"a", "-a", "a-", "1a", "a b", "a/b", "..", "%2f", "ключ", "a\n", "a_b", strings.Repeat("a", 64),
	} {
		for op, err := range map[string]error{
			"create": create(providers.TokenState{Name: odd}), "replace": replace(providers.TokenState{Name: odd}),
		} {
			if e, ok := errors.AsType[*providers.Error](err); !ok || e.Kind != providers.Invalid || e.Field != "NAME" {
				t.Errorf("%s with the name %q = %v, want INVALID of NAME", op, odd, err)
			}
		}
	}
	u.wantAsked(t, "all of it")
	for _, good := range []string{"ab", "A1", "a-b", strings.Repeat("a", 63)} {
		if err := create(providers.TokenState{Name: good}); kindOf(err) != "OUTCOME_UNKNOWN UNREACHABLE" {
			t.Errorf("create with the name %q = %v, want it sent", good, err)
		}
	}
}

func TestAnIDThatIsNotThisAccountsReachesNothing(t *testing.T) {
	u := serves(500, "")
	a := u.contracted(t)
	check := func(organization providers.ID, registry, token string) {
		t.Helper()
		registryID := organization.RegistryID(registry)
		tokenID := registryID.TokenID(token)
		_, got := a.Token(t.Context(), tokenID)
		_, put := a.ReplaceToken(t.Context(), tokenID, providers.TokenState{Name: "ci"})
		_, patched := a.PatchToken(t.Context(), tokenID, providers.TokenPatch{Enabled: providers.Some(true)})
		failures := map[string]error{
			"Token": got, "ReplaceToken": put, "PatchToken": patched, "DeleteToken": a.DeleteToken(t.Context(), tokenID),
		}
		if organization != orgID || registry != registryUUID {
			_, failures["Tokens"] = a.Tokens(t.Context(), registryID, providers.PageRequest{})
			_, failures["Registry"] = a.Registry(t.Context(), registryID)
			_, failures["CreateToken"] = a.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
		}
		if organization != orgID {
			_, failures["Registries"] = a.Registries(t.Context(), organization, providers.PageRequest{})
			_, failures["Users"] = a.Users(t.Context(), organization, providers.PageRequest{})
			_, failures["User"] = a.User(t.Context(), organization, userID)
		}
		for op, err := range failures {
			want := "NOT_FOUND"
			if op == "ReplaceToken" && !rest.IsUUID(token) && rest.IsUUID(registry) {
				want = "INVALID" // it would be a new token's
			}
			if kindOf(err) != want {
				t.Errorf("%s of %q, %q, %q = %v, want %s", op, organization.Native, registry, token, err, want)
			}
		}
	}
	for _, odd := range []string{"", "..", "a/b", tokenUUID + "/..", tokenUUID + "\n", "x" + tokenUUID, "%2e%2e"} {
		check(orgID, registryUUID, odd)
		check(orgID, odd, tokenUUID)
	}
	check(providers.OrganizationID(name, "31884392"), registryUUID, tokenUUID)
	check(providers.OrganizationID(name, ""), registryUUID, tokenUUID)
	check(providers.OrganizationID("buildkite", number), registryUUID, tokenUUID)
	u.wantAsked(t, "all of it")
}

func TestAPatchIsRepeatedAndWhatMayCreateIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		u := &upstream{answer: func(w http.ResponseWriter, _ *http.Request) {
			if tries++; tries == 1 {
				write(w, 503, `{}`)
				return
			}
			write(w, 200, answered(""))
		}}
		opened, err := open(providers.Config{
			Account:  "main",
			Settings: providers.Settings{settingToken: providers.NewSecret("x"), settingContract: providers.NewSecret(number)},
			Client:   &http.Client{Transport: rest.NewTransport(rest.TransportConfig{Provider: name, Account: "main", Base: u})},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = opened.PatchToken(t.Context(), tokenID, providers.TokenPatch{Enabled: providers.Some(true)})
		if err != nil || tries != 2 {
			t.Errorf("the patch ended with %v after %d tries, want none after 2", err, tries)
		}
		tries = 0
		_, err = opened.CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
		if kindOf(err) != "OUTCOME_UNKNOWN UNREACHABLE" || tries != 1 {
			t.Errorf("the create ended with %v after %d tries, want OUTCOME_UNKNOWN after 1", err, tries)
		}
		tries = 0
		_, err = opened.ReplaceToken(t.Context(), tokenID, providers.TokenState{Name: "ci"})
		if kindOf(err) != "OUTCOME_UNKNOWN UNREACHABLE" || tries != 1 {
			t.Errorf("the replace ended with %v after %d tries, want OUTCOME_UNKNOWN after 1", err, tries)
		}
	})
}

func TestASecretComesWithANewTokenAndNowhereElse(t *testing.T) {
	body := answered("canary")
	list := `{"items":[` + body + `],"total":1}`
	one, errOne := serves(200, body).contracted(t).Token(t.Context(), tokenID)
	page, errList := serves(200, list).contracted(t).Tokens(t.Context(), registryID, providers.PageRequest{})
	patch := providers.TokenPatch{Enabled: providers.Some(true)}
	patched, errPatch := serves(200, body).contracted(t).PatchToken(t.Context(), tokenID, patch)
	text, err := json.Marshal([]any{page, one, patched})
	if err != nil || errOne != nil || errList != nil || errPatch != nil {
		t.Fatal(err, errOne, errList, errPatch)
	}
	if text := string(text) + fmt.Sprintf("%+v %+v %+v", page, one, patched); strings.Contains(text, "canary") {
		t.Errorf("a secret that should not have come was kept: %s", text)
	}
	for what, body := range map[string]string{
		"an empty secret": answered(""),
		"no credentials":  `{"id":"` + tokenUUID + `","properties":{"name":"ci"}}`,
		"an odd secret":   `{"id":"` + tokenUUID + `","properties":{"credentials":{"password":{"canary":1}}}}`,
		"no id":           `{"properties":{"credentials":{"password":"canary"}}}`,
		"nothing":         `{}`,
		"half an answer":  body[:60],
	} {
		_, err := serves(201, body).contracted(t).CreateToken(t.Context(), registryID, providers.TokenState{Name: "ci"})
		if kindOf(err) != "OUTCOME_UNKNOWN INVALID_RESPONSE" || strings.Contains(err.Error(), "canary") {
			t.Errorf("a create answered with %s = %v, want OUTCOME_UNKNOWN", what, err)
		}
	}
}
