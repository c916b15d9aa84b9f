package ionos

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// jwt makes a bearer token with a payload.
func jwt(payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("unsigned"))
}

// clouds answers /contracts and, of the registry API, the list of registries.
func clouds(status int, contracts string, registries int) *upstream {
	return &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/contracts") {
			write(w, status, contracts)
			return
		}
		write(w, registries, `{"items":[],"pagination":{"token":""}}`)
	}}
}

const (
	getContracts = "GET /cloudapi/v6/contracts"
	oneContract  = `{"id":"contracts","type":"collection","href":"https://api.ionos.com/cloudapi/v6/contracts","items":[
		{"type":"contract","properties":{"contractNumber":31884391,"owner":"owner@acme.test","status":"BILLABLE","regDomain":"ionos.de",
		"resourceLimits":{"coresPerServer":4}}}]}`
)

// organizationsOf returns the one organization's native id and name.
func organizationsOf(t *testing.T, a *adapter) (native, title string, err error) {
	t.Helper()
	page, err := a.Organizations(t.Context(), providers.PageRequest{})
	if err != nil {
		return "", "", err
	}
	if len(page.Items) != 1 || page.Next != "" || page.Items[0].ID != providers.OrganizationID(name, page.Items[0].ID.Native) {
		t.Errorf("Organizations = %+v, want one", page)
	}
	return page.Items[0].ID.Native, page.Items[0].Name, nil
}

func TestTheContractComesFromTheFirstThatKnowsIt(t *testing.T) {
	other := jwt(`{"identity":{"contractNumber":7007}}`)
	text := jwt(`{"identity":{"contractNumber":"7007"}}`)
	odd := jwt(`{"identity":{"contractNumber":-1}}`)
	pair := []string{settingToken, "", settingUsername, "ada", settingPassword, "x"}
	for what, test := range map[string]struct {
		settings      []string
		native, title string
		asked         []string
	}{
		"the setting":                {[]string{settingContract, "5005"}, "5005", "Contract 5005", nil},
		"the setting over the token": {[]string{settingContract, "5005", settingToken, other}, "5005", "Contract 5005", nil},
		"the token":                  {[]string{settingToken, other}, "7007", "Contract 7007", nil},
		"the token, as a text":       {[]string{settingToken, text}, "7007", "Contract 7007", nil},
		"the Cloud API":              {nil, "31884391", "Contract 31884391", []string{getContracts}},
		"a token without a contract": {[]string{settingToken, jwt(`{"exp":1}`)}, "31884391", "Contract 31884391", []string{getContracts}},
		"a token with an odd one":    {[]string{settingToken, odd}, "31884391", "Contract 31884391", []string{getContracts}},
		"user name and password":     {pair, "31884391", "Contract 31884391", []string{getContracts}},
	} {
		t.Run(what, func(t *testing.T) {
			u := clouds(200, oneContract, 200)
			a := u.account(t, test.settings...)
			native, title, err := organizationsOf(t, a)
			if err != nil || native != test.native || title != test.title {
				t.Errorf("the contract is %q, %q, %v, want %q, %q", native, title, err, test.native, test.title)
			}
			if _, _, err := organizationsOf(t, a); err != nil {
				t.Error(err)
			}
			u.wantAsked(t, "both times", test.asked...)
			if got := Driver().Organization(providers.OrganizationID(name, native)); got.Name != title {
				t.Errorf("the id alone tells the name %q, want %q", got.Name, title)
			}
		})
	}
}

func TestTheContractsNumberIsReadInEveryForm(t *testing.T) {
	for body, want := range map[string]string{
		`{"items":[{"properties":{"contractNumber":"31884391"}}]}`:                                          "31884391",
		`{"items":[{"properties":{"contractNumber":9223372036854775807}}]}`:                                 "9223372036854775807",
		`{"items":[{"properties":{"contractNumber":31884391}},{"properties":{"contractNumber":31884391}}]}`: "31884391",
		`{"items":[]}`: "main",
	} {
		native, _, err := organizationsOf(t, clouds(200, body, 200).account(t))
		if err != nil || native != want {
			t.Errorf("%s gives %q, %v, want %q", body, native, err, want)
		}
	}
	for body, want := range map[string]string{
		`{}`:             "UNAVAILABLE INVALID_RESPONSE",
		`{"items":null}`: "UNAVAILABLE INVALID_RESPONSE",
		`{"items":[{}]}`: "UNAVAILABLE INVALID_RESPONSE",
		`{"items":[{"properties":{"contractNumber":null}}]}`:   "UNAVAILABLE INVALID_RESPONSE",
		`{"items":[{"properties":{"contractNumber":"../x"}}]}`: "UNAVAILABLE INVALID_RESPONSE",
		`<html>`: "UNAVAILABLE INVALID_RESPONSE",
		`{"items":[{"properties":{"contractNumber":31884391}},{"properties":{"contractNumber":31884392}}]}`: "INVALID",
	} {
		if native, _, err := organizationsOf(t, clouds(200, body, 200).account(t)); kindOf(err) != want {
			t.Errorf("%s gives %q, %v, want %s", body, native, err, want)
		}
	}
}

