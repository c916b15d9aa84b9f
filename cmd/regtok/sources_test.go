package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// choice is a setting of serve with a value from everywhere it can come from, and one that makes no sense.
type choice struct {
	flag, variable                        string
	byDefault, byFile, byVariable, byFlag string // as fmt shows them
	file                                  string // as a file has it; empty: like byFile
	rubbish                               string
	read                                  func(serve) any
}

func choices() []choice {
	return []choice{
		{"listen", "REGTOK_LISTEN", "127.0.0.1:8080", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "", "nonsense", func(s serve) any { return s.Listen }},
		{"hosts", "REGTOK_HOSTS", "[]", "[a b]", "[c]", "[d]", "[a, b]", "https://a", func(s serve) any { return s.Hosts }},
		{"origins", "REGTOK_ORIGINS", "[]", "[http://a https://b:8443]", "[http://c]", "[http://d]", `["http://a", "https://b:8443"]`, "https://a/", func(s serve) any { return s.Origins }},
		{"tls-cert", "REGTOK_TLS_CERT", "", "/", "/dev", "/dev/null", "", canary, func(s serve) any { return s.TLSCert }},
		{"tls-key", "REGTOK_TLS_KEY", "", "/", "/dev", "/dev/null", "", canary, func(s serve) any { return s.TLSKey }},
		{"trusted-proxies", "REGTOK_TRUSTED_PROXIES", "[]", "[10.0.0.0/8 192.0.2.1/32]", "[2001:db8::/32]", "[::1/128]", "[10.0.0.0/8, 192.0.2.1]", "0.0.0.0/0", func(s serve) any { return s.TrustedProxies }},
		{"cache", "REGTOK_CACHE", "on", "off", "on", "off", "", "maybe", func(s serve) any { return s.Cache }},
		{"sweep", "REGTOK_SWEEP", "on", "off", "on", "off", "", "maybe", func(s serve) any { return s.Sweep }},
		{"sweep-share", "REGTOK_SWEEP_SHARE", "40", "1", "50", "90", "1%", "91%", func(s serve) any { return s.SweepShare }},
		{"cache-size", "REGTOK_CACHE_SIZE", "67108864", "1024", "2048", "3072", "1KiB", "12", func(s serve) any { return s.CacheSize }},
		{"streams", "REGTOK_STREAMS", "1000", "1", "2", "3", "", "0", func(s serve) any { return s.Streams }},
		{"max-body", "REGTOK_MAX_BODY", "33554432", "1024", "2048", "3072", "1KB", "-1MiB", func(s serve) any { return s.MaxBody }},
		{"timeout", "REGTOK_TIMEOUT", "30000000000", "1000000000", "2000000000", "3000000000", "1s", "30", func(s serve) any { return s.Timeout }},
		{"thresholds", "REGTOK_THRESHOLDS", "[2592000000000000 1209600000000000 604800000000000 259200000000000 86400000000000 3600000000000]",
			"[1000000000 2000000000]", "[3000000000]", "[4000000000]", "[PT1S, PT2S]", "P1M", func(s serve) any { return s.Thresholds }},
		{"max-age", "REGTOK_MAX_AGE", "map[]", "map[buildkite:2000000000 ionos:1000000000]", "map[ionos:3000000000]", "map[ionos:4000000000]",
			"{ionos: PT1S, buildkite: PT2S}", "gitlab=P1D", func(s serve) any { return s.MaxAge }},
		{"redis-url", "REGTOK_REDIS_URL", "", "one:1", "two:6379", "/three.sock", "redis://user:word@one:1/2", "redis://:" + canary + "@one/two", addressOf(func(s serve) redisURL { return s.RedisURL })},
		{"redis-url-file", "REGTOK_REDIS_URL_FILE", "", "one:1", "two:6379", "/three.sock", besides("one"), canary, addressOf(func(s serve) redisURL { return s.RedisURLFile.redisURL })},
		{"redis-timeout", "REGTOK_REDIS_TIMEOUT", "50000000", "10000000", "20000000", "2000000000", "10ms", "3s", func(s serve) any { return s.RedisTimeout }},
		{"events", "REGTOK_EVENTS", "on", "off", "on", "off", "", "maybe", func(s serve) any { return s.Events }},
		{"event-retention", "REGTOK_EVENT_RETENTION", "3024000000000000", "1000000000", "2000000000", "3000000000", "PT1S", "P1M", func(s serve) any { return s.EventRetention }},
		{"introspection", "REGTOK_INTROSPECTION", "false", "true", "false", "true", "", "perhaps", func(s serve) any { return s.Introspection }},
		{"metrics", "REGTOK_METRICS", "on", "off", "on", "off", "", "maybe", func(s serve) any { return s.Metrics }},
		{"apq", "REGTOK_APQ", "on", "off", "on", "off", "", "maybe", func(s serve) any { return s.APQ }},
		{"log-level", "REGTOK_LOG_LEVEL", "info", "debug", "warn", "error", "", "loud", func(s serve) any { return s.LogLevel }},
		{"log-format", "REGTOK_LOG_FORMAT", "auto", "json", "text", "json", "", "xml", func(s serve) any { return s.LogFormat }},
	}
}

