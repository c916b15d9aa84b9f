package emulator

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regtok/providers"
)

func TestOnlyKnownOperationsAnswer(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	const none = "no matching operation was found"
	for _, test := range []struct {
		method, path string
		status       int
		code         string
		message      string
	}{
		{"GET", "/containerregistries/registry", 400, "paas-validation-1", none},
		{"GET", "/containerregistries/", 400, "paas-validation-1", none},
		{"GET", registriesPath + "/", 400, "paas-validation-1", "not a UUID"},
		{"DELETE", registriesPath, 400, "paas-validation-1", none},
		{"GET", registriesPath + "/..", 400, "paas-validation-1", "not a UUID"},
		{"GET", registriesPath + "/%2e%2e/locations", 400, "paas-validation-1", none},
		{"GET", registriesPath + "//tokens", 400, "paas-validation-1", "not a UUID"},
		{"GET", registriesPath + "/acme%2Fimages", 400, "paas-validation-1", "not a UUID"},
		{"GET", tokensPath("images") + "/42", 400, "paas-validation-1", "token id"},
		{"PUT", tokensPath("images") + "/not-a-uuid", 400, "paas-validation-1", "token id"},
		{"GET", "/cloudapi/v6/datacenters", 404, "309", "does not exist"},
		{"DELETE", "/cloudapi/v6/contracts", 405, "paas-validation-1", "not allowed"},
		{"GET", "/auth/v1/nothing", 404, "paas-resource-1", "does not exist"},
		{"GET", "/", 404, "paas-resource-1", "does not exist"},
		{"GET", "/containerregistries", 404, "paas-resource-1", "does not exist"},
	} {
		c.do(test.method, test.path, "").refused(test.status, test.code, test.message)
	}
}

func TestAWriteMustBeJSONOfAReasonableSize(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	const good = `{"properties":{"name":"some-token"}}`
	c.with("Content-Type", "text/plain").post(tokensPath("lab"), good).
		refused(415, "paas-validation-1", "application/json")
	c.with("Content-Type", "application/json; charset=utf-8").post(tokensPath("lab"), good).want(201)
	long := `{"properties":{"name":"` + strings.Repeat("a", maxBody) + `"}}`
	c.post(tokensPath("lab"), long).refused(413, "paas-validation-1", "too large")
	for _, body := range []string{
		"", "{", "[]", "null", `"text"`, good + "x", good + good, `{"properties":null}`, `{"properties":7}`, `{}`,
	} {
		c.with("Content-Type", "application/json").post(tokensPath("lab"), body).want(400)
	}
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	c := inside(t, providers.EmulatorOptions{})
	if got := c.status("POST", tokensPath("lab"), io.MultiReader(strings.NewReader("{"), broken{})); got != 400 {
		t.Errorf("a broken body = %d, want status 400", got)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWhoeverShowsNoCredentialIsUnauthorized(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for _, authorization := range []string{
		"", "Bearer", "Bearer  ", "Digest x", "opaque", "Basic", "Basic !", basic("user"), basic("user:"), basic(":password"),
	} {
		for _, path := range []string{
			registriesPath, "/cloudapi/v6/contracts", "/auth/v1/tokens", "/containerregistries/nothing",
		} {
			c.as(authorization).get(path).
				refused(401, "paas-auth-1", "Unauthorized, wrong or no api key provided to process this request")
		}
	}
	for _, authorization := range []string{
		"Bearer x", "bearer x", "Bearer a.b.c", "Bearer a.W10.c", "Bearer a.!.c", basic("user:password"),
	} {
		c.as(authorization).registries("").want(200)
	}
}

func TestASetTokenIsTheOnlyCredential(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{Token: "user:pass-word"})
	c.as("Bearer user:pass-word").registries("").want(200)
	c.as(basic("user:pass-word")).registries("").want(200)
	for _, authorization := range []string{
		"Bearer user:pass-wore", "Bearer anything", basic("user:pass"), basic("other:pass-word"),
	} {
		c.as(authorization).registries("").refused(401, "paas-auth-1", "Unauthorized")
	}
}

func TestClaimsInATokenCount(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	ida, jonas, zoe, pavel := userID("ida.brandt"), userID("jonas.keller"), userID("zoe.mueller"), userID("pavel.novak")
	for _, test := range []struct {
		name              string
		claims            string
		registries, users int
	}{
		{"a token without an identity is the owner's", `{}`, 200, 200},
		{"this contract as a number", fmt.Sprintf(`{"identity":{"contractNumber":%d}}`, contractNumber), 200, 200},
		{"this contract as a string", fmt.Sprintf(`{"identity":{"contractNumber":"%d"}}`, contractNumber), 200, 200},
		{"another contract", `{"identity":{"contractNumber":31884391}}`, 403, 403},
		{"an ordinary user", `{"identity":{"uuid":"` + jonas + `"}}`, 200, 403},
		{"an ordinary user in an administrator's role", `{"identity":{"uuid":"` + jonas + `","role":"owner"}}`, 200, 200},
		{"a user who may not manage registries", `{"identity":{"uuid":"` + zoe + `"}}`, 403, 403},
		{"a stranger in an ordinary role", `{"identity":{"uuid":"` + chosenID + `","role":"user"}}`, 403, 403},
		{"a privilege for registries", `{"identity":{"uuid":"` + zoe + `","privileges":["MANAGE_REGISTRY"]}}`, 200, 403},
		{"other privileges", `{"identity":{"uuid":"` + jonas + `","privileges":["CREATE_DATACENTER"]}}`, 403, 403},
		{"an administrator in an ordinary role", `{"identity":{"uuid":"` + ida + `","role":"user"}}`, 200, 403},
		{"an administrator with other privileges", `{"identity":{"uuid":"` + ida + `","privileges":["SOME"]}}`, 200, 200},
		{"an inactive user", `{"identity":{"uuid":"` + pavel + `"}}`, 401, 401},
		{"a token that has ended", fmt.Sprintf(`{"exp":%d}`, time.Now().Add(-time.Minute).Unix()), 401, 401},
		{"a token that goes on", fmt.Sprintf(`{"exp":%d}`, time.Now().Add(time.Hour).Unix()), 200, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			token := "Bearer " + jwt(test.claims)
			if got := c.as(token).registries("").status; got != test.registries {
				t.Errorf("registries = %d, want %d", got, test.registries)
			}
			if got := c.as(token).get("/cloudapi/v6/um/users").status; got != test.users {
				t.Errorf("users = %d, want %d", got, test.users)
			}
		})
	}
}

