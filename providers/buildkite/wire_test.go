package buildkite

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/providers"
)

// serves answers every path that ends so with its body, and the look-ups of the sample's organization and registry.
func serves(bodies map[string]string) *upstream {
	return &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		for suffix, body := range bodies {
			if strings.HasSuffix(r.URL.Path, suffix) {
				write(w, 200, body)
				return
			}
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/organizations"):
			write(w, 200, `[{"id":"`+orgUUID+`","slug":"my_great_org","name":"My Great Org"}]`)
		case strings.HasSuffix(r.URL.Path, "/registries"):
			write(w, 200, `[{"id":"`+registryUUID+`","slug":"my-registry","name":"My Registry"}]`)
		default:
			write(w, 404, `{}`)
		}
	}}
}

func sample(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func sampleToken() providers.Token {
	return providers.Token{
		ID:        tokenID,
		Name:      "Usher",
		Enabled:   true,
		Username:  "buildkite",
		Scopes:    []providers.Scope{{Type: "registry", Name: "my-registry", Actions: []string{"read_packages"}, Implicit: true}},
		CreatedAt: time.Date(2024, 9, 3, 6, 46, 39, 441e6, time.UTC),
		CreatedBy: &providers.User{
			ID:        userID,
			Name:      "Eminem",
			Email:     "eminem@buildkite.com",
			CreatedAt: time.Date(2024, 9, 2, 5, 35, 23, 318e6, time.UTC),
			Complete:  true,
		},
	}
}

func TestTheSamplesOfTheDocumentationAreRead(t *testing.T) {
	a := serves(map[string]string{
		"/registries/my-registry/tokens":              sample(t, "tokens.json"),
		"/registries/my-registry/tokens/" + tokenUUID: sample(t, "token.json"),
	}).account(t)
	page, err := a.Tokens(t.Context(), registryID, providers.PageRequest{})
	want := providers.Page[providers.Token]{Items: []providers.Token{sampleToken()}}
	if diff := cmp.Diff(page, want); err != nil || diff != "" {
		t.Errorf("the list differs, %v (-got +want):\n%s", err, diff)
	}
	token, err := a.Token(t.Context(), tokenID)
	if diff := cmp.Diff(token, sampleToken()); err != nil || diff != "" {
		t.Errorf("the token differs, %v (-got +want):\n%s", err, diff)
	}
}

func TestATokenIsReadWhateverIsMissing(t *testing.T) {
	registry := `"registry":{"id":"` + registryUUID + `","slug":"my-registry"}`
	bare := sampleToken()
	bare.Name, bare.CreatedAt, bare.CreatedBy = "0191b6a2", time.Time{}, nil
	for what, test := range map[string]struct {
		body string
		want func(*providers.Token)
	}{
		"nothing but ids": {`{"id":"` + tokenUUID + `",` + registry + `}`, func(*providers.Token) {}},
		"nulls": {
			`{"id":"` + tokenUUID + `","description":null,"created_at":null,"created_by":null,"organization":null,"token":null,` + registry + `}`,
			func(*providers.Token) {},
		},
		"an empty description": {`{"id":"` + tokenUUID + `","description":"",` + registry + `}`, func(*providers.Token) {}},
		"a description of other scripts": {
			`{"id":"` + tokenUUID + `","description":"ключ/%2f..\u0000🔑",` + registry + `}`,
			func(t *providers.Token) { t.Name = "ключ/%2f..\x00🔑" },
		},
		"a creator without an id": {
			`{"id":"` + tokenUUID + `","created_by":{"name":"somebody"},` + registry + `}`, func(*providers.Token) {},
		},
		"a creator with a picture": {
			`{"id":"` + tokenUUID + `","created_by":{"id":"` + userUUID + `","avatar_url":"https://example.com/a.png"},` + registry + `}`,
			func(t *providers.Token) {
				t.CreatedBy = &providers.User{ID: userID, AvatarURL: "https://example.com/a.png", Complete: true}
			},
		},
		"a time without a zone": {
			`{"id":"` + tokenUUID + `","created_at":"2024-09-03T06:46:39",` + registry + `}`,
			func(t *providers.Token) { t.CreatedAt = time.Date(2024, 9, 3, 6, 46, 39, 0, time.UTC) },
		},
	} {
		t.Run(what, func(t *testing.T) {
			a := serves(map[string]string{"/tokens/" + tokenUUID: test.body}).account(t)
			want := bare
			test.want(&want)
			got, err := a.Token(t.Context(), tokenID)
			if diff := cmp.Diff(got, want); err != nil || diff != "" {
				t.Errorf("the token differs, %v (-got +want):\n%s", err, diff)
			}
		})
	}
}

func TestATokenThatCannotBeTrueIsRefused(t *testing.T) {
	registry := `"registry":{"id":"` + registryUUID + `","slug":"my-registry"}`
	for what, body := range map[string]string{
		"no id":               `{` + registry + `}`,
		"an id of a number":   `{"id":7,` + registry + `}`,
		"another id":          `{"id":"` + otherUUID + `",` + registry + `}`,
		"an id like a path":   `{"id":"../x",` + registry + `}`,
		"no registry":         `{"id":"` + tokenUUID + `"}`,
		"an odd registry":     `{"id":"` + tokenUUID + `","registry":{"id":"x"}}`,
		"an unreadable time":  `{"id":"` + tokenUUID + `","created_at":"yesterday",` + registry + `}`,
		"a list":              `[]`,
		"null":                `null`,
		"no JSON":             `<html>`,
		"a creator in a list": `{"id":"` + tokenUUID + `","created_by":[],` + registry + `}`,
	} {
		t.Run(what, func(t *testing.T) {
			a := serves(map[string]string{"/tokens/" + tokenUUID: body, "/tokens": "[" + body + "]"}).account(t)
			if got, err := a.Token(t.Context(), tokenID); kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" {
				t.Errorf("Token = %+v, %v, want UNAVAILABLE", got, err)
			}
			page, err := a.Tokens(t.Context(), registryID, providers.PageRequest{})
			if what != "another id" && kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" {
				t.Errorf("Tokens = %+v, %v, want UNAVAILABLE", page, err)
			}
		})
	}
}

