package main

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"regtok/redistest"
)

// rights are what docs/redis.md tells to give a user; more what a cluster's user needs besides, and sentinels what theirs does.
func rights(t *testing.T) (rules, more, sentinels []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^ACL SETUSER regtok on >PASSWORD (.*)$`).FindSubmatch(text)
	besides := regexp.MustCompile("A cluster's user needs `([^`]*)`").FindSubmatch(text)
	theirs := regexp.MustCompile("Users of sentinels need\\s`([^`]*)`").FindSubmatch(text)
	if all == nil || besides == nil || theirs == nil {
		t.Fatal("docs/redis.md does not tell the rights")
	}
	return strings.Fields(string(all[1])), strings.Fields(string(besides[1])), strings.Fields(string(theirs[1]))
}

// admit makes the user with the canary for a password.
func admit(t *testing.T, server *redistest.Server, rules []string) {
	t.Helper()
	args := []any{"ACL", "SETUSER", "regtok", "reset", "on", ">" + canary}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := server.Client(t).Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// as is an address with that user.
func as(t *testing.T, address string) string {
	t.Helper()
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		t.Fatalf("%s is no address", address)
	}
	return scheme + "://" + url.UserPassword("regtok", canary).String() + "@" + rest
}

// refusals are what a server has refused the user.
func refusals(t *testing.T, server *redistest.Server) []string {
	t.Helper()
	entries, err := server.Client(t).Do(t.Context(), "ACL", "LOG").Slice()
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, entry := range entries {
		refused = append(refused, fmt.Sprint(entry))
	}
	return refused
}

// live makes a pair do all that it does with Redis.
func (p *pair) live() {
	p.t.Helper()
	p.promise(p.urls[0])
	p.promise(p.urls[1])
	if !p.mutate(p.urls[1], "deleteToken", fmt.Sprintf(`token: {id: %q}`, p.token)) {
		p.t.Error("the token was not deleted")
	}
}

func TestTheRightsThatAreToldSuffice(t *testing.T) {
	rules, more, _ := rights(t)
	server := redistest.Start(t)
	admit(t, server, rules)
	program := build(t)
	p := newPair(t, program, as(t, server.URL()))
	p.live()
	p.end(server.Addr())
	if refused := refusals(t, server); len(refused) > 0 {
		t.Errorf("refused were %q", refused)
	}

	cluster := redistest.StartCluster(t)
	for _, s := range cluster.Servers {
		admit(t, s, append(rules, more...))
	}
	p = newPair(t, program, as(t, cluster.URL()))
	p.live()
	p.end()
	for _, s := range cluster.Servers {
		if refused := refusals(t, s); len(refused) > 0 {
			t.Errorf("refused were %q", refused)
		}
	}
	used := commands(t, append(cluster.Servers, server)...)
	for _, rule := range append(rules, more...) {
		if name, command := strings.CutPrefix(rule, "+"); command && !slices.Contains(used, name) {
			t.Errorf("nothing uses %s", rule)
		}
	}
}

func TestTheRightsAtASentinelSuffice(t *testing.T) {
	rules, _, theirs := rights(t)
	guarded := redistest.StartGuarded(t)
	for _, s := range []*redistest.Server{guarded.Master, guarded.Replica} {
		admit(t, s, rules)
	}
	admit(t, guarded.Sentinel, theirs)
	p := newPair(t, build(t), as(t, guarded.URL())+"?sentinel_username=regtok&sentinel_password="+canary)
	p.live()
	p.end()
	for _, s := range []*redistest.Server{guarded.Master, guarded.Sentinel} {
		if refused := refusals(t, s); len(refused) > 0 {
			t.Errorf("refused were %q", refused)
		}
	}
}

// commands are those that servers were sent, those that scripts may send when they come to it, and the one that a process
// sends whose callers follow events.
func commands(t *testing.T, servers ...*redistest.Server) []string {
	t.Helper()
	found := []string{"xread"}
	for _, server := range servers {
		stats := server.Client(t).Info(t.Context(), "commandstats").Val()
		for _, line := range regexp.MustCompile(`cmdstat_([a-z|]+):`).FindAllStringSubmatch(stats, -1) {
			found = append(found, line[1])
		}
	}
	for _, rooms := range []string{"../../*", "../../*/*"} {
		files, err := filepath.Glob(rooms + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range regexp.MustCompile(`redis\.call\('([A-Z]+)'`).FindAllSubmatch(text, -1) {
				found = append(found, strings.ToLower(string(call[1])))
			}
		}
	}
	return found
}

func TestARightThatIsMissingIsToldInTheLog(t *testing.T) {
	rules, _, _ := rights(t)
	program := build(t)
	for _, missing := range []string{
		"~regtok:*", "&regtok:*", "+mget", "+publish", "+subscribe", "+eval", "+evalsha", "+zadd", "+time", "+ping",
	} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			server := redistest.Start(t)
			admit(t, server, slices.DeleteFunc(slices.Clone(rules), func(rule string) bool { return rule == missing }))
			r := newReplicasAt(t, program, as(t, server.URL()))
			c, url := r.serve()
			names, _ := r.look(url)
			for _, id := range slices.Sorted(maps.Keys(names))[:4] {
				ask(t, url, fmt.Sprintf(`mutation { deleteToken(input: {token: {id: %q}}) { errors { code } } }`, id))
			}
			told := c.stderr.await(t, regexp.MustCompile(`"msg":"Redis fails"[^\n]*`))[0]
			if !strings.Contains(told, "NOPERM") || !strings.Contains(told, "ACL LOG") || strings.Contains(told, canary) {
				t.Errorf("the log says %s, want NOPERM, and where to look", told)
			}
			c.quit(t, syscall.SIGTERM)
		})
	}
}
