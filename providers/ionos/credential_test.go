package ionos

import (
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"time"

	"regtok/providers"
)

func TestACredentialIsATokenOrUserNameAndPassword(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("ada@acme.test:pass:word"))
	for what, test := range map[string]struct {
		token, username, password string
		header, field             string
	}{
		"a token":              {"abc", "", "", "Bearer abc", ""},
		"a token goes first":   {"abc", "ada", "secret", "Bearer abc", ""},
		"a pair":               {"", "ada@acme.test", "pass:word", basic, ""},
		"nothing":              {"", "", "", "", settingToken},
		"a user name alone":    {"", "ada", "", "", settingPassword},
		"a password alone":     {"", "", "secret", "", settingUsername},
		"a name with a colon":  {"", "a:b", "secret", "", settingUsername},
		"a token with a break": {"a\nb", "", "", "", settingToken},
	} {
		t.Run(what, func(t *testing.T) {
			var sent []string
			u := serves(200, `{"items":[],"pagination":{"token":""},"type":"collection"}`)
			serve := u.answer
			u.answer = func(w http.ResponseWriter, r *http.Request) {
				sent = append(sent, r.Header.Get("Authorization"))
				serve(w, r)
			}
			opened, err := open(providers.Config{Account: "main", Client: &http.Client{Transport: u}, Settings: providers.Settings{
				settingToken: providers.NewSecret(test.token), settingUsername: providers.NewSecret(test.username),
				settingPassword: providers.NewSecret(test.password), settingContract: providers.NewSecret(number),
			}})
			if test.field != "" {
				if e, ok := errors.AsType[*providers.Error](err); !ok || e.Kind != providers.Invalid || e.Field != test.field {
					t.Errorf("open = %v, want INVALID of %s", err, test.field)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, errRegistries := opened.Registries(t.Context(), orgID, providers.PageRequest{})
			_, errUsers := opened.Users(t.Context(), orgID, providers.PageRequest{})
			if errRegistries != nil || errUsers != nil || len(sent) != 2 || sent[0] != test.header || sent[1] != test.header {
				t.Errorf("sent %q, %v, %v, want %q with both", sent, errRegistries, errUsers, test.header)
			}
		})
	}
}

func TestABearerTokenTellsItsContractAndItsEnd(t *testing.T) {
	end := time.Date(2027, 11, 21, 18, 0, 0, 0, time.UTC)
	for token, want := range map[string]claims{
		jwt(`{"identity":{"uuid":"x","contractNumber":31884391,"role":"owner"},"exp":1826820000}`): {number, end},
		jwt(`{"identity":{"contractNumber":"31884391"},"exp":1826820000.5}`):                       {number, end},
		jwt(`{"exp":1826820000}`):                                       {"", end},
		jwt(`{"identity":{"contractNumber":31884391}}`):                 {number, time.Time{}},
		jwt(`{"identity":{"contractNumber":31884391},"exp":"soon"}`):    {number, time.Time{}},
		jwt(`{"identity":{"contractNumber":{"n":1}},"exp":1826820000}`): {"", end},
		jwt(`{"identity":{"contractNumber":3.1e7},"exp":-5}`):           {},
		jwt(`{"identity":{"contractNumber":0},"exp":1e300}`):            {},
		jwt(`{"identity":{"contractNumber":null},"exp":null}`):          {},
		jwt(`{"identity":[],"exp":1826820000}`):                         {"", end},
		jwt(`[]`):                                                       {},
		jwt(`no JSON`):                                                  {},
		"":                                                              {},
		"opaque":                                                        {},
		"a.b":                                                           {},
		"a.!.c":                                                         {},
		"a.e30.c.d":                                                     {},
		"a." + "e30=" + ".c":                                            {},
	} {
		got := readClaims(providers.NewSecret(token))
		if got.contract != want.contract || !got.expires.Equal(want.expires) {
			t.Errorf("%s tells %+v, want %+v", token, got, want)
		}
		if token == "" {
			continue
		}
		expiry, err := serves(500, "").account(t, settingToken, token).CredentialExpiry(t.Context())
		if err != nil || !expiry.Equal(want.expires) {
			t.Errorf("the credential %s ends at %v, %v, want %v", token, expiry, err, want.expires)
		}
	}
}

func FuzzABearerTokenTellsOnlyWhatIsUsable(f *testing.F) {
	f.Add(`{"identity":{"contractNumber":31884391},"exp":1826820000}`)
	f.Add(`{"identity":{"contractNumber":"31884391"},"exp":253402300799.9}`)
	f.Add(`{"exp":-1}`)
	f.Fuzz(func(t *testing.T, payload string) {
		told := readClaims(providers.NewSecret(jwt(payload)))
		if told.contract != "" && !contractNumber.MatchString(told.contract) {
			t.Errorf("%q tells the contract %q", payload, told.contract)
		}
		if _, err := told.expires.MarshalJSON(); err != nil {
			t.Errorf("%q tells an end that cannot be written: %v", payload, err)
		}
	})
}
