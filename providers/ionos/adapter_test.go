package ionos

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"regtok/providers"
)

func TestAddressesAreTakenAsIonossToolsTakeThem(t *testing.T) {
	const (
		base  = "https://api.ionos.com/containerregistries"
		cloud = "https://api.ionos.com/cloudapi/v6"
		local = "http://127.0.0.1:9001"
	)
	for _, test := range []struct{ base, cloud, wantBase, wantCloud string }{
		{"", "", base, cloud},
		{base, "", base, cloud},
		{"https://api.ionos.com", "", base, cloud},
		{"https://api.ionos.com/", "", base, cloud},
		{"api.ionos.com", "", base, cloud},
		{cloud, "", base, cloud},
		{"https://api.ionos.com/cloudapi", "", base, cloud},
		{local + "/containerregistries/", "", local + "/containerregistries", local + "/cloudapi/v6"},
		{"https://gate.test/ionos/cr", "https://gate.test/ionos/cloud", "https://gate.test/ionos/cr", "https://gate.test/ionos/cloud"},
		{"https://gate.test", "https://other.test", "https://gate.test/containerregistries", "https://other.test/cloudapi/v6"},
	} {
		base, cloud := addresses(test.base, test.cloud)
		if base != test.wantBase || cloud != test.wantCloud {
			t.Errorf("addresses(%q, %q) = %q, %q, want %q, %q", test.base, test.cloud, base, cloud, test.wantBase, test.wantCloud)
		}
	}
}

func TestASenselessSettingIsNamed(t *testing.T) {
	for _, test := range []struct{ setting, value string }{
		{settingBase, "ftp://api.ionos.com"}, {settingBase, "http://api.ionos.com"}, {settingBase, "https://u:p@api.ionos.com"},
		{settingBase, "https://api.ionos.com?x=y"}, {settingBase, "https://"}, {settingBase, "https://api.ionos.com/../x"},
		{settingCloud, "http://api.ionos.com"}, {settingCloud, "https://u@api.ionos.com"}, {settingCloud, "https://[x"},
		{settingContract, "31 884 391"}, {settingContract, "-5"}, {settingContract, "0"}, {settingContract, "1\r\nX: y"},
		{settingRequests, "0"}, {settingRequests, "-5"}, {settingRequests, "many"}, {settingRequests, "1.5"}, {settingRequests, "1e3"},
		{settingRequests, " 5"}, {settingRequests, "1000001"}, {settingRequests, "99999999999999999999"},
	} {
		_, err := open(providers.Config{Account: "main", Settings: providers.Settings{
			settingToken: providers.NewSecret("x"), test.setting: providers.NewSecret(test.value),
		}})
		e, ok := errors.AsType[*providers.Error](err)
		if !ok || e.Kind != providers.Invalid || e.Field != test.setting || e.Provider != name {
			t.Errorf("open with %s %q = %v, want INVALID of it", test.setting, test.value, err)
		}
	}
}

func TestTheSettingsHaveTheEcosystemsNames(t *testing.T) {
	got := map[string]string{}
	for _, setting := range Driver().Settings {
		got[setting.Name] = setting.Env
		if setting.Secret != (setting.Name == settingToken || setting.Name == settingPassword) || setting.Help == "" {
			t.Errorf("setting %+v is secret, or is not, or has no help", setting)
		}
	}
	want := map[string]string{
		settingBase: "IONOS_API_URL", settingCloud: "", settingToken: "IONOS_TOKEN", settingUsername: "IONOS_USERNAME",
		settingPassword: "IONOS_PASSWORD", settingContract: "IONOS_CONTRACT_NUMBER", settingRequests: "",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("settings are %v, want %v", got, want)
	}
}

func TestTheContractsHeaderIsSentWhenItIsSet(t *testing.T) {
	var sent []string
	u := serves(200, `{"items":[],"pagination":{"token":""},"type":"collection"}`)
	serve := u.answer
	u.answer = func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.URL.Path+" "+r.Header.Get("X-Contract-Number"))
		serve(w, r)
	}
	for _, a := range []*adapter{u.contracted(t), u.account(t, settingToken, jwt(`{"identity":{"contractNumber":31884391}}`))} {
		_, errRegistries := a.Registries(t.Context(), orgID, providers.PageRequest{})
		_, errUsers := a.Users(t.Context(), orgID, providers.PageRequest{})
		if errRegistries != nil || errUsers != nil {
			t.Error(errRegistries, errUsers)
		}
	}
	want := []string{
		"/containerregistries/registries " + number, "/cloudapi/v6/um/users " + number,
		"/containerregistries/registries ", "/cloudapi/v6/um/users ",
	}
	if fmt.Sprint(sent) != fmt.Sprint(want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
}

func TestReadsAskExactlyThis(t *testing.T) {
	for what, test := range map[string]struct {
		body, want string
		call       func(*adapter) error
	}{
		"a registry": {`{"id":"` + registryUUID + `"}`, "GET /containerregistries/registries/" + registryUUID, func(a *adapter) error {
			_, err := a.Registry(t.Context(), registryID)
			return err
		}},
		"a token": {`{"id":"` + tokenUUID + `"}`, "GET " + tokenPath, func(a *adapter) error {
			_, err := a.Token(t.Context(), tokenID)
			return err
		}},
		"a user": {`{"id":"` + userUUID + `"}`, "GET /cloudapi/v6/um/users/" + userUUID + "?depth=1", func(a *adapter) error {
			_, err := a.User(t.Context(), orgID, userID)
			return err
		}},
	} {
		u := serves(200, test.body)
		if err := test.call(u.contracted(t)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		u.wantAsked(t, what, test.want)
	}
}
