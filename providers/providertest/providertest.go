// Package providertest is the conformance suite of providers: what every adapter promises, tried between the adapter
// and its emulator. It knows no provider. What differs between them is data: their capabilities, their costs, and
// what an emulator's choices restrict.
package providertest

import (
	"slices"
	"testing"

	"regtok/providers"
)

// subject is what a case is about: a driver, and its emulator under some choices.
type subject struct {
	driver  providers.Driver
	choices map[string]string
}

// group is a row of the table of cases.
type group struct {
	name  string
	cases []testCase
}

// testCase has a sentence about every provider for a name.
type testCase struct {
	sentence string
	run      func(*testing.T, subject)
	// always: the case is run under every choice of the emulator, because vendors may differ there.
	always bool
}

func groups() []group {
	return []group{
		{"lifecycle", lifecycleCases()},
		{"lists", listCases()},
		{"identity", identityCases()},
		{"capabilities", capabilityCases()},
		{"errors", errorCases()},
		{"secrets", secretCases()},
		{"faults", slices.Concat(faultCases(), slowCases(), wireCases())},
		{"concurrency", concurrencyCases()},
		{"economy", economyCases()},
		{"settings", settingCases()},
	}
}

// Run tries everything on a driver: all cases with the emulator's default choices, and again, for each other value of
// each choice, those that must not depend on it.
func Run(t *testing.T, d providers.Driver) {
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) { subject{driver: d}.run(t, g.cases) })
	}
	t.Run("choices", func(t *testing.T) { runChoices(t, d) })
}

func (s subject) run(t *testing.T, cases []testCase) {
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) { c.run(t, s) })
	}
}

func runChoices(t *testing.T, d providers.Driver) {
	emulator := must(d.Emulator(providers.EmulatorOptions{}))(t)
	for _, choice := range emulator.Choices {
		for _, value := range choice.Values[1:] {
			s := subject{d, map[string]string{choice.Name: value}}
			t.Run(choice.Name+"="+value, func(t *testing.T) {
				if restricted := choice.Restricts[value]; restricted != nil {
					s.checkRestriction(t, restricted)
					return
				}
				s.runAlways(t)
			})
		}
	}
}

func (s subject) runAlways(t *testing.T) {
	for _, g := range groups() {
		always := slices.DeleteFunc(g.cases, func(c testCase) bool { return !c.always })
		if len(always) > 0 {
			t.Run(g.name, func(t *testing.T) { s.run(t, always) })
		}
	}
}
