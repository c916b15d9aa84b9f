package ionos

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/providers"
)

// recorded is an answer of the real API, out of the outputs that IONOS's Ansible module records; those have the API's
// camel-case keys in snake case.
func recorded(t testing.TB, file, key string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/recorded/" + file)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`"[a-z_]+":`).ReplaceAllFunc(text, func(key []byte) []byte {
		return regexp.MustCompile(`_[a-z]`).ReplaceAllFunc(key, func(part []byte) []byte {
			return []byte(strings.ToUpper(string(part[1:])))
		})
	})
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	return string(whole[key])
}

func TestRecordedAnswersAreRead(t *testing.T) {
	creator := &providers.User{ID: providers.UserID(name, "<USER_ID>"), Name: "<USER_EMAIL>"}
	zero := int64(0)
	registry := providers.Registry{
		ID: registryID, Name: "ansibletest123", Ecosystem: "container", State: providers.Provisioning,
		CreatedAt: time.Date(2023, 5, 29, 13, 51, 25, 0, time.UTC), CreatedBy: creator,
		Ionos: &providers.IonosRegistry{Location: "de/fra", RawState: "New", StorageBytes: &zero},
	}
	got, err := serves(200, recorded(t, "registry.json", "registry")).contracted(t).Registry(t.Context(), registryID)
	if diff := cmp.Diff(got, registry); err != nil || diff != "" {
		t.Errorf("the new registry differs, %v (-got +want):\n%s", err, diff)
	}
	listed := `{"items":` + recorded(t, "registry_info.json", "result") + `,"pagination":{"limit":100,"token":""}}`
	registries, err := serves(200, listed).contracted(t).Registries(t.Context(), orgID, providers.PageRequest{})
	registry.Ionos = &providers.IonosRegistry{Location: "de/fra", RawState: "WaitingForStorage", StorageBytes: &zero}
	if diff := cmp.Diff(registries.Items, []providers.Registry{registry}); err != nil || diff != "" {
		t.Errorf("the registries differ, %v (-got +want):\n%s", err, diff)
	}

	token := providers.Token{
		ID: tokenID, Name: "testRegistryToken", Enabled: true, Username: "testRegistryToken",
		Scopes:    []providers.Scope{{Type: "repo", Name: "nume", Actions: []string{"pull", "push"}}},
		CreatedAt: time.Date(2023, 5, 29, 13, 51, 29, 0, time.UTC), CreatedBy: creator,
	}
	created, err := serves(201, recorded(t, "registry_token.json", "registryToken")).contracted(t).
		CreateToken(t.Context(), registryID, providers.TokenState{Name: "testRegistryToken"})
	if diff := cmp.Diff(created.Token, token); err != nil || diff != "" || created.Secret.Reveal() != "<PASSWORD>" {
		t.Errorf("the created token differs, its secret is %q, %v (-got +want):\n%s", created.Secret.Reveal(), err, diff)
	}
	listed = `{"items":` + recorded(t, "registry_token_info.json", "result") + `,"count":1,"limit":100,"offset":0,"total":1}`
	tokens, err := serves(200, listed).contracted(t).Tokens(t.Context(), registryID, providers.PageRequest{})
	if diff := cmp.Diff(tokens.Items, []providers.Token{token}); err != nil || diff != "" {
		t.Errorf("the tokens differ, %v (-got +want):\n%s", err, diff)
	}
}