// addressOf shows where a Redis is.
func addressOf(setting func(serve) redisURL) func(serve) any {
	return func(s serve) any {
		if u := setting(s); u.options != nil {
			return u.options.Addrs[0]
		}
		return ""
	}
}

// besides is the path of a file with an address of Redis.
func besides(name string) string {
	path, err := filepath.Abs("testdata/redis/" + name)
	if err != nil {
		panic(err)
	}
	return path
}

// written is a shown value as flags and variables have it.
func (c choice) written(shown string) string {
	shown = strings.Trim(shown, "[]")
	switch c.flag {
	case "cache-size", "max-body":
		return shown + "B"
	case "timeout", "redis-timeout":
		return shown + "ns"
	case "redis-url":
		if strings.HasPrefix(shown, "/") {
			return "unix://" + shown
		}
		return "rediss://" + shown
	case "redis-url-file":
		name, _, _ := strings.Cut(strings.Trim(shown, "/"), ".")
		name, _, _ = strings.Cut(name, ":")
		return besides(name)
	case "thresholds":
		return "PT" + strings.TrimSuffix(shown, "000000000") + "S"
	case "event-retention":
		return "PT" + strings.TrimSuffix(shown, "000000000") + "S"
	case "max-age":
		return "ionos=PT" + strings.TrimSuffix(strings.TrimPrefix(shown, "map[ionos:"), "000000000") + "S"
	}
	return shown
}

// key is what a file calls the setting.
func (c choice) key() string { return strings.ReplaceAll(c.flag, "-", "_") }

// line is the setting in a file.
func (c choice) line() string {
	if c.file == "" {
		return c.key() + ": " + c.byFile + "\n"
	}
	return c.key() + ": " + c.file + "\n"
}

// TestAFlagGoesBeforeAVariableBeforeTheFileBeforeTheDefault gives all settings at once, since to read the command line
// takes long. That each has the variable that its name tells is tested in help_test.go.
func TestAFlagGoesBeforeAVariableBeforeTheFileBeforeTheDefault(t *testing.T) {
	var together, apart []choice // what contradicts one of the others
	for _, c := range choices() {
		if c.flag == "redis-url-file" {
			apart = append(apart, c)
			continue
		}
		together = append(together, c)
	}
	for _, round := range [][]choice{together, apart} {
		lines, flags, env, empty := "", []string{}, map[string]string{}, map[string]string{}
		for _, c := range round {
			lines += c.line()
			env[c.variable], empty[c.variable] = c.written(c.byVariable), ""
			flags = append(flags, "--"+c.flag+"="+c.written(c.byFlag))
		}
		config := t.TempDir() + "/regtok.yaml"
		writeFile(t, config, lines)
		args, withFile := []string{"serve"}, []string{"serve", "--config=" + config}
		for _, given := range []struct {
			name string
			env  map[string]string
			args []string
			want func(choice) string
		}{
			{"nothing", nil, args, func(c choice) string { return c.byDefault }},
			{"the file", nil, withFile, func(c choice) string { return c.byFile }},
			{"the variable", env, args, func(c choice) string { return c.byVariable }},
			{"the variable and the file", env, withFile, func(c choice) string { return c.byVariable }},
			{"all three", env, append(withFile, flags...), func(c choice) string { return c.byFlag }},
			{"an empty variable and the file", empty, withFile, func(c choice) string { return c.byFile }},
		} {
			settings := parsed(t, given.env, given.args...)
			for _, c := range round {
				if got, want := fmt.Sprint(c.read(settings)), given.want(c); got != want {
					t.Errorf("--%s by %s: got %s, want %s", c.flag, given.name, got, want)
				}
			}
		}
	}
}

