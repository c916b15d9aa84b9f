package buildkite

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"regtok/providers"
)

func TestAnAccountNeedsItsToken(t *testing.T) {
	withBase := func(base string) providers.Settings {
		return providers.Settings{settingToken: providers.NewSecret("x"), settingBase: providers.NewSecret(base)}
	}
	for what, test := range map[string]struct {
		settings providers.Settings
		field    string
	}{
		"nothing":           {nil, settingToken},
		"an empty token":    {providers.Settings{settingToken: providers.NewSecret("")}, settingToken},
		"a broken token":    {providers.Settings{settingToken: providers.NewSecret("bkua_\n")}, settingToken},
		"an address of ftp": {withBase("ftp://x"), settingBase},
		"plain http":        {withBase("http://x.test"), settingBase},
	} {
		_, err := open(providers.Config{Account: "main", Settings: test.settings})
		e, ok := errors.AsType[*providers.Error](err)
		if !ok || e.Kind != providers.Invalid || e.Field != test.field || e.Provider != name {
			t.Errorf("open with %s = %v, want INVALID of %s", what, err, test.field)
		}
	}
}

func TestTheSettingsHaveTheEcosystemsNames(t *testing.T) {
	got := map[string]string{}
	for _, setting := range Driver().Settings {
		got[setting.Name] = setting.Env
		if setting.Secret != (setting.Name == settingToken) || setting.Help == "" {
			t.Errorf("setting %+v is secret or has no help", setting)
		}
	}
	want := map[string]string{
		settingBase: "", settingToken: "BUILDKITE_API_TOKEN", settingOrganizations: "BUILDKITE_ORGANIZATION_SLUG",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("settings are %v, want %v", got, want)
	}
}

func TestTheCredentialGoesWithEveryRequest(t *testing.T) {
	u := newWorld().upstream()
	serve := u.answer
	u.answer = func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer bkua_test" {
			t.Errorf("%s carries %q", r.URL, got)
		}
		if r.URL.Host != "buildkite.example.com" || !strings.HasPrefix(r.URL.Path, "/gate/v2/") {
			t.Errorf("%s is outside the base", r.URL)
		}
		http.StripPrefix("/gate", serve).ServeHTTP(w, r)
	}
	readOne(t, u.account(t, settingBase, "https://buildkite.example.com/gate"), "none")
}

func TestOnlyTheOrganizationsOfTheSettingAreSeen(t *testing.T) {
	w := newWorld()
	w.organizations["Other"] = otherOrgUUID
	w.registries[otherOrgUUID] = map[string]string{"gems": otherUUID}
	u := w.upstream()
	other := providers.OrganizationID(name, otherOrgUUID)
	for setting, want := range map[string]int{"": 2, " , ": 2, "acme": 1, " acme ,Other": 2, "Acme": 0, "other": 0} {
		a := u.account(t, settingOrganizations, setting)
		page, err := a.Organizations(t.Context(), providers.PageRequest{})
		if err != nil || len(page.Items) != want {
			t.Errorf("with %q there are %+v, %v, want %d", setting, page.Items, err, want)
		}
	}
	a := u.account(t, settingOrganizations, "acme")
	if _, err := a.Registries(t.Context(), other, providers.PageRequest{}); kindOf(err) != "NOT_FOUND" {
		t.Errorf("registries of an organization outside the setting = %v, want NOT_FOUND", err)
	}
	if _, err := a.Tokens(t.Context(), other.RegistryID(otherUUID), providers.PageRequest{}); kindOf(err) != "NOT_FOUND" {
		t.Errorf("tokens of a registry outside the setting = %v, want NOT_FOUND", err)
	}
}

// linked serves an array in pages of two, with links as Buildkite writes them.
func linked(ids []string, link func(path string, page int) string) *upstream {
	return &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		page := 1
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		part := ids[min(len(ids), 2*(page-1)):min(len(ids), 2*page)]
		if 2*page < len(ids) {
			w.Header().Set("Link", link("https://api.buildkite.com"+r.URL.Path, page+1))
		}
		items := []string{}
		for _, id := range part {
			items = append(items, fmt.Sprintf(`{"id":%q,"slug":"s","name":"n"}`, id))
		}
		write(w, 200, "["+strings.Join(items, ",")+"]")
	}}
}

func TestAListIsReadThroughAllItsLinks(t *testing.T) {
	ids := make([]string, 5)
	for i := range ids {
		ids[i] = fmt.Sprintf("018a456f-e581-44b6-c5a4-1d8a5f70940%d", i)
	}
	u := linked(ids, func(path string, page int) string {
		return fmt.Sprintf(`<%s?api_key=leak&page=%d&per_page=100>; rel="next", <%s?page=3>; rel="last"`, path, page, path)
	})
	page, err := u.account(t).Organizations(t.Context(), providers.PageRequest{})
	if err != nil || len(page.Items) != 5 || page.Next != "" {
		t.Errorf("Organizations = %d items, next %q, %v, want all 5", len(page.Items), page.Next, err)
	}
	u.wantAsked(t, "the list", getOrganizations,
		"GET /v2/organizations?page=2&per_page=100", "GET /v2/organizations?page=3&per_page=100")
}