func TestATokenIsReadWhateverIsMissing(t *testing.T) {
	day := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	bare := providers.Token{ID: tokenID, Enabled: true, Scopes: []providers.Scope{}}
	ends := func(t *providers.Token) { t.ExpiresAt = day }
	for what, test := range map[string]struct {
		body string // without the id
		want func(*providers.Token)
	}{
		"nothing but an id": {``, func(*providers.Token) {}},
		"nulls": {`,"metadata":null,"properties":{"name":null,"credentials":null,"expiryDate":null,"scopes":null,"status":null}`,
			func(*providers.Token) {}},
		"null scopes and actions": {`,"properties":{"scopes":[{"type":"registry","name":"","actions":null},{}]}`,
			func(t *providers.Token) { t.Scopes = []providers.Scope{{}, {Type: "registry"}} }},
		"scopes in any order": {`,"properties":{"scopes":[{"type":"b","name":"x","actions":["push","pull"]},{"type":"a","name":"z","actions":["q"]},
			{"type":"a","name":"y","actions":["q"]},{"type":"a","name":"y","actions":["p"]}]}`,
			func(t *providers.Token) {
				t.Scopes = []providers.Scope{
					{Type: "a", Name: "y", Actions: []string{"p"}}, {Type: "a", Name: "y", Actions: []string{"q"}},
					{Type: "a", Name: "z", Actions: []string{"q"}}, {Type: "b", Name: "x", Actions: []string{"pull", "push"}},
				}
			}},
		"disabled":                    {`,"properties":{"status":"disabled"}`, func(t *providers.Token) { t.Enabled = false }},
		"disabled in capitals":        {`,"properties":{"status":"DISABLED"}`, func(t *providers.Token) { t.Enabled = false }},
		"disabled in its state alone": {`,"metadata":{"state":"disabled"}`, func(t *providers.Token) { t.Enabled = false }},
		"enabled, whatever its state": {`,"metadata":{"state":"disabled"},"properties":{"status":"enabled"}`, func(*providers.Token) {}},
		"a status that is new to us":  {`,"properties":{"status":"resting"}`, func(*providers.Token) {}},
		"an end":                      {`,"properties":{"expiryDate":"2027-01-31T12:00:00Z"}`, ends},
		"an end without a zone":       {`,"properties":{"expiryDate":"2027-01-31T12:00:00"}`, ends},
		"an end elsewhere":            {`,"properties":{"expiryDate":"2027-01-31T13:00:00.000+01:00"}`, ends},
		"an end that is empty":        {`,"properties":{"expiryDate":""}`, func(*providers.Token) {}},
		"a name without credentials": {`,"properties":{"name":"ci"}`,
			func(t *providers.Token) { t.Name, t.Username = "ci", "ci" }},
		"a user name of its own": {`,"properties":{"name":"ci","credentials":{"username":"u","password":""}}`,
			func(t *providers.Token) { t.Name, t.Username = "ci", "u" }},
		"a creator without an id":  {`,"metadata":{"createdBy":"ada@acme.test","createdByUserId":""}`, func(*providers.Token) {}},
		"a creator with an odd id": {`,"metadata":{"createdBy":"ada@acme.test","createdByUserId":"a\u0000b"}`, func(*providers.Token) {}},
		"a creator with a URN for one": {`,"metadata":{"createdBy":"ionos:identity:::users/x","createdByUserId":"` + userUUID + `"}`,
			func(t *providers.Token) { t.CreatedBy = &providers.User{ID: userID, Name: "ionos:identity:::users/x"} }},
		"a change": {`,"metadata":{"lastModifiedBy":"ada@acme.test","lastModifiedByUserId":"` + userUUID + `","lastModifiedDate":"2027-01-31T12:00:00"}`,
			func(t *providers.Token) {
				t.UpdatedAt, t.UpdatedBy = day, &providers.User{ID: userID, Name: "ada@acme.test"}
			}},
	} {
		t.Run(what, func(t *testing.T) {
			want := bare
			test.want(&want)
			got, err := serves(200, `{"id":"`+tokenUUID+`"`+test.body+`}`).contracted(t).Token(t.Context(), tokenID)
			if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("the token differs, %v (-got +want):\n%s", err, diff)
			}
			if got.Scopes == nil {
				t.Error("scopes are nil, want a list")
			}
		})
	}
}