func TestARegistryIsReadWhateverIsMissing(t *testing.T) {
	bare := providers.Registry{
		ID: registryID, Slug: "images", Host: "packages.buildkite.com/acme/images", State: providers.Ready,
		Buildkite: &providers.BuildkiteRegistry{},
	}
	whole := providers.Registry{
		ID: registryID, Slug: "images", Name: "Images", Description: "what we ship", Ecosystem: "container",
		Host: "packages.buildkite.com/acme/images", Public: true, State: providers.Ready, WebURL: "https://buildkite.com/x",
		Buildkite: &providers.BuildkiteRegistry{
			Emoji: ":snake:", Color: "#f0ccff", OIDCPolicy: "- iss: x\n", TeamIDs: []string{otherUUID},
		},
	}
	list := bare
	list.Buildkite = &providers.BuildkiteRegistry{OIDCPolicy: `[{"iss":"x"}]`}
	for what, test := range map[string]struct {
		body string
		want providers.Registry
	}{
		"nothing but names": {`{"id":"` + registryUUID + `","slug":"images"}`, bare},
		"nulls": {`{"id":"` + registryUUID + `","slug":"images","name":null,"description":null,"emoji":null,"color":null,
			"oidc_policy":null,"team_ids":null,"public":null}`, bare},
		"everything": {`{"id":"` + registryUUID + `","graphql_id":"x","slug":"images","url":"http://x","web_url":"https://buildkite.com/x",
			"name":"Images","ecosystem":"container","description":"what we ship","emoji":":snake:","color":"#f0ccff","public":true,
			"oidc_policy":"- iss: x\n","type":"source","team_ids":["` + otherUUID + `"],"new":{"field":[1]}}`, whole},
		"a policy as a list": {`{"id":"` + registryUUID + `","slug":"images","oidc_policy":[{"iss":"x"}]}`, list},
	} {
		t.Run(what, func(t *testing.T) {
			a := serves(map[string]string{
				"/organizations":  `[{"id":"` + orgUUID + `","slug":"acme"}]`,
				"acme/registries": "[" + test.body + "]",
			}).account(t)
			got, err := a.Registry(t.Context(), registryID)
			if diff := cmp.Diff(got, test.want, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("the registry differs, %v (-got +want):\n%s", err, diff)
			}
		})
	}
}

