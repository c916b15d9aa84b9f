package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

func TestAccountsComeFromTheProvidersOwnVariables(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		accounts []map[string]string
	}{
		{"none", nil, nil},
		{"an address alone is no account", map[string]string{
			"IONOS_API_URL": "http://127.0.0.1:1", "IONOS_USERNAME": "u", "BUILDKITE_ORGANIZATION_SLUG": "o",
		}, nil},
		{"Buildkite", map[string]string{"BUILDKITE_API_TOKEN": canary, "BUILDKITE_ORGANIZATION_SLUG": "a,b"}, []map[string]string{
			{"driver": "buildkite", "name": "buildkite", "token": canary, "organizations": "a,b"},
		}},
		{"IONOS by token", map[string]string{
			"IONOS_TOKEN": canary, "IONOS_API_URL": "http://127.0.0.1:1", "IONOS_CONTRACT_NUMBER": "0123",
		}, []map[string]string{
			{"driver": "ionos", "name": "ionos", "token": canary, "base_url": "http://127.0.0.1:1", "contract_number": "0123"},
		}},
		{"IONOS by password", map[string]string{"IONOS_USERNAME": "u", "IONOS_PASSWORD": canary}, []map[string]string{
			{"driver": "ionos", "name": "ionos", "username": "u", "password": canary},
		}},
		{"both", map[string]string{"BUILDKITE_API_TOKEN": "a", "IONOS_TOKEN": "b"}, []map[string]string{
			{"driver": "buildkite", "name": "buildkite", "token": "a"}, {"driver": "ionos", "name": "ionos", "token": "b"},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := accountsFrom(func(name string) string { return test.env[name] })
			if diff := cmp.Diff(told(got), withOwnDefaults(test.accounts)); diff != "" {
				t.Errorf("accounts differ, got - want +\n%s", diff)
			}
		})
	}
}

func TestAWrongAccountIsNamedByWhereItStands(t *testing.T) {
	variables := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"none", nil, "there is no account: set BUILDKITE_API_TOKEN or IONOS_TOKEN or IONOS_PASSWORD, " +
			"or name a file with accounts by --config; `regtok demo` needs none"},
		{"half a credential", map[string]string{"IONOS_PASSWORD": canary}, "IONOS_USERNAME: the password needs a username"},
		{"a credential of two lines", map[string]string{"BUILDKITE_API_TOKEN": canary + "\nx"}, "BUILDKITE_API_TOKEN: "},
		{"an address without https", map[string]string{"IONOS_TOKEN": canary, "IONOS_API_URL": "http://ionos.example"},
			"IONOS_API_URL: the URL is not https, and http is for loopback addresses only"},
		{"an address with a credential", map[string]string{"IONOS_TOKEN": "x", "IONOS_API_URL": "https://u:" + canary + "@ionos.example"}, "IONOS_API_URL: "},
		{"a number that is none", map[string]string{"IONOS_TOKEN": canary, "IONOS_CONTRACT_NUMBER": canary},
			"IONOS_CONTRACT_NUMBER: a contract number is a whole number"},
	}
	for _, test := range variables {
		t.Run("variables: "+test.name, func(t *testing.T) { checkRefused(t, test.env, "regtok: "+test.want, "serve") })
	}
	files := []struct{ name, text, want string }{
		{"no credential", "accounts:\n- provider: buildkite\n  name: a\n",
			":2:3: account buildkite/a: token, or token_file: an API access token is needed"},
		{"an empty credential", "accounts:\n- provider: ionos\n  token: ''\n",
			":2:3: account ionos/ionos: token, or token_file: a token is needed, or username and password"},
		{"an address that is none", "accounts:\n- provider: ionos\n  token: " + canary + "\n  base_url: 'https://" + canary + " x'\n",
			":2:3: account ionos/ionos: base_url: "},
		{"another address that is none", "accounts:\n- {provider: buildkite, token: " + canary + ", base_url: example.com}\n",
			":2:4: account buildkite/buildkite: base_url: not an absolute URL, like https://api.example.com"},
		{"a second address that is none", "accounts:\n- {provider: ionos, token: " + canary + ", cloud_url: 'ftp://x'}\n",
			":2:4: account ionos/ionos: cloud_url: "},
		{"a block's line break", "accounts:\n- provider: ionos\n  token: |\n    " + canary + "\n", ":2:3: account ionos/ionos: token, or token_file: "},
	}
	for _, test := range files {
		t.Run("file: "+test.name, func(t *testing.T) {
			config := t.TempDir() + "/regtok.yaml"
			writeFile(t, config, test.text)
			checkRefused(t, nil, "regtok: "+config+test.want, "serve", "-c", config)
		})
	}
}

func checkRefused(t *testing.T, env map[string]string, want string, args ...string) {
	t.Helper()
	said, code := refused(t, env, args...)
	if !strings.HasPrefix(said, want) || code != 2 {
		t.Errorf("exit %d, said %q, want exit 2, %q", code, said, want)
	}
	if strings.Contains(said, canary) || strings.Contains(strings.TrimSuffix(said, "\n"), "\n") || strings.HasSuffix(said, ": \n") {
		t.Errorf("said %q", said)
	}
}

func TestAnAccountsErrorOfAnotherKindKeepsItsText(t *testing.T) {
	driver, err := driverNamed("ionos")
	if err != nil {
		t.Fatal(err)
	}
	account := accountConfig{driver: driver, name: "a"}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a plain error":              {errPlain{}, "account ionos/a: plain"},
		"a setting without variable": {providers.InvalidError("ionos", "configure", "cloud_url", "no"), "account ionos/a: cloud_url: no"},
	} {
		if got := account.explain(test.err).Error(); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

type errPlain struct{}

func (errPlain) Error() string { return "plain" }
