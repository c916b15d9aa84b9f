package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"regtok/providers/all"
)

func TestTheHelpOfEachCommandTellsEveryFlagVariableAndDefault(t *testing.T) {
	var settings program
	model := (process{getenv: noVariables}).parser(&settings, sources{}).Model
	for _, command := range model.Children {
		text, code := output(t, nil, command.Name, "-h")
		if code != 0 || !strings.Contains(text, command.Help) {
			t.Errorf("%s -h: exit %d, said %s", command.Name, code, text)
		}
		said := map[string]string{}
		for _, part := range flagStart.Split(text, -1)[1:] {
			name := flagName.FindString(part)
			said[name] = strings.Join(strings.Fields(part), " ")
		}
		for _, flag := range command.Flags {
			checkHelp(t, command.Name, said[flag.Name], flag)
		}
		for _, line := range strings.Split(text, "\n") {
			if len(line) > 120 {
				t.Errorf("%s -h: a line of %d letters: %s", command.Name, len(line), line)
			}
		}
	}
}

var (
	flagStart = regexp.MustCompile(`(?m)^ +(-\w, )?--`)
	flagName  = regexp.MustCompile(`^[a-z-]+`)
)

func checkHelp(t *testing.T, command, said string, flag *kong.Flag) {
	t.Helper()
	want := []string{flag.Help}
	if flag.HasDefault {
		want = append(want, "Default: "+flag.Default+".")
	}
	if name := flag.Tag.Get("variable"); name != "" {
		if want := "REGTOK_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")); name != want {
			t.Errorf("the variable of --%s is %s, want %s", flag.Name, name, want)
		}
		want = append(want, "Variable: "+name+".")
	}
	for _, want := range want {
		if !strings.Contains(said, want) {
			t.Errorf("%s -h says %q of --%s, want %q", command, said, flag.Name, want)
		}
	}
	if flag.Name != "help" && len(flag.Tag.Envs) > 0 {
		t.Errorf("--%s would be read from the process's environment: use the tag `variable`", flag.Name)
	}
}

func TestTheHelpOfServeTellsWhatAnAccountNeeds(t *testing.T) {
	said, _ := output(t, nil, "serve", "-h")
	for _, driver := range all.Drivers() {
		for _, setting := range driver.Settings {
			for _, want := range []string{setting.Name, setting.Env, setting.Help, setting.Default} {
				if !strings.Contains(said, want) {
					t.Errorf("it lacks %q of %s", want, driver.Name)
				}
			}
		}
	}
}

func TestWithoutACommandTheHelpIsShown(t *testing.T) {
	help, _ := output(t, nil, "-h")
	if got, code := output(t, nil); got != help || code != 0 {
		t.Errorf("exit %d, said %s, want %s", code, got, help)
	}
	for _, want := range []string{"demo", "serve", "emulate", "schema", "--version"} {
		if !strings.Contains(help, want) {
			t.Errorf("the help lacks %s:\n%s", want, help)
		}
	}
}

func TestAWrongCommandLineIsRefused(t *testing.T) {
	for args, want := range map[string]string{
		"srve":                               `regtok: unexpected argument srve, did you mean "serve"?`,
		"serve --lsten=x":                    `regtok: unknown flag --lsten, did you mean "--listen"?`,
		"serve --cache=maybe":                `regtok: --cache (REGTOK_CACHE) must be one of "on","off" but got "maybe"`,
		"serve --redis-url":                  "regtok: --redis-url (REGTOK_REDIS_URL): it needs a value\n",
		"serve --config":                     "regtok: --config (REGTOK_CONFIG): it needs a value\n",
		"emulate ionos --listen":             "regtok: --listen: it needs a value\n",
		"emulate ionos --registries=x":       "regtok: --registries: expected a valid",
		"demo --config=x":                    "regtok: unknown flag --config",
		"demo --redis-url=redis://127.0.0.1": "regtok: unknown flag --redis-url",
		"serve --redis-url=postgres://x":     "regtok: --redis-url (REGTOK_REDIS_URL): this is not an address like redis://user:password@host:6379/0, redis+sentinel://",
	} {
		said, code := refused(t, nil, strings.Fields(args)...)
		if !strings.HasPrefix(said, want) || code != 2 {
			t.Errorf("%s: exit %d, said %q, want exit 2, %q", args, code, said, want)
		}
	}
}

func TestTheVersionIsOneWord(t *testing.T) {
	said, code := output(t, nil, "--version")
	if !regexp.MustCompile(`^\S+\n$`).MatchString(said) || code != 0 {
		t.Errorf("exit %d, said %q", code, said)
	}
}
