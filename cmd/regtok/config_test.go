package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

// canary stands for a credential. No error may repeat it, wherever in a file it went astray.
const canary = "bkua_c4n4ry"

func TestAConfigurationFileIsReadAsItIsWritten(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	writeFile(t, secret, canary+"\n")
	writeFile(t, filepath.Join(dir, "crlf"), canary+"\r\n")
	tests := []struct {
		name, text string
		settings   map[string]string
		accounts   []map[string]string
	}{
		{
			name:     "settings of every kind",
			text:     "listen: 127.0.0.1:0\ncache: off\ncache_size: 1MiB\ntimeout: 5s\nintrospection: true\nlog_level: debug\n",
			settings: map[string]string{"listen": "127.0.0.1:0", "cache": "off", "cache-size": "1MiB", "timeout": "5s", "introspection": "true", "log-level": "debug"},
		},
		{
			name:     "lists",
			text:     "thresholds: [P1D, PT1H]\nhosts:\n- a.example\n- b.example\n",
			settings: map[string]string{"thresholds": "P1D,PT1H", "hosts": "a.example,b.example"},
		},
		{
			name:     "lists as one text",
			text:     "thresholds: P1D,PT1H\nhosts: a.example\nmax_age: ionos=P1D\n",
			settings: map[string]string{"thresholds": "P1D,PT1H", "hosts": "a.example", "max-age": "ionos=P1D"},
		},
		{
			name:     "a mapping",
			text:     "max_age:\n  ionos: P30D\n  buildkite: P90D\n",
			settings: map[string]string{"max-age": "ionos=P30D,buildkite=P90D"},
		},
		{
			name:     "quoted keys, comments, a byte order mark, a directive and lines of Windows",
			text:     "\ufeff%YAML 1.2\r\n---\r\n\"listen\": '127.0.0.1:0' # here\r\n# no more\r\n",
			settings: map[string]string{"listen": "127.0.0.1:0"},
		},
		{
			name:     "an end mark and an empty document behind it",
			text:     "---\ncache: off\n...\n---\n",
			settings: map[string]string{"cache": "off"},
		},
		{
			name:     "braces",
			text:     "{cache: off, accounts: [{provider: ionos, token: " + canary + "}]}",
			settings: map[string]string{"cache": "off"},
			accounts: []map[string]string{{"driver": "ionos", "name": "ionos", "token": canary}},
		},
		{
			name: "several accounts of one provider",
			text: "accounts:\n- {provider: buildkite, token: a}\n- provider: buildkite\n  name: other-1_2.x\n  token: b\n" +
				"  base_url: http://127.0.0.1:1\n  organizations: one,two\n",
			accounts: []map[string]string{
				{"driver": "buildkite", "name": "buildkite", "token": "a", "base_url": "https://api.buildkite.com"},
				{"driver": "buildkite", "name": "other-1_2.x", "token": "b", "base_url": "http://127.0.0.1:1", "organizations": "one,two"},
			},
		},
		{
			name: "numbers keep their digits",
			text: "accounts:\n- provider: ionos\n  name: 007\n  username: 1e5\n  password: 12345678901234567890123\n  contract_number: 0123\n",
			accounts: []map[string]string{{
				"driver": "ionos", "name": "007", "username": "1e5", "password": "12345678901234567890123", "contract_number": "0123",
			}},
		},
		{
			name:     "words that other YAMLs take for something else",
			text:     "accounts:\n- provider: ionos\n  name: no\n  token: true\n",
			accounts: []map[string]string{{"driver": "ionos", "name": "no", "token": "true"}},
		},
		{
			name:     "a block of text",
			text:     "accounts:\n- provider: ionos\n  token: |-\n    " + canary + "\n",
			accounts: []map[string]string{{"driver": "ionos", "name": "ionos", "token": canary}},
		},
		{
			name: "secrets in files, also beside the configuration file",
			text: "accounts:\n- {provider: ionos, token_file: secret}\n- {provider: buildkite, token_file: " + secret + "}\n" +
				"- {provider: ionos, name: b, token_file: crlf}\n",
			accounts: []map[string]string{
				{"driver": "ionos", "name": "ionos", "token": canary},
				{"driver": "buildkite", "name": "buildkite", "token": canary},
				{"driver": "ionos", "name": "b", "token": canary},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseConfig(filepath.Join(dir, "regtok.yaml"), []byte(test.text), serveFlags())
			if err != nil {
				t.Fatal(err)
			}
			settings := map[string]string{}
			for name, setting := range got.settings {
				settings[name] = setting.text
			}
			if test.settings == nil {
				test.settings = map[string]string{}
			}
			if diff := cmp.Diff(settings, test.settings); diff != "" {
				t.Errorf("settings differ, got - want +\n%s", diff)
			}
			if diff := cmp.Diff(told(got.accounts), withOwnDefaults(test.accounts)); diff != "" {
				t.Errorf("accounts differ, got - want +\n%s", diff)
			}
		})
	}
}

