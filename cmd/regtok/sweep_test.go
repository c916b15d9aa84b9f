package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"regtok/redistest"
)

// sweeps finds in a log that an account of Buildkite is swept, and in which term.
var sweeps = regexp.MustCompile(`"msg":"sweeping","provider":"buildkite","account":"buildkite","term":([0-9]+),"registries":([0-9]+),"read":([0-9]+)`)

// termOf waits until a process sweeps.
func termOf(t *testing.T, c *child) (term uint64, read int) {
	t.Helper()
	found := c.stderr.await(t, sweeps)
	term, err := strconv.ParseUint(found[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	read, _ = strconv.Atoi(found[3])
	return term, read
}

// TestOneReplicaSweepsAndWhenItDiesAnotherGoesOn: real processes, over the emulator with its request limits.
func TestOneReplicaSweepsAndWhenItDiesAnotherGoesOn(t *testing.T) {
	server := redistest.Start(t)
	emulator := start(t, nil, "emulate", "buildkite", "--registries=10", "--tokens=3", "--rate-limit")
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, fmt.Sprintf("redis_url: %s\naccounts: [{provider: buildkite, token: any, base_url: '%s'}]\n", server.URL(), emulator.url))
	program := build(t)
	serve := func() (*child, string) {
		c := launch(t, program, nil, "serve", "-c", config, "--listen=127.0.0.1:0", "--sweep-share=90%")
		t.Cleanup(func() { _ = c.Wait() }) // killed by then, if it still ran
		return c, "http://" + c.stderr.await(t, serving)[1]
	}
	first, _ := serve()
	before, _ := termOf(t, first)
	first.stderr.await(t, regexp.MustCompile(`"msg":"the inventory is complete".*"registries":10,"unreadable":0`))
	second, url := serve()
	asked := requests(t, emulator.url).Total
	if got := ask(t, url, `{ tokens(first: 100) { totalCount unavailable { reason } } }`); len(got.Errors) > 0 || len(list(got, "tokens", "unavailable")) > 0 ||
		got.Data["tokens"].(map[string]any)["totalCount"] != 30.0 {
		t.Errorf("the second replica answers %v, want 30 tokens", got)
	}
	if asked == 0 || strings.Contains(second.stderr.String(), `"msg":"sweeping"`) {
		t.Errorf("both sweep: %s", second.stderr)
	}
	begin := time.Now()
	first.quit(t, syscall.SIGKILL)
	after, read := termOf(t, second)
	if after <= before || read != 10 || time.Since(begin) > patience {
		t.Errorf("after the term %d comes %d, which begins with %d registries read; want a later one, and all 10", before, after, read)
	}
	if code := second.quit(t, syscall.SIGTERM); code != 0 || !strings.Contains(second.stderr.String(), `"msg":"no longer sweeping"`) {
		t.Errorf("it ended with %d, saying %s", code, second.stderr)
	}
}
