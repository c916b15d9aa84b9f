package providertest

import (
	"regexp"
	"testing"
)

func TestAPatternIsForeignWhereGoAndJavaScriptDiffer(t *testing.T) {
	for pattern, foreign := range map[string]string{
		`^[A-Za-z][A-Za-z0-9\-]{0,61}[A-Za-z0-9]$`: "",
		`^(?:a|b)+\.\w\d*\/$`:                      "",
		`^[^a-z]$`:                                 "",
		`abc$`:                                     "no ^ and $ around it",
		`^abc`:                                     "no ^ and $ around it",
		`^[-a]$`:                                   `-a]$`,
		`^[a-]$`:                                   `-]$`,
		`^[a(b]$`:                                  `(b]$`,
		`^[[:alpha:]]$`:                            `[:alpha:]]$`,
		`^a\-b$`:                                   `\-b$`,
		`^\s$`:                                     `\s$`,
		`^\pL$`:                                    `\pL$`,
		`^\Qa\E$`:                                  `\Qa\E$`,
		`^(?i)a$`:                                  `(?i)a$`,
		`^(?P<n>a)$`:                               `(?P<n>a)$`,
		`^.$`:                                      `.$`,
		`^ü$`:                                      `ü$`,
	} {
		if _, err := regexp.Compile(pattern); err != nil {
			t.Errorf("Go does not know %s: %v", pattern, err)
		}
		if got := foreignSyntax(pattern); got != foreign {
			t.Errorf("foreign in %s is %q, want %q", pattern, got, foreign)
		}
	}
}