func TestAWrongConfigurationFileIsRefusedWithThePlace(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "empty"), " \n")
	writeFile(t, filepath.Join(dir, "lines"), canary+"\nmore\n")
	writeFile(t, filepath.Join(dir, "long"), strings.Repeat("x", longestSecret+1))
	account := func(lines ...string) string {
		return "accounts:\n- provider: ionos\n  " + strings.Join(lines, "\n  ") + "\n"
	}
	tests := []struct{ name, text, want string }{
		{"an unknown key", "cache: on\nlisten_on: x\n", "regtok.yaml:2:1: unknown key listen_on; there are max_age, redis_url, redis_url_file, redis_timeout, sweep, event_retention, introspection, documents, known_documents_only, listen,"},
		{"a flag's name", "cache-size: 1MiB\n", "regtok.yaml:1:1: unknown key cache-size; there are"},
		{"the file itself", "config: other.yaml\n", "regtok.yaml:1:1: unknown key config; there are"},
		{"a flag that is no setting", "help: true\n", "regtok.yaml:1:1: unknown key help; there are"},
		{"an unknown key in an account", account("token: x", "tokn: y"), "regtok.yaml:4:3: unknown key tokn; there are provider, name, base_url,"},
		{"another provider's key", "accounts:\n- provider: buildkite\n  contract_number: 1\n",
			"regtok.yaml:3:3: unknown key contract_number; there are provider, name, base_url, token, token_file, organizations"},
		{"a credential for a key", account(canary + ":"), "regtok.yaml:3:3: unknown key; there are"},
		{"a credential for a key of the top", canary + ": 1", "regtok.yaml:1:1: unknown key; there are"},
		{"a number for a key", "1: x\n", "regtok.yaml:1:1: unknown key; there are"},
		{"a key twice", "cache: on\ncache: off\n", "regtok.yaml:2:1: not YAML: mapping key already defined at [1:1]"},
		{"no value", "cache:\n", "regtok.yaml:1:8: cache has no value; leave the key out for its default"},
		{"null", "timeout: null\n", "regtok.yaml:1:10: timeout has no value; leave"},
		{"null in a list", "thresholds: [P1D, ~]\n", "regtok.yaml:1:19: thresholds has no value; leave"},
		{"null in an account", account("token: ~"), "regtok.yaml:3:10: token has no value; leave"},
		{"a list for one value", "listen: [127.0.0.1:0]\n", "regtok.yaml:1:1: listen takes no list: write one value"},
		{"a mapping for one value", "timeout: {seconds: 5}\n", "regtok.yaml:1:1: timeout takes no keys of its own: write one value"},
		{"a mapping for a list", "hosts: {a: b}\n", "regtok.yaml:1:1: hosts takes no keys of its own"},
		{"a list for a mapping", "max_age: [P1D]\n", "regtok.yaml:1:1: max_age takes no list"},
		{"lists in a list", "hosts: [[a]]\n", "hosts needs a text or a number"},
		{"a list in a mapping", "max_age: {ionos: [P1D]}\n", "max_age needs a text or a number"},
		{"an empty list", "thresholds: []\n", "regtok.yaml:1:1: thresholds has no value; leave"},
		{"an empty mapping", "max_age: {}\n", "regtok.yaml:1:1: max_age has no value; leave"},
		{"a list for a secret", account("token: [" + canary + "]"), "token needs a text or a number"},
		{"no accounts", "accounts: []\n", "regtok.yaml:1:11: accounts is a list: start each account with `- provider:`"},
		{"accounts that are null", "accounts:\n", "accounts is a list"},
		{"accounts that are a mapping", "accounts: {provider: ionos}\n", "accounts is a list"},
		{"an account that is a text", "accounts: [" + canary + "]\n", "regtok.yaml:1:12: an account has to be a mapping"},
		{"an account without a provider", "accounts:\n- name: a\n  token: x\n", "regtok.yaml:2:3: an account needs `provider`, and that has to be one of buildkite, ionos"},
		{"an account of nobody", "accounts:\n- provider: gitlab\n", "regtok.yaml:2:3: an account needs `provider`, and that has to be one of buildkite, ionos"},
		{"two accounts of one name", "accounts:\n- {provider: ionos, token: a}\n- {provider: ionos, token: b}\n",
			"regtok.yaml:3:4: there are two accounts ionos of ionos; give each a `name` of its own"},
		{"a name that is none", account("name: a/b"), "regtok.yaml:2:3: the account's `name` needs 1 to 64 letters, digits, dots, dashes and underscores"},
		{"a name that is too long", account("name: " + strings.Repeat("a", 65)), "the account's `name` needs 1 to 64 letters"},
		{"a secret twice", account("token: "+canary, "token_file: empty"), "regtok.yaml:2:3: token and token_file are both given; one is enough"},
		{"a secret's file that is not there", account("token_file: " + canary),
			"regtok.yaml:2:3: token_file: the file cannot be read: no such file or directory"},
		{"a secret's file that is a folder", account("token_file: ."), "token_file: the file cannot be read: is a directory"},
		{"a secret's file that is empty", account("password_file: empty"), "password_file: the file has to hold the secret in one line, and nothing else"},
		{"a secret's file of two lines", account("token_file: lines"), "token_file: the file has to hold the secret in one line"},
		{"a secret's file without end", account("token_file: /dev/zero"), "token_file: the file has to hold the secret in one line"},
		{"a secret's file that is long", account("token_file: long"), "token_file: the file has to hold the secret in one line"},
		{"a file for what is no secret", account("base_url_file: empty"), "regtok.yaml:3:3: unknown key base_url_file; there are"},
		{"an empty file", "", "regtok.yaml is empty"},
		{"a file of comments", "# nothing\n---\n", "regtok.yaml is empty"},
		{"a text", canary + "\n", "regtok.yaml:1:1: the file has to be a mapping: lines of `key: value`"},
		{"a list", "- cache: on\n", "regtok.yaml:1:1: the file has to be a mapping"},
		{"two documents", "cache: on\n---\ncache: off\n", "regtok.yaml:3:1: a second document; one is enough"},
		{"a tab", "accounts:\n\t- provider: ionos\n", "regtok.yaml:2:1: not YAML: a tab; indent with spaces"},
		{"a tab before a key", "\tcache: on\n", "regtok.yaml:1:6: not YAML: a tab; indent with spaces"},
		{"an anchor", "cache: &c on\n", "regtok.yaml:1:8: cache: anchors, aliases and tags mean nothing here; write the value out"},
		{"an alias", account("name: a", "token: *a"), "regtok.yaml:4:10: token: anchors, aliases and tags mean nothing here"},
		{"a tag", account("contract_number: !!str 12"), "contract_number: anchors, aliases and tags mean nothing here"},
		{"a merge key", "accounts:\n- <<: {provider: ionos}\n  provider: ionos\n", "regtok.yaml:2:3: unknown key; there are provider,"},
		{"an anchor of a mapping", "accounts:\n- &a\n  provider: ionos\n", "an account has to be a mapping"},
		{"a bracket that stays open", "thresholds: [P1D", "regtok.yaml:1:13: not YAML: "},
		{"a quotation without end", account(`token: "` + canary), "regtok.yaml:3:10: not YAML: could not find end character of double-quoted text"},
		{"a credential behind a block's mark", account("token: |"+canary, "x"), "regtok.yaml:3:10: not YAML: invalid header option:"},
		{"a credential with something below it", account("token: "+canary, "  b: 1"), "regtok.yaml:3:10: not YAML: "},
		{"another YAML", "%YAML " + canary + "\n---\ncache: on\n", "regtok.yaml:1:7: not YAML: unknown YAML version"},
		{"UTF-16", "\xff\xfec\x00a\x00", "regtok.yaml is not UTF-8 text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseConfig(filepath.Join(dir, "regtok.yaml"), []byte(test.text), serveFlags())
			if err == nil {
				t.Fatal("the file was taken")
			}
			got := strings.TrimPrefix(err.Error(), dir+"/")
			if !strings.Contains(got, test.want) || strings.HasPrefix(test.want, "regtok.yaml") && !strings.HasPrefix(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if strings.Contains(got, canary) || strings.Contains(got, "\n") {
				t.Errorf("the error repeats the file: %q", got)
			}
		})
	}
}

