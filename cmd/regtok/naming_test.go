package main

import (
	"strings"
	"testing"
)

// TestAnAddressOfRedisThatIsGivenTwiceIsToldSo: be what stands there, or in the file, right or wrong.
func TestAnAddressOfRedisThatIsGivenTwiceIsToldSo(t *testing.T) {
	const want = "regtok: --redis-url (REGTOK_REDIS_URL) and --redis-url-file (REGTOK_REDIS_URL_FILE) are both given; one is enough\n"
	dir := t.TempDir()
	good, bad := besides("one"), dir+"/"+canary
	config := dir + "/regtok.yaml"
	writeFile(t, config, "redis_url_file: "+bad+"\n")
	both := dir + "/both.yaml"
	writeFile(t, both, "redis_url: redis://h\nredis_url_file: "+bad+"\n")
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"by flags":                 {nil, []string{"--redis-url=redis://h", "--redis-url-file=" + good}},
		"by flags, without =":      {nil, []string{"--redis-url-file", good, "--redis-url", "redis://h"}},
		"the file is not there":    {nil, []string{"--redis-url=redis://h", "--redis-url-file=" + bad}},
		"it is named first":        {nil, []string{"--redis-url-file=" + bad, "--redis-url=redis://h"}},
		"the address is none":      {nil, []string{"--redis-url=" + canary, "--redis-url-file=" + good}},
		"by variables":             {map[string]string{"REGTOK_REDIS_URL": "redis://h", "REGTOK_REDIS_URL_FILE": bad}, nil},
		"by a variable and a flag": {map[string]string{"REGTOK_REDIS_URL": "redis://h"}, []string{"--redis-url-file=" + bad}},
		"by a file and a variable": {map[string]string{"REGTOK_REDIS_URL": "redis://h"}, []string{"-c", config}},
		"by a file and a flag":     {nil, []string{"-c", config, "--redis-url=redis://h"}},
		"by a file, both":          {nil, []string{"-c", both}},
	} {
		said, code := refused(t, test.env, append([]string{"serve"}, test.args...)...)
		if said != want || strings.Contains(said, canary) || code != 2 {
			t.Errorf("%s: exit %d, said %q, want exit 2, %q", name, code, said, want)
		}
	}
	env := map[string]string{"REGTOK_REDIS_URL": "redis://h", "REGTOK_REDIS_URL_FILE": bad}
	if _, err := (process{getenv: func(name string) string { return env[name] }}).parse([]string{"demo"}); err != nil {
		t.Errorf("the demo has no use for them, and says %v", err)
	}
}

func TestASweepThatIsAskedForNeedsTheCache(t *testing.T) {
	const want = "regtok: --sweep (REGTOK_SWEEP) is on and --cache (REGTOK_CACHE) is off: the sweep needs the cache\n"
	account := map[string]string{"IONOS_TOKEN": "x"}
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, "sweep: on\ncache: off\n")
	for _, test := range []struct {
		env  map[string]string
		args []string
	}{
		{account, []string{"serve", "--sweep=on", "--cache=off"}},
		{account, []string{"serve", "--cache", "off", "--sweep", "on"}},
		{map[string]string{"IONOS_TOKEN": "x", "REGTOK_SWEEP": "on", "REGTOK_CACHE": "off"}, []string{"serve"}},
		{account, []string{"serve", "-c", config}},
		{nil, []string{"demo", "--sweep=on", "--cache=off"}},
	} {
		if said, code := refused(t, test.env, test.args...); said != want || code != 2 {
			t.Errorf("%q: exit %d, said %q, want exit 2, %q", test.args, code, said, want)
		}
	}
	for _, args := range [][]string{{"serve", "--cache=off"}, {"serve", "--cache=off", "--sweep=off"}, {"serve", "--sweep=on"}, {"serve", "-c", config, "--cache=on"}} {
		if said, code := refused(t, account, append(args, "--listen=127.0.0.1:0")...); code != 0 {
			t.Errorf("%q: exit %d, said %q, want that it serves", args, code, said)
		}
	}
}
