package main

import (
	"strings"
	"testing"
	"time"

	"regtok/providers"
)

// fingerprinted is the fingerprint of an account with settings in pairs of name and value.
func fingerprinted(t *testing.T, provider, name string, pairs ...string) string {
	t.Helper()
	driver, err := driverNamed(provider)
	if err != nil {
		t.Fatal(err)
	}
	given := providers.Settings{}
	for i := 0; i < len(pairs); i += 2 {
		given[pairs[i]] = providers.NewSecret(pairs[i+1])
	}
	return accountConfig{driver: driver, name: name, settings: withDefaults(driver, given)}.fingerprint()
}

func TestOnlyAccountsWithTheSameSettingsHaveOneFingerprint(t *testing.T) {
	began := time.Now()
	seen := map[string]string{}
	for what, fingerprint := range map[string]string{
		"a token":                          fingerprinted(t, "ionos", "a", "token", canary),
		"another token":                    fingerprinted(t, "ionos", "a", "token", canary+"x"),
		"another name":                     fingerprinted(t, "ionos", "b", "token", canary),
		"another provider":                 fingerprinted(t, "buildkite", "a", "token", canary),
		"another address":                  fingerprinted(t, "ionos", "a", "token", canary, "base_url", "http://127.0.0.1:1"),
		"another contract":                 fingerprinted(t, "ionos", "a", "token", canary, "contract_number", "1"),
		"a user and a password":            fingerprinted(t, "ionos", "a", "username", "ada", "password", "lovelace"),
		"the same letters, cut elsewhere":  fingerprinted(t, "ionos", "a", "username", "adal", "password", "ovelace"),
		"the same values, the other way":   fingerprinted(t, "ionos", "a", "username", "lovelace", "password", "ada"),
		"only one organization":            fingerprinted(t, "buildkite", "a", "token", canary, "organizations", "acme"),
		"the same values, in other places": fingerprinted(t, "buildkite", "acme", "token", canary, "organizations", "a"),
	} {
		if other, twice := seen[fingerprint]; twice {
			t.Errorf("%q has the fingerprint of %q", what, other)
		}
		if len(fingerprint) != 22 || strings.Contains(fingerprint, canary) {
			t.Errorf("the fingerprint of %q is %q, want 22 letters that tell nothing", what, fingerprint)
		}
		seen[fingerprint] = what
	}
	// Each guess has to cost whoever guesses something, too. Were it a plain hash, all of them took some microseconds.
	if took := time.Since(began); took < 20*time.Millisecond {
		t.Errorf("%d fingerprints took %v, which is no work at all", len(seen), took)
	}
	explicit := fingerprinted(t, "ionos", "a", "token", canary, "base_url", defaultOf(t, "ionos", "base_url"))
	if seen[explicit] != "a token" {
		t.Error("a default that is written out makes another fingerprint")
	}
}

// Replicas share only if all of them find the same, also those of the next release.
func TestAFingerprintIsTheSameInEveryProcess(t *testing.T) {
	if got, want := fingerprinted(t, "ionos", "a", "username", "ada", "password", "lovelace"), "s3O113xrID-veQqDeg6aFg"; got != want {
		t.Errorf("the fingerprint is %s, want %s", got, want)
	}
}

// defaultOf is a setting's default.
func defaultOf(t *testing.T, provider, name string) string {
	t.Helper()
	driver, err := driverNamed(provider)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range driver.Settings {
		if setting.Name == name {
			return setting.Default
		}
	}
	t.Fatalf("%s has no setting %s", provider, name)
	return ""
}