func TestAnAnswerThatCannotBeTrueIsRefused(t *testing.T) {
	for what, body := range map[string]string{
		"no id":              `{}`,
		"a null id":          `{"id":null}`,
		"another id":         `{"id":"` + otherUUID + `"}`,
		"an id of a number":  `{"id":7}`,
		"an id like a path":  `{"id":"../x"}`,
		"a list":             `[{"id":"` + tokenUUID + `"}]`,
		"null":               `null`,
		"nothing":            ``,
		"no JSON":            `<html>`,
		"an unreadable time": `{"id":"` + tokenUUID + `","metadata":{"createdDate":"yesterday"}}`,
	} {
		t.Run(what, func(t *testing.T) {
			a := serves(200, body).contracted(t)
			_, token := a.Token(t.Context(), tokenID)
			_, registry := a.Registry(t.Context(), registryID)
			_, user := a.User(t.Context(), orgID, userID)
			_, tokens := a.Tokens(t.Context(), registryID, providers.PageRequest{})
			_, registries := a.Registries(t.Context(), orgID, providers.PageRequest{})
			_, users := a.Users(t.Context(), orgID, providers.PageRequest{})
			for op, err := range map[string]error{
				"Token": token, "Registry": registry, "User": user, "Tokens": tokens, "Registries": registries, "Users": users,
			} {
				if kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" {
					t.Errorf("%s = %v, want UNAVAILABLE", op, err)
				}
			}
			_, put := a.ReplaceToken(t.Context(), tokenID, providers.TokenState{Name: "ci"})
			_, patched := a.PatchToken(t.Context(), tokenID, providers.TokenPatch{Enabled: providers.Some(true)})
			for op, err := range map[string]error{"ReplaceToken": put, "PatchToken": patched} {
				if kindOf(err) != "OUTCOME_UNKNOWN INVALID_RESPONSE" {
					t.Errorf("%s = %v, want OUTCOME_UNKNOWN", op, err)
				}
			}
		})
	}
}

func TestARegistryIsReadInEveryState(t *testing.T) {
	for word, want := range map[string]providers.RegistryState{
		"Running": providers.Ready, "RUNNING": providers.Ready, "New": providers.Provisioning,
		"WaitingForStorage": providers.Provisioning, "waitingforstorage": providers.Provisioning,
		"FAILED": providers.Failed, "FailedDeleting": providers.Failed,
		"": providers.UnknownState, "BUSY": providers.UnknownState, "Deleting": providers.UnknownState,
	} {
		body := fmt.Sprintf(`{"id":%q,"metadata":{"state":%q}}`, registryUUID, word)
		got, err := serves(200, body).contracted(t).Registry(t.Context(), registryID)
		if err != nil || got.State != want || got.Ionos.RawState != word {
			t.Errorf("the state %q is %s (%q), %v, want %s", word, got.State, got.Ionos.RawState, err, want)
		}
	}
	on, size := true, int64(1)<<40
	want := providers.Registry{
		ID: registryID, Name: "acme-images", Ecosystem: "container", Host: "acme-images.cr.de-fra.ionos.com", State: providers.Ready,
		Ionos: &providers.IonosRegistry{
			Location: "de/fra", RawState: "Running", StorageBytes: &size,
			APISubnetAllowList: []string{"10.0.0.0/8"}, VulnerabilityScanning: &on,
		},
	}
	got, err := serves(200, `{"id":"`+registryUUID+`","type":"registry","href":"","metadata":{"state":"Running"},
		"properties":{"name":"acme-images","location":"de/fra","hostname":"acme-images.cr.de-fra.ionos.com",
		"garbageCollectionSchedule":{"days":null,"time":"04:17:00+00:00"},"maintenanceWindow":{},
		"storageUsage":{"bytes":1099511627776,"updatedAt":null},"features":{"vulnerabilityScanning":{"enabled":true}},
		"apiSubnetAllowList":["10.0.0.0/8"]}}`).contracted(t).Registry(t.Context(), registryID)
	if diff := cmp.Diff(got, want); err != nil || diff != "" {
		t.Errorf("the registry differs, %v (-got +want):\n%s", err, diff)
	}
}

