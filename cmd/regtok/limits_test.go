package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/auth"
	"regtok/graph/limits"
	"regtok/graph/transport"
	"regtok/metrics"
	"regtok/server"
)

// limitFlags are the flags of serve that bound something.
func limitFlags() (flags []*kong.Flag) {
	var settings program
	model := (process{getenv: noVariables}).parser(&settings, sources{}).Model
	for _, command := range model.Children {
		for _, flag := range command.Flags {
			if command.Name == "serve" && flag.Tag.Get("range") != "" {
				flags = append(flags, flag)
			}
		}
	}
	return flags
}

func TestTheTableOfLimitsIsThatOfTheCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors-and-limits.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| .* \\| `--([a-z-]+)` \\| (.*) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		told[row[1]] = row[2:]
	}
	want := map[string][]string{}
	for _, flag := range limitFlags() {
		want[flag.Name] = []string{flag.Default, strings.Replace(flag.Tag.Get("range"), "..", " to ", 1)}
	}
	if diff := cmp.Diff(told, want); diff != "" || len(want) < 20 {
		t.Errorf("the table (-got +want):\n%s", diff)
	}
}

func TestTheDefaultsOfLimitsAreThoseThatRegtokShipsWith(t *testing.T) {
	got := parsed(t, nil, "serve").Limit.operation()
	if diff := cmp.Diff(got, limits.Default(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("limits (-got +want):\n%s", diff)
	}
}

func TestEachLimitCanBeSet(t *testing.T) {
	env := map[string]string{
		"REGTOK_LIMIT_DOCUMENT": "2KiB", "REGTOK_LIMIT_TOKENS": "103", "REGTOK_LIMIT_DEPTH": "4", "REGTOK_LIMIT_INTROSPECTION_DEPTH": "5",
		"REGTOK_LIMIT_ROOT_FIELDS": "6", "REGTOK_LIMIT_ALIASES": "7", "REGTOK_LIMIT_DIRECTIVES": "8", "REGTOK_LIMIT_LIST_ITEMS": "9",
		"REGTOK_LIMIT_OBJECTS": "110", "REGTOK_LIMIT_POINTS": "111", "REGTOK_LIMIT_UPSTREAM_REQUESTS": "126", "REGTOK_LIMIT_POINTS_PER_MINUTE": "127", "REGTOK_LIMIT_POINTS_BURST": "128", "REGTOK_LIMIT_ERRORS": "12", "REGTOK_LIMIT_BODY": "13KiB",
		"REGTOK_LIMIT_HEADERS": "14KiB", "REGTOK_LIMIT_HEADER_TIME": "15s", "REGTOK_LIMIT_READ_TIME": "16s", "REGTOK_LIMIT_WRITE_TIME": "17s",
		"REGTOK_LIMIT_IDLE_TIME": "18s", "REGTOK_LIMIT_DRAIN_TIME": "19s", "REGTOK_LIMIT_STRANGERS": "20", "REGTOK_LIMIT_SOCKET_OPERATIONS": "21",
		"REGTOK_LIMIT_MESSAGE": "22KiB", "REGTOK_LIMIT_INIT_TIME": "23s", "REGTOK_LIMIT_PING_TIME": "24s", "REGTOK_LIMIT_MESSAGE_TIME": "25s",
		"REGTOK_STREAMS": "26", "REGTOK_LIMIT_CONNECTIONS": "29",
	}
	s := parsed(t, env, "serve").settings
	if diff := cmp.Diff(s.Limit.operation(), limits.Limits{
		Bytes: 2 << 10, Tokens: 103, Depth: 4, IntrospectionDepth: 5, RootFields: 6, Aliases: 7, Directives: 8, ListItems: 9, Objects: 110, Points: 111, Errors: 12,
	}); diff != "" {
		t.Errorf("of an operation (-got +want):\n%s", diff)
	}
	if s.Limit.UpstreamRequests != 126 {
		t.Errorf("of requests to providers %d, want 126", s.Limit.UpstreamRequests)
	}
	if got, want := s.Limit.allowance(true), (auth.Allowance{PerMinute: 127, Burst: 128}); got != want {
		t.Errorf("of a caller %v, want %v", got, want)
	}
	if diff := cmp.Diff(s.Limit.connection(time.Minute), server.Limits{
		Connections: 29, Body: 13 << 10, Headers: 14 << 10, Header: 15 * time.Second, Read: 16 * time.Second, Answer: time.Minute, Write: 17 * time.Second,
		Idle: 18 * time.Second, Drain: 19 * time.Second,
	}); diff != "" {
		t.Errorf("of a connection (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(s.streams(metrics.New("v"), nil), transport.StreamConfig{
		Process: 26, Strangers: 20, Socket: 21, Message: 22 << 10, Init: 23 * time.Second, Ping: 24 * time.Second, Write: 25 * time.Second,
	}, cmpopts.IgnoreFields(transport.StreamConfig{}, "Observe")); diff != "" {
		t.Errorf("of streams (-got +want):\n%s", diff)
	}
	for _, flag := range limitFlags() {
		if env[flag.Tag.Get("variable")] == "" {
			t.Errorf("nothing sets --%s here", flag.Name)
		}
	}
}

func TestALimitOutOfItsRangeIsRefused(t *testing.T) {
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, "limit_aliases: 201\n")
	for _, test := range []struct {
		env  map[string]string
		args []string
		want string
	}{
		{nil, []string{"--limit-depth=51"}, "regtok: --limit-depth (REGTOK_LIMIT_DEPTH): this is out of range: write a value from 3 to 50\n"},
		{nil, []string{"--limit-depth", "2"}, "regtok: --limit-depth (REGTOK_LIMIT_DEPTH): this is out of range: write a value from 3 to 50\n"},
		{nil, []string{"--limit-depth=many"}, "regtok: --limit-depth (REGTOK_LIMIT_DEPTH): \"many\" is not a number of at least 1\n"},
		{map[string]string{"REGTOK_LIMIT_BODY": "1GiB"}, nil, "regtok: REGTOK_LIMIT_BODY: this is out of range: write a value from 2KiB to 16MiB\n"},
		{map[string]string{"REGTOK_LIMIT_INIT_TIME": "1h"}, nil, "regtok: REGTOK_LIMIT_INIT_TIME: this is out of range: write a value from 100ms to 1m\n"},
		{nil, []string{"-c", config}, "regtok: " + config + ":1:1: limit_aliases: this is out of range: write a value from 1 to 200\n"},
	} {
		if said, code := refused(t, test.env, append([]string{"serve"}, test.args...)...); said != test.want || code != 2 {
			t.Errorf("%v %q: exit %d, said %q, want exit 2, %q", test.env, test.args, code, said, test.want)
		}
	}
	for _, flag := range limitFlags() {
		least, most, _ := strings.Cut(flag.Tag.Get("range"), "..")
		parsed(t, nil, "serve", "--"+flag.Name+"="+least)
		parsed(t, nil, "serve", "--"+flag.Name+"="+most)
	}
}

// TestALimitThatIsSetRefuses asks a running server for a little more than it lets.
func TestALimitThatIsSetRefuses(t *testing.T) {
	demo := start(t, map[string]string{"REGTOK_LIMIT_DEPTH": "3"}, "demo", "--limit-points=100")
	for query, want := range map[string]string{
		`{ registries { nodes { organization { name } } } }`:                                          "QUERY_TOO_DEEP",
		`{ registries(first: 100) { totalCount } a: tokens(first: 100) { nodes { id name state } } }`: "",
		`{ a: organizations { totalCount } b: organizations { totalCount } c: organizations { totalCount } d: organizations { totalCount } e: organizations { totalCount }
			f: organizations { totalCount } g: organizations { totalCount } h: organizations { totalCount } i: organizations { totalCount } }`: "QUERY_TOO_COSTLY",
	} {
		got := ask(t, demo.url, query)
		code := ""
		if len(got.Errors) > 0 {
			extensions, _ := got.Errors[0]["extensions"].(map[string]any)
			code, _ = extensions["code"].(string)
		}
		if code != want {
			t.Errorf("%.60s: answered %v, want %q", query, got.Errors, want)
		}
	}
}
