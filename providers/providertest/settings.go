package providertest

import (
	"regexp"
	"strings"
	"testing"

	"regtok/providers"
)

func settingCases() []testCase {
	return []testCase{
		{"the driver is described", describedDriver, false},
		{"opening sends no request", openingIsQuiet, false},
		{"an adapter works with a plain client", plainClient, false},
		{"no credential is INVALID and its setting is named", missingCredential, false},
		{"a senseless address is INVALID and its setting is named", senselessAddress, false},
		{"a senseless emulator option is INVALID", senselessOptions, false},
	}
}

func describedDriver(t *testing.T, s subject) {
	d := s.driver
	if !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(d.Name) || d.Title == "" {
		t.Errorf("the driver is %q, %q, want a short name in lower case and a title", d.Name, d.Title)
	}
	named := map[string]bool{}
	for _, setting := range d.Settings {
		if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(setting.Name) || named[setting.Name] {
			t.Errorf("the setting %q is named twice, or not in lower case", setting.Name)
		}
		named[setting.Name] = true
		if setting.Help == "" || setting.Secret && setting.Default != "" {
			t.Errorf("the setting %q has no help, or is a secret with a default", setting.Name)
		}
	}
	r := s.newRig(t, options{})
	for name := range r.emulator.Settings(r.base) {
		if !named[name] {
			t.Errorf("the emulator sets %q, which is no setting", name)
		}
	}
	for _, choice := range r.emulator.Choices {
		if choice.Name == "" || choice.Help == "" || len(choice.Values) < 2 {
			t.Errorf("the choice %+v has no name, no help or nothing to choose", choice)
		}
	}
}

func openingIsQuiet(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	r.tap.Reset()
	r.open(t)
	r.wantRequests(t, "opening", 0)
}

func plainClient(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	p := must(r.driver.Open(providers.Config{Settings: r.withDefaults(r.emulator.Settings(r.base))}))(t)
	same(t, "a token read with a plain client differs", must(p.Token(t.Context(), r.world.token.ID))(t), r.world.token)
}

// addresses are the settings that hold one, and what they hold.
func (r *rig) addresses() map[string]string {
	found := map[string]string{}
	for name, value := range r.emulator.Settings(r.base) {
		if strings.HasPrefix(value.Reveal(), r.base) {
			found[name] = value.Reveal()
		}
	}
	return found
}

// wantNamed checks that opening fails and names one of the settings.
func (r *rig) wantNamed(t *testing.T, what string, settings providers.Settings, names func(providers.Setting) bool) {
	t.Helper()
	p, err := r.openWith(settings)
	e := r.wantKind(t, what, err, providers.Invalid)
	if p != nil {
		t.Errorf("%s: there is an adapter", what)
	}
	for _, setting := range r.driver.Settings {
		if setting.Name == e.Field && names(setting) {
			return
		}
	}
	t.Errorf("%s: the field at fault is %q, want the setting's name", what, e.Field)
}

func missingCredential(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	isSecret := func(setting providers.Setting) bool { return setting.Secret }
	without, broken := providers.Settings{}, r.emulator.Settings(r.base)
	for name, value := range r.emulator.Settings(r.base) {
		if _, address := r.addresses()[name]; address {
			without[name] = value
		} else if !value.Empty() {
			broken[name] = providers.NewSecret("two\nlines")
		}
	}
	r.wantNamed(t, "no credential", without, isSecret)
	r.wantNamed(t, "a credential that no header can hold", broken, isSecret)
}

func senselessAddress(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	if len(r.addresses()) == 0 {
		t.Fatal("no setting holds an address, so the adapter cannot call the emulator")
	}
	for name := range r.addresses() {
		for _, address := range []string{
			"not an address", "/only/a/path", "ftp://127.0.0.1/", "http://192.0.2.1/", "https://user:password@example.test",
			"https://example.test/?query", "https://example.test/#fragment", "https://", "http://127.0.0.1.example.test/",
		} {
			settings := r.emulator.Settings(r.base)
			settings[name] = providers.NewSecret(address)
			r.wantNamed(t, name+" "+address, settings, func(s providers.Setting) bool { return s.Name == name })
		}
	}
}

func senselessOptions(t *testing.T, s subject) {
	for what, o := range map[string]providers.EmulatorOptions{
		"an unknown choice":   {Choices: map[string]string{"no such choice": "x"}},
		"an unknown value":    {Choices: map[string]string{s.firstChoice(t): "no such value"}},
		"fewer than none":     {Registries: -1},
		"fewer tokens than 0": {Registries: 1, Tokens: -1},
	} {
		if emulator, err := s.driver.Emulator(o); providers.KindOf(err) != providers.Invalid || emulator != nil {
			t.Errorf("%s: %v, want INVALID", what, err)
		}
	}
}

func (s subject) firstChoice(t *testing.T) string {
	t.Helper()
	emulator := must(s.driver.Emulator(providers.EmulatorOptions{}))(t)
	if len(emulator.Choices) == 0 {
		return "none at all"
	}
	return emulator.Choices[0].Name
}