func TestUsersAreReadWithAndWithoutProperties(t *testing.T) {
	for body, want := range map[string]providers.User{
		`{"id":"` + userUUID + `","type":"user","metadata":{"createdDate":"2020-01-02T03:04:05.678Z"},
			"properties":{"firstname":"Ada","lastname":"Lovelace","email":"ada@acme.test","administrator":true}}`: {
			ID: userID, Name: "Ada Lovelace", Email: "ada@acme.test", Complete: true,
			CreatedAt: time.Date(2020, 1, 2, 3, 4, 5, 678e6, time.UTC),
		},
		`{"id":"` + userUUID + `","properties":{"firstname":null,"lastname":"Lovelace"}}`: {ID: userID, Name: "Lovelace", Complete: true},
		`{"id":"` + userUUID + `","href":"https://x"}`:                                    {ID: userID},
		`{"id":"` + userUUID + `","metadata":null,"properties":null}`:                     {ID: userID},
	} {
		got, err := serves(200, body).contracted(t).User(t.Context(), orgID, userID)
		if diff := cmp.Diff(got, want); err != nil || diff != "" {
			t.Errorf("the user of %s differs, %v (-got +want):\n%s", body, err, diff)
		}
	}
}

func FuzzWhateverComesIsTokensOrAnError(f *testing.F) {
	f.Add(`{"items":` + recorded(f, "registry_token_info.json", "result") + `,"total":1}`)
	f.Add(`{"items":null,"total":0,"count":0,"offset":0,"limit":100,"_links":{"next":"","previous":"","self":""}}`)
	f.Add(`{"items":[{"id":"` + tokenUUID + `","properties":{"scopes":[{"actions":null}],"expiryDate":"2027-01-31T12:00:00"}}],"total":7}`)
	f.Fuzz(func(t *testing.T, body string) {
		u := serves(200, body)
		page, err := u.contracted(t).Tokens(t.Context(), registryID, providers.PageRequest{})
		if asked := u.took(); len(asked) > 3 {
			t.Errorf("%q takes %d requests", body, len(asked))
		}
		if err != nil {
			if providers.KindOf(err) == "" {
				t.Errorf("%q gives an error without a kind: %v", body, err)
			}
			return
		}
		for _, token := range page.Items {
			if id, err := providers.ParseID(token.ID.String()); err != nil || id != token.ID || id.OfRegistry() != registryID {
				t.Errorf("%q gives the id %+v", body, token.ID)
			}
			if token.CreatedBy != nil {
				if id, err := providers.ParseID(token.CreatedBy.ID.String()); err != nil || id != token.CreatedBy.ID {
					t.Errorf("%q gives the creator %+v", body, token.CreatedBy)
				}
			}
			if _, err := json.Marshal(token); err != nil {
				t.Errorf("%q gives a token that cannot be written: %v", body, err)
			}
		}
	})
}

func FuzzWhateverComesIsRegistriesOrAnError(f *testing.F) {
	f.Add(`{"items":` + recorded(f, "registry_info.json", "result") + `,"pagination":{"limit":100,"token":""},"_links":{"next":""}}`)
	f.Add(`{"items":[],"pagination":{"limit":100,"token":"x"}}`)
	f.Add(`{"items":[{"id":"` + registryUUID + `"}],"_links":{"next":"/registries?pagination.token=%zz"},"pagination":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		u := serves(200, body)
		page, err := u.contracted(t).Registries(t.Context(), orgID, providers.PageRequest{})
		if asked := u.took(); len(asked) > 2 {
			t.Errorf("%q takes %d requests", body, len(asked))
		}
		if err != nil {
			if providers.KindOf(err) == "" {
				t.Errorf("%q gives an error without a kind: %v", body, err)
			}
			return
		}
		ids := []string{}
		for _, registry := range page.Items {
			if !valid(registry.ID, providers.RegistryKind) || slices.Contains(ids, registry.ID.Native) {
				t.Errorf("%q gives the id %+v, or gives it twice", body, registry.ID)
			}
			ids = append(ids, registry.ID.Native)
		}
	})
}
