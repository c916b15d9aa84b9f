package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"regtok/redistest"
)

// TestAWrongAddressOfRedisIsToldOnceWithItsCure: however many parts of the program meet it, and whatever it is.
func TestAWrongAddressOfRedisIsToldOnceWithItsCure(t *testing.T) {
	open := redistest.Start(t)
	closed := redistest.Start(t, "--requirepass", canary)
	guarded := redistest.StartGuarded(t)
	ionos := start(t, nil, "emulate", "ionos")
	for address, want := range map[string]string{
		"redis://" + open.Addr() + "/99":                             "the number of the database",
		"redis+sentinel://" + open.Addr() + "/m":                     "it is no sentinel",
		"redis+sentinel://" + guarded.Sentinel.Addr() + "/" + canary: "the master's name",
		"redis+cluster://" + open.Addr():                             "it is no cluster",
		"rediss://" + open.Addr():                                    "begins with redis instead of rediss",
		"redis://" + closed.Addr():                                   "it wants a password",
		"redis://:" + canary + "x@" + closed.Addr():                  "it refuses the user or the password",
		"redis://" + guarded.Sentinel.Addr():                         "no sentinel, whose addresses begin with redis+sentinel://",
		"redis://" + canary + ".invalid":                             "its name leads nowhere",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			file := filepath.Join(t.TempDir(), "address")
			writeFile(t, file, address+"\n")
			env := map[string]string{"IONOS_TOKEN": "x", "IONOS_API_URL": ionos.url, "REGTOK_REDIS_URL_FILE": file, "REGTOK_REDIS_TIMEOUT": "2s"}
			r := start(t, env, "serve", "--log-level=debug")
			if got := ask(t, r.url, everything); len(got.Errors) > 0 {
				t.Errorf("answered %v", got)
			}
			for _, part := range []string{"promised deletions", "events", "the shared cache", "the sweep of ionos/ionos", "the request budget of ionos/ionos"} {
				r.stderr.await(t, regexp.MustCompile(fmt.Sprintf(`"msg":"a part is without Redis","part":%q`, part)))
			}
			r.end(t)
			said := r.stderr.String()
			warned := regexp.MustCompile(`[^\n]*"level":"(WARN|ERROR)"[^\n]*`).FindAllString(said, -1)
			if len(warned) == 2 && strings.Contains(warned[0], "did not answer in time") {
				warned = warned[1:] // on a busy machine
			}
			if len(warned) != 1 || !strings.Contains(warned[0], want) || !strings.Contains(warned[0], `"setting":"--redis-url-file (REGTOK_REDIS_URL_FILE)"`) {
				t.Errorf("it warned %q, want once, of %q", warned, want)
			}
			if !strings.Contains(said, `"durable":"unknown, Redis fails"`) || strings.Contains(said, canary) || strings.Contains(said, open.Addr()) {
				t.Errorf("it said %s", said)
			}
		})
	}
}
