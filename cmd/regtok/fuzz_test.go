package main

import (
	"strings"
	"testing"
)

func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"cache: on\nthresholds: [P1D, PT1H]\nmax_age: {ionos: P30D}\n",
		"accounts:\n- provider: ionos\n  name: a\n  token: " + canary + "\n",
		"accounts: [{provider: buildkite, token: |-\n  x\n}]",
		"a: &a 1\nb: *a\n<<: {c: 1}\n",
		"%YAML 1.2\n---\n? a\n: !!str b\n---\n",
		"cache: \"" + canary,
		"token: |" + canary + "\n",
		"oidc:\n  issuer: " + canary + "\n  audience: " + canary + "\n  clock_skew: " + canary + "\n  permissions: {" + canary + ": [" + canary + "]}\n",
		"callers:\n- name: " + canary + "\n  key: " + canary + "\n  permissions: [" + canary + "]\n  until: " + canary + "\n",
	} {
		f.Add(text)
	}
	flags := serveFlags()
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "_file") || strings.Count(text, "[")+strings.Count(text, "-")+strings.Count(text, "{") > 200 {
			return // files are not for fuzzing; nesting takes the parser a time that grows with its square
		}
		got, err := parseConfig("regtok.yaml", []byte(text), flags)
		if err == nil {
			for _, account := range got.accounts {
				if account.driver.Name == "" || !plainName(account.name) {
					t.Errorf("took an account %q of %q", account.name, account.driver.Name)
				}
			}
			return
		}
		if said := err.Error(); !strings.HasPrefix(said, "regtok.yaml") || strings.Contains(said, canary) {
			t.Errorf("refused with %q", said)
		}
	})
}