func TestTheReadmesConfigurationIsTaken(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "```yaml\n")
	text, _, found := strings.Cut(text, "```")
	if !found {
		t.Fatal("the README shows no configuration")
	}
	secret := filepath.Join(t.TempDir(), "secret")
	writeFile(t, secret, canary)
	text = regexp.MustCompile(`/run/secrets/\w+`).ReplaceAllString(text, secret)
	got, err := parseConfig("README.md", []byte(text), serveFlags())
	if err != nil || len(got.accounts) == 0 || len(got.settings) == 0 {
		t.Errorf("got %v, %v, want settings and accounts", got, err)
	}
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long.yaml")
	writeFile(t, long, "cache: on\n"+strings.Repeat("# more\n", longestConfig/7))
	for path, want := range map[string]string{
		filepath.Join(dir, "nowhere.yaml"): "nowhere.yaml: no such file or directory",
		dir:                                dir + ": is a directory",
		long:                               long + " is longer than 1024 KiB",
	} {
		said, code := refused(t, nil, "serve", "--config="+path)
		if !strings.HasPrefix(said, "regtok: --config (REGTOK_CONFIG): ") || !strings.Contains(said, want) || code != 2 {
			t.Errorf("--config=%s: exit %d, %s, want exit 2 and %s", path, code, said, want)
		}
	}
}

// serveFlags are the flags that a file can set.
func serveFlags() []*kong.Flag {
	var settings program
	for _, command := range (process{getenv: noVariables}).parser(&settings, sources{}).Model.Children {
		if command.Name == "serve" {
			return command.Flags
		}
	}
	panic("there is no command serve")
}

func noVariables(string) string { return "" }

// told writes accounts down to compare them.
func told(accounts []accountConfig) []map[string]string {
	var list []map[string]string
	for _, account := range accounts {
		texts := map[string]string{"driver": account.driver.Name, "name": account.name}
		for name, value := range account.settings {
			if !value.Empty() {
				texts[name] = value.Reveal()
			}
		}
		list = append(list, texts)
	}
	return list
}

// withOwnDefaults adds to what a test wants what every account has.
func withOwnDefaults(accounts []map[string]string) []map[string]string {
	for _, account := range accounts {
		driver, err := driverNamed(account["driver"])
		if err != nil {
			panic(err)
		}
		for name, value := range withDefaults(driver, providers.Settings{}) {
			if _, given := account[name]; !given && !value.Empty() {
				account[name] = value.Reveal()
			}
		}
	}
	return accounts
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
