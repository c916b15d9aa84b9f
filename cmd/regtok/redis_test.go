package main

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"regtok/redistest"
)

func TestAnAddressOfRedisDoesNotPrint(t *testing.T) {
	settings := parsed(t, nil, "serve", "--redis-url=redis://someone:"+canary+"@"+canary+":1/0")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		if said := fmt.Sprintf(verb, settings); strings.Contains(said, canary) {
			t.Errorf("%s prints %s", verb, said)
		}
		if said := fmt.Sprintf(verb, &settings.RedisURL); strings.Contains(said, canary) || !strings.Contains(said, "Redis") {
			t.Errorf("%s prints %s", verb, said)
		}
	}
}

// served starts the program with an account and a Redis, at an address with a password.
func served(t *testing.T, ionos *running, address string) *running {
	t.Helper()
	env := map[string]string{"IONOS_TOKEN": "x", "IONOS_API_URL": ionos.url, "REGTOK_REDIS_URL": "redis://" + canary + ":" + canary + "@" + address}
	return start(t, env, "serve", "--log-level=debug")
}

const unreachable = `"msg":"Redis cannot be reached: what needs it is refused until it can"`

func TestServeRemembersInRedis(t *testing.T) {
	before := goleak.IgnoreCurrent()
	server := redistest.Start(t, "--user", canary, "on", ">"+canary, "~regtok:*", "+@all")
	ionos := start(t, nil, "emulate", "ionos")
	r := served(t, ionos, server.Addr())
	if got := ask(t, r.url, everything); len(got.Errors) > 0 {
		t.Errorf("answered %v", got)
	}
	if code := r.end(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	said := r.stderr.String()
	if !strings.Contains(said, `"durable":true`) || !strings.Contains(said, "set appendonly to yes") || strings.Contains(said, unreachable) || strings.Contains(said, canary) {
		t.Errorf("it said %s", said)
	}
	ionos.end(t)
	server.Stop()
	goleak.VerifyNone(t, before)
}

func TestServeStartsWhileRedisIsDown(t *testing.T) {
	server := redistest.Start(t)
	ionos := start(t, nil, "emulate", "ionos")
	for _, test := range []struct {
		name string
		down func()
		want string
	}{
		{"it is not there", server.Stop, "connection refused"},
		{"it knows another password", server.Restart, "it answered WRONGPASS"},
		{"it is there and says nothing", server.Pause, "it did not answer in time"},
	} {
		test.down()
		r := served(t, ionos, server.Addr())
		if got := ask(t, r.url, everything); len(got.Errors) > 0 {
			t.Errorf("%s: answered %v", test.name, got)
		}
		if code := r.end(t); code != 0 {
			t.Errorf("%s: exit %d", test.name, code)
		}
		said := r.stderr.String()
		if strings.Count(said, unreachable) != 1 || !strings.Contains(said, test.want) || strings.Contains(said, canary) || strings.Contains(said, server.Addr()) {
			t.Errorf("%s: it said %s, want once %s, %s", test.name, said, unreachable, test.want)
		}
	}
}