func TestEachSettingIsTriedFromEverywhere(t *testing.T) {
	var covered []string
	for _, c := range choices() {
		covered = append(covered, c.key())
	}
	for _, flag := range limitFlags() { // which are of a few kinds, and set one by one in TestEachLimitCanBeSet
		if key := strings.ReplaceAll(flag.Name, "-", "_"); !slices.Contains(covered, key) {
			covered = append(covered, key)
		}
	}
	covered = append(covered, "documents", "known_documents_only") // which go together: see documents_test.go
	known := keysOf(serveFlags())
	slices.Sort(known)
	slices.Sort(covered)
	if diff := cmp.Diff(covered, known); diff != "" {
		t.Errorf("the tested settings are not all that there are, got - want +\n%s", diff)
	}
}

func TestTheFileCanBeNamedByAVariable(t *testing.T) {
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, "timeout: 5s\n")
	if got := parsed(t, map[string]string{"REGTOK_CONFIG": config}, "serve").Timeout; got != 5e9 {
		t.Errorf("timeout = %d, want 5s", got)
	}
	if got := parsed(t, map[string]string{"REGTOK_CONFIG": "/nowhere"}, "serve", "-c", config).Timeout; got != 5e9 {
		t.Errorf("with -c, timeout = %d, want 5s", got)
	}
}