func TestAnOrganizationIsRead(t *testing.T) {
	a := serves(map[string]string{"/organizations": `[{"id":"` + orgUUID + `","graphql_id":"T3Jn","slug":"acme-inc","name":"Acme Inc",
		"url":"https://api.buildkite.com/v2/organizations/acme-inc","web_url":"https://buildkite.com/acme-inc",
		"created_at":"2015-05-09T21:05:59.874Z"}]`}).account(t)
	page, err := a.Organizations(t.Context(), providers.PageRequest{})
	want := []providers.Organization{{
		ID: orgID, Slug: "acme-inc", Name: "Acme Inc", WebURL: "https://buildkite.com/acme-inc",
		CreatedAt: time.Date(2015, 5, 9, 21, 5, 59, 874e6, time.UTC),
	}}
	if diff := cmp.Diff(page.Items, want); err != nil || diff != "" {
		t.Errorf("organizations differ, %v (-got +want):\n%s", err, diff)
	}
}

func TestMembersAreReadWithAndWithoutTheirRole(t *testing.T) {
	ada := `{"id":"` + userUUID + `","name":"Ada","email":"ada@acme.test","role":"admin","sso_mode":"required"}`
	eve := `{"id":"` + otherUUID + `","name":"Eve","email":"eve@acme.test"}`
	a := serves(map[string]string{"/members": "[" + ada + "," + eve + "]", "/members/" + userUUID: ada}).account(t)
	page, err := a.Users(t.Context(), orgID, providers.PageRequest{})
	want := []providers.User{
		{ID: userID, Name: "Ada", Email: "ada@acme.test", Complete: true},
		{ID: providers.UserID(name, otherUUID), Name: "Eve", Email: "eve@acme.test", Complete: true},
	}
	if diff := cmp.Diff(page.Items, want); err != nil || diff != "" {
		t.Errorf("users differ, %v (-got +want):\n%s", err, diff)
	}
	one, err := a.User(t.Context(), orgID, userID)
	if diff := cmp.Diff(one, want[0]); err != nil || diff != "" {
		t.Errorf("the user differs, %v (-got +want):\n%s", err, diff)
	}
}

func FuzzWhateverComesIsTokensOrAnError(f *testing.F) {
	f.Add(sample(f, "tokens.json"))
	f.Add(sample(f, "token.json"))
	f.Add(`[]`)
	f.Add(`[null]`)
	f.Add(`[{"id":"` + tokenUUID + `","registry":{"id":"` + registryUUID + `"},"token":"bkpt_x","created_at":"2024-01-01 00:00:00 UTC"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		a := serves(map[string]string{"/tokens": body}).account(t)
		page, err := a.Tokens(t.Context(), registryID, providers.PageRequest{})
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
			if _, err := json.Marshal(token); err != nil {
				t.Errorf("%q gives a token that cannot be written: %v", body, err)
			}
		}
	})
}

func FuzzWhateverComesIsRegistriesOrAnError(f *testing.F) {
	f.Add(`[{"id":"` + registryUUID + `","slug":"my-registry","oidc_policy":[{}],"team_ids":["x"],"public":true}]`)
	f.Add(`[{"id":"` + registryUUID + `"},{"id":"` + registryUUID + `"}]`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, body string) {
		a := serves(map[string]string{"/my_great_org/registries": body}).account(t)
		page, err := a.Registries(t.Context(), orgID, providers.PageRequest{})
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