func TestAListThatChangesBetweenItsPagesShowsEachItemOnce(t *testing.T) {
	first, second := "018a456f-e581-44b6-c5a4-1d8a5f709401", "018a456f-e581-44b6-c5a4-1d8a5f709402"
	u := linked([]string{first, second, second, first, second}, func(path string, page int) string {
		return fmt.Sprintf(`<%s?page=%d>; rel="next"`, path, page)
	})
	page, err := u.account(t).Organizations(t.Context(), providers.PageRequest{})
	if err != nil || len(page.Items) != 2 {
		t.Errorf("Organizations = %+v, %v, want each of two once", page.Items, err)
	}
}

func TestAListThatCannotBeReadWholeIsAnError(t *testing.T) {
	ids := []string{orgUUID, otherOrgUUID, registryUUID}
	linkTo := func(link string) http.HandlerFunc {
		return linked(ids, func(string, int) string { return link }).answer
	}
	body := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { write(w, 200, body) }
	}
	for what, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a link elsewhere": {linkTo(`<https://evil.test/v2/organizations?page=2>; rel="next"`), "UNAVAILABLE INVALID_RESPONSE"},
		"a link back":      {linkTo(`</v2/organizations?per_page=100&page=1>; rel="next"`), "UNAVAILABLE INVALID_RESPONSE"},
		"a link to itself": {linkTo(`<https://api.buildkite.com/v2/organizations>; rel="next"`), "UNAVAILABLE INVALID_RESPONSE"},
		"a second page that fails": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("page") == "2" {
				write(w, 500, `{}`)
				return
			}
			linkTo(`</v2/organizations?page=2>; rel="next"`)(w, r)
		}, "UNAVAILABLE UNREACHABLE"},
		"null":               {body(`null`), "UNAVAILABLE INVALID_RESPONSE"},
		"an object":          {body(`{"items":[]}`), "UNAVAILABLE INVALID_RESPONSE"},
		"an item without id": {body(`[{"slug":"x"}]`), "UNAVAILABLE INVALID_RESPONSE"},
	} {
		u := &upstream{answer: test.answer}
		page, err := u.account(t).Organizations(t.Context(), providers.PageRequest{})
		if kindOf(err) != test.want || len(page.Items) != 0 {
			t.Errorf("a list with %s = %+v, %v, want %s", what, page.Items, err, test.want)
		}
		if asked := u.took(); len(asked) > 3 {
			t.Errorf("a list with %s took %d requests", what, len(asked))
		}
	}
}

func TestAPageIsCutOutOfTheWholeList(t *testing.T) {
	w := newWorld()
	w.tokens[registryUUID] = []string{otherUUID, tokenUUID, userUUID}
	a := w.upstream().account(t)
	var got []string
	request := providers.PageRequest{Size: 1}
	for range 4 {
		page, err := a.Tokens(t.Context(), registryID, request)
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("the page is %+v, %v, want one token", page, err)
		}
		got = append(got, page.Items[0].ID.Native)
		if request.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if want := []string{otherUUID, userUUID, tokenUUID}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pages of one show %v, want %v", got, want)
	}
}

func TestTheEndOfTheAccessTokenIsReadInBothForms(t *testing.T) {
	end := time.Date(2026, 7, 16, 6, 7, 42, 0, time.UTC)
	for body, want := range map[string]time.Time{
		`{"uuid":"` + otherUUID + `","created_at":"2026-07-16 06:07:42 UTC","expires_at":null,"user":{}}`: {},
		`{"uuid":"` + otherUUID + `","expires_at":"2026-07-16 06:07:42 UTC"}`:                             end,
		`{"uuid":"` + otherUUID + `","expires_at":"2026-07-16T06:07:42.000Z"}`:                            end,
		`{"uuid":"` + otherUUID + `"}`: {},
	} {
		got, err := serves(map[string]string{"/access-token": body}).account(t).CredentialExpiry(t.Context())
		if err != nil || !got.Equal(want) {
			t.Errorf("%s ends at %v, %v, want %v", body, got, err, want)
		}
	}
	for _, body := range []string{`{}`, `{"uuid":"` + otherUUID + `","expires_at":"16/07/2026"}`, `[]`} {
		got, err := serves(map[string]string{"/access-token": body}).account(t).CredentialExpiry(t.Context())
		if kindOf(err) != "UNAVAILABLE INVALID_RESPONSE" {
			t.Errorf("%s ends at %v, %v, want UNAVAILABLE", body, got, err)
		}
	}
}