// basic makes an Authorization of a user name and a password.
func basic(login string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(login)) }

// jwt makes a token that looks like the vendor's.
func jwt(claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256","kid":"key"}`)) + "." + part([]byte(claims)) + "." + part([]byte("signature"))
}

func TestAUserNameThatExistsSpeaksForThatUser(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for name, status := range map[string]int{"somebody": 200, "ida.brandt": 200, "Jonas.Keller": 403, "pavel.novak": 401} {
		if got := c.as(basic(name + "@lindenhof.example:secret")).get("/cloudapi/v6/um/users").status; got != status {
			t.Errorf("users for %s = %d, want %d", name, got, status)
		}
	}
}

func TestLinksNameTheSchemeThatTheClientUsed(t *testing.T) {
	e := start(t, providers.EmulatorOptions{})
	request := httptest.NewRequest("GET", "https://emulator.test/cloudapi/v6/contracts", nil)
	request.Header = bearer("anything")
	recorder := httptest.NewRecorder()
	e.Handler.ServeHTTP(recorder, request)
	if want := `"href":"https://emulator.test/cloudapi/v6/contracts"`; !strings.Contains(recorder.Body.String(), want) {
		t.Errorf("contracts = %s, want %s in it", recorder.Body, want)
	}
}

func TestTheContractHeaderMustNameTheContract(t *testing.T) {
	c := serve(t, providers.EmulatorOptions{})
	for contract, status := range map[string]int{"": 200, fmt.Sprint(contractNumber): 200, "31884391": 403, "mine": 403} {
		for _, path := range []string{registriesPath, "/cloudapi/v6/contracts"} {
			if got := c.with("X-Contract-Number", contract).get(path).status; got != status {
				t.Errorf("%s with contract %q = %d, want %d", path, contract, got, status)
			}
		}
	}
	c.with("X-Contract-Number", "1").registries("").refused(403, "paas-auth-2", "contract")
	c.with("X-Contract-Number", "1").get("/cloudapi/v6/contracts").refused(403, "451", "contract")
}

func TestNotFoundHasABodyAsChosen(t *testing.T) {
	nowhere := registriesPath + "/5a4b39f8-0a24-4ad1-9d0c-7b0c5a4b39f8"
	serve(t, providers.EmulatorOptions{}).get(nowhere).refused(404, "paas-resource-1", "does not exist")
	c := serve(t, choosing("not_found_body", "msg"))
	if got := c.get(nowhere).want(404).text; got != `{"msg":"Not Found"}` {
		t.Errorf("body = %s", got)
	}
	c.get("/cloudapi/v6/um/users/nobody").refused(404, "309", "does not exist")
}