func TestAContractThatMayNotBeSeenIsNamedAfterTheAccount(t *testing.T) {
	for what, test := range map[string]struct{ contracts, registries int }{
		"forbidden": {403, 500}, "not there": {404, 500}, "a trial account": {402, 500}, "refused by the Cloud API alone": {401, 200},
	} {
		u := clouds(test.contracts, `{}`, test.registries)
		a := u.account(t)
		native, title, err := organizationsOf(t, a)
		if err != nil || native != "main" || title != "IONOS" {
			t.Errorf("%s: the contract is %q, %q, %v, want main, IONOS", what, native, title, err)
		}
		u.took()
		_, err = a.Registries(t.Context(), providers.OrganizationID(name, "main"), providers.PageRequest{})
		if kindOf(err) == "NOT_FOUND" {
			t.Errorf("%s: the account's own organization is not found", what)
		}
		if slices.Contains(u.took(), getContracts) {
			t.Errorf("%s: the contract was asked for again", what)
		}
	}
}

func TestAnOutageIsNoOtherContract(t *testing.T) {
	answers := []struct {
		status     int
		body       string
		registries int
		want       string
	}{
		{500, `{}`, 200, "UNAVAILABLE UNREACHABLE"},
		{503, `{}`, 200, "UNAVAILABLE UNREACHABLE"},
		{429, `{}`, 200, "RATE_LIMITED"},
		{405, `{}`, 200, "UNAVAILABLE INVALID_RESPONSE"},
		{200, `no JSON`, 200, "UNAVAILABLE INVALID_RESPONSE"},
		{401, `{}`, 401, "UNAUTHORIZED"},
		{401, `{}`, 503, "UNAVAILABLE UNREACHABLE"},
	}
	var current int
	u := &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		if current == len(answers) {
			write(w, 200, oneContract)
			return
		}
		clouds(answers[current].status, answers[current].body, answers[current].registries).answer(w, r)
	}}
	a := u.account(t)
	for i, answer := range answers {
		current = i
		if native, _, err := organizationsOf(t, a); kindOf(err) != answer.want {
			t.Errorf("answered with %d the contract is %q, %v, want %s", answer.status, native, err, answer.want)
		}
		if _, err := a.Token(t.Context(), tokenID); kindOf(err) != answer.want {
			t.Errorf("answered with %d the token is %v, want %s", answer.status, err, answer.want)
		}
	}
	current = len(answers)
	if native, _, err := organizationsOf(t, a); err != nil || native != number {
		t.Errorf("after the outage the contract is %q, %v, want %s", native, err, number)
	}
	current = 0
	if native, _, err := organizationsOf(t, a); err != nil || native != number {
		t.Errorf("in the next outage the contract is %q, %v, want %s", native, err, number)
	}
}

func TestConcurrentCallersAskForTheContractOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := clouds(200, oneContract, 200)
		serve := u.answer
		u.answer = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			serve(w, r)
		}
		a := u.account(t)
		var callers sync.WaitGroup
		for range 32 {
			callers.Go(func() {
				if _, err := a.Registries(t.Context(), orgID, providers.PageRequest{}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		asked := u.took()
		if n := len(slices.DeleteFunc(asked, func(line string) bool { return line != getContracts })); n != 1 {
			t.Errorf("the contract was asked for %d times, want once", n)
		}
	})
}

func TestAnEmptyAccountNameStillMakesAnID(t *testing.T) {
	a := clouds(403, `{}`, 200).account(t)
	opened, err := open(providers.Config{
		Settings: providers.Settings{settingToken: providers.NewSecret("x")},
		Client:   &http.Client{Transport: clouds(403, `{}`, 200)},
	})
	if err != nil {
		t.Fatal(err)
	}
	named, _, _ := organizationsOf(t, a)
	unnamed, _, err := organizationsOf(t, opened.(*adapter))
	if err != nil || named != "main" || unnamed == "" {
		t.Errorf("the organizations are %q and %q, %v", named, unnamed, err)
	}
}
