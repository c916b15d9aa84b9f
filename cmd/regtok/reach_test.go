package main

import (
	"strings"
	"testing"

	"regtok/auth"
	"regtok/providers"
)

var (
	organization = providers.OrganizationID("buildkite", "0187")
	registry     = organization.RegistryID("0188")
)

// narrowCaller is a configuration of one caller, narrowed by a line.
func narrowCaller(line string) []byte {
	return []byte("callers:\n- name: ci\n  key: " + auth.NewKey().Hash().String() + "\n  permissions: [TOKENS_READ]\n" + line + "\n")
}

func TestACallerIsNarrowedToWhatIsWritten(t *testing.T) {
	for line, want := range map[string]map[providers.ReachPart][]string{
		"":                                     nil,
		"  reach: {providers: [ionos]}":        {"providers": {"ionos"}},
		"  reach:\n    accounts: [prod, test]": {"accounts": {"prod", "test"}},
		"  reach: {organizations: [" + organization.String() + "]}":         {"organizations": {organization.String()}},
		"  reach: {registries: [" + registry.String() + "], accounts: [1]}": {"registries": {registry.String()}, "accounts": {"1"}},
	} {
		got, err := parseConfig("regtok.yaml", narrowCaller(line), serveFlags())
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var reach providers.Reach
		if want != nil {
			if reach, err = providers.NewReach(want); err != nil {
				t.Fatal(err)
			}
		}
		if !got.callers[0].Viewer.Reach.Equal(reach) {
			t.Errorf("%s: the reach is not %v", line, want)
		}
	}
}

func TestAReachThatSaysNothingIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"  reach:":                  "reach has to be a mapping",
		"  reach: {}":               "it names nothing",
		"  reach: all":              "reach has to be a mapping",
		"  reach: []":               "reach has to be a mapping",
		"  reach: {accounts: []}":   "accounts is empty",
		"  reach: {accounts: }":     "accounts is a list",
		"  reach: {accounts: prod}": "accounts is a list",
		"  reach: {accounts: [prod], registries: []}":              "registries is empty",
		"  reach: {accounts: [~]}":                                 "accounts has no value",
		"  reach: {account: [prod]}":                               "account",
		"  reach: {registries: [images]}":                          `"images" is not the id of a registry`,
		"  reach: {registries: [" + organization.String() + "]}":   "is not the id of a registry",
		"  reach: {organizations: [" + registry.String() + "]}":    "is not the id of an organization",
		"  reach: {accounts: [prod]}\n  reach: {accounts: [test]}": "already defined",
	} {
		if _, err := parseConfig("regtok.yaml", narrowCaller(line), serveFlags()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

func TestWhoIsNarrowedDoesNotReadFigures(t *testing.T) {
	text := strings.Replace(string(narrowCaller("  reach: {accounts: [prod]}")), "[TOKENS_READ]", "[TOKENS_READ, METRICS_READ]", 1)
	if _, err := parseConfig("regtok.yaml", []byte(text), serveFlags()); err == nil || !strings.Contains(err.Error(), "METRICS_READ is for figures of everything") {
		t.Errorf("METRICS_READ with a reach: %v", err)
	}
}

func TestAReachNamesWhatIsConfigured(t *testing.T) {
	accounts := []accountConfig{{driver: providers.Driver{Name: "ionos"}, name: "prod"}}
	for line, want := range map[string]string{
		"": "",
		"  reach: {providers: [ionos], accounts: [prod]}": "",
		"  reach: {providers: [buildkite]}":               `the caller ci is narrowed to the provider "buildkite"`,
		"  reach: {accounts: [prod, prdo]}":               `the caller ci is narrowed to the account "prdo"`,
	} {
		got, err := parseConfig("regtok.yaml", narrowCaller(line), serveFlags())
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		if err := checkReaches(got.callers, accounts); err != nil {
			said = err.Error()
		}
		if (said == "") != (want == "") || !strings.Contains(said, want) {
			t.Errorf("%s: it says %q, want %q", line, said, want)
		}
	}
}