func TestAFlagGivenTwiceAdds(t *testing.T) {
	got := parsed(t, nil, "serve", "--hosts=a,b", "--hosts=c", "--thresholds=P1D", "--thresholds=PT1H", "--max-age=ionos=P1D", "--max-age=buildkite=P2D")
	want := "[a b c] [86400000000000 3600000000000] map[buildkite:172800000000000 ionos:86400000000000]"
	if got := fmt.Sprint(got.Hosts, got.Thresholds, got.MaxAge); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAWrongSettingIsNamedByWhereItStands(t *testing.T) {
	account := map[string]string{"BUILDKITE_API_TOKEN": canary}
	for _, c := range choices() {
		config := t.TempDir() + "/regtok.yaml"
		writeFile(t, config, c.key()+": \""+c.rubbish+"\"\n")
		withVariable := maps.Clone(account)
		withVariable[c.variable] = c.rubbish
		tests := []struct {
			place, want string
			env         map[string]string
			args        []string
		}{
			{"flag", "--" + c.flag + " (" + c.variable + ")", account, []string{"serve", "--" + c.flag + "=" + c.rubbish}},
			{"variable", c.variable + ": ", withVariable, []string{"serve"}},
			{"file", config + ":1:1: " + c.key() + ": ", account, []string{"serve", "-c", config}},
		}
		for _, test := range tests {
			want := "regtok: " + test.want
			if c.flag == "listen" {
				want = "regtok: --listen (REGTOK_LISTEN): " // checked by listening
			}
			said, code := refused(t, test.env, test.args...)
			if !strings.HasPrefix(said, want) || strings.Contains(said, canary) || code != 2 {
				t.Errorf("%s of %s: exit %d, said %q, want exit 2, %q", c.flag, test.place, code, said, want)
			}
		}
	}
}

func TestTheProcessAroundIsNotLookedAt(t *testing.T) {
	for _, c := range choices() {
		t.Setenv(c.variable, c.rubbish)
	}
	t.Setenv("REGTOK_CONFIG", "/nowhere")
	if got := parsed(t, nil, "serve"); got.Timeout != 30e9 || got.Config != "" || got.RedisURL.options != nil {
		t.Errorf("got %+v, want the defaults", got)
	}
}

func TestACommandIsNotDisturbedByAnothersSettings(t *testing.T) {
	env := map[string]string{"REGTOK_CONFIG": "/nowhere", "REGTOK_TIMEOUT": "x", "REGTOK_MAX_AGE": "x"}
	if said, code := output(t, env, "schema"); code != 0 {
		t.Errorf("schema: exit %d, %s", code, said)
	}
}

func TestDurationsAndSizes(t *testing.T) {
	tests := []struct {
		flag, value, want string // an empty want: refused
	}{
		{"timeout", "1h30m", "1h30m"}, {"timeout", "0s", ""}, {"timeout", "-1s", ""}, {"timeout", "1e9s", ""}, {"timeout", "P1D", ""}, {"timeout", "9999999h", ""},
		{"cache-size", "1.5MiB", "1536KiB"}, {"cache-size", "0", ""}, {"cache-size", "0MiB", ""}, {"cache-size", "9EiB", ""}, {"cache-size", "MiB", ""},
		{"cache-size", "0.1B", ""}, {"cache-size", "8EiB", ""},
		{"thresholds", "P1W", "P7D"}, {"thresholds", "P1DT12H", "PT36H"}, {"thresholds", "P36500D", "P36500D"},
		{"thresholds", "P36501D", ""}, {"thresholds", "-P1D", ""}, {"thresholds", "P-1D", ""}, {"thresholds", "P0D", ""}, {"thresholds", "P", ""},
		{"thresholds", "P1Y", ""}, {"thresholds", "P99999999999999999999D", ""}, {"thresholds", "P1D,", ""}, {"thresholds", "PNaND", ""},
		{"max-age", "ionos", ""}, {"max-age", "ionos=", ""}, {"max-age", "=P1D", ""}, {"max-age", "ionos=P1D,", ""}, {"max-age", "ionos=P1D, buildkite=P2D", "buildkite=P2D,ionos=P1D"},
		{"hosts", "a.b-c.example", "a.b-c.example"}, {"hosts", "a.", ""}, {"hosts", "a:1", ""}, {"hosts", "[::1]", ""}, {"hosts", "a,,b", ""}, {"hosts", "*.example", ""},
		{"origins", "https://A.example:443", "https://a.example"}, {"origins", "*", ""}, {"origins", "https://*.example", ""}, {"origins", "a.example", ""}, {"origins", "https://a.example/app", ""}, {"origins", "https://a,,https://b", ""},
		{"trusted-proxies", "10.0.0.7", "10.0.0.7/32"}, {"trusted-proxies", "10.0.0.7/8", ""}, {"trusted-proxies", "::/0", ""}, {"trusted-proxies", "fe80::1%eth0", ""}, {"trusted-proxies", "proxy.example", ""},
	}
	for _, test := range tests {
		command, err := (process{getenv: noVariables}).parse([]string{"serve", "--" + test.flag + "=" + test.value})
		if test.want == "" {
			if err == nil || !strings.HasPrefix(err.Error(), settingName(test.flag)+": ") {
				t.Errorf("--%s=%s: %v, want an error that names the flag", test.flag, test.value, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("--%s=%s: %v", test.flag, test.value, err)
			continue
		}
		got, want := command.Selected().Target.Interface().(serve), parsed(t, nil, "serve", "--"+test.flag+"="+test.want)
		if diff := cmp.Diff(fmt.Sprint(got), fmt.Sprint(want)); diff != "" {
			t.Errorf("--%s=%s is not %s:\n%s", test.flag, test.value, test.want, diff)
		}
	}
}

// parsed are the settings of serve as the command line, variables and a file have them.
func parsed(t testing.TB, env map[string]string, args ...string) serve {
	t.Helper()
	command, err := (process{getenv: func(name string) string { return env[name] }}).parse(args)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return command.Selected().Target.Interface().(serve)
}
