package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"regtok/auth"
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

const unreachable = `"msg":"Redis fails"`

func TestServeRemembersInRedis(t *testing.T) {
	before := goleak.IgnoreCurrent()
	server := redistest.Start(t, "--user", canary, "on", ">"+canary, "~regtok:*", "&regtok:*", "+@all")
	ionos := start(t, nil, "emulate", "ionos")
	r := served(t, ionos, server.Addr())
	if got := ask(t, r.url, everything); len(got.Errors) > 0 {
		t.Errorf("answered %v", got)
	}
	if code := r.end(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	said := r.stderr.String()
	if !strings.Contains(said, `"shared":true,"durable":"no, Redis may forget"`) || !strings.Contains(said, "set appendonly to yes") || strings.Contains(said, unreachable) || strings.Contains(said, canary) {
		t.Errorf("it said %s", said)
	}
	ionos.end(t)
	server.Stop()
	goleak.VerifyNone(t, before)
}

func TestWhatOneProcessPromisedAnotherKeeps(t *testing.T) {
	server := redistest.Start(t)
	buildkite := start(t, nil, "emulate", "buildkite")
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, fmt.Sprintf("accounts: [{provider: buildkite, token: any, base_url: '%s'}]\nredis_url: %s\n", buildkite.url, server.URL()))
	first := start(t, nil, "serve", "-c", config)
	old := tokenIDs(ask(t, first.url, allTokens))[0]
	rotate := fmt.Sprintf(`mutation { rotateToken(input: {token: {id: %q}, overlap: "PT1H", idempotencyKey: "once"}) {
		token { id } credential { username } errors { code message }
	} }`, old)
	payload := func(r *running) map[string]any {
		t.Helper()
		got := ask(t, r.url, rotate)
		found, _ := got.Data["rotateToken"].(map[string]any)
		if len(got.Errors) > 0 || found["token"] == nil || len(found["errors"].([]any)) > 0 {
			t.Fatalf("%s answered %v", rotate, got)
		}
		return found
	}
	once := payload(first)
	first.end(t)

	comesDue(t, server, old)
	second := start(t, nil, "serve", "-c", config)
	again := payload(second)
	if diff := cmp.Diff(again["token"], once["token"]); diff != "" || once["credential"] == nil || again["credential"] != nil {
		t.Errorf("the same key made another token, or showed its secret: got - want +\n%s\n%v, %v", diff, once, again)
	}
	second.stderr.await(t, regexp.MustCompile(`a token is deleted, as promised`))
	if ids := tokenIDs(ask(t, second.url, allTokens)); slices.Contains(ids, old) {
		t.Errorf("the tokens are %q, want %q to be gone", ids, old)
	}
}

// comesDue makes the time of the one deletion that was promised come now.
func comesDue(t *testing.T, server *redistest.Server, token string) {
	t.Helper()
	meddler, schedule := server.Client(t), "regtok:2:{schedule}:due"
	members, err := meddler.ZRange(t.Context(), schedule, 0, -1).Result()
	if err != nil || len(members) != 1 || members[0] != token {
		t.Fatalf("the schedule holds %q, %v, want %s", members, err, token)
	}
	if err := meddler.ZAdd(t.Context(), schedule, redis.Z{Score: 1, Member: token}).Err(); err != nil {
		t.Fatal(err)
	}
}

// TestAPromisedDeletionIsTheDeedOfWhoAskedForIt lets another process keep the promise, and another caller hear of it.
func TestAPromisedDeletionIsTheDeedOfWhoAskedForIt(t *testing.T) {
	server := redistest.Start(t)
	buildkite := start(t, nil, "emulate", "buildkite")
	ci, ops := auth.NewKey(), auth.NewKey()
	config := t.TempDir() + "/regtok.yaml"
	writeFile(t, config, fmt.Sprintf("accounts: [{provider: buildkite, token: any, base_url: '%s'}]\nredis_url: %s\ncallers:\n"+
		"- {name: ci, key: '%s', permissions: [TOKENS_READ, TOKENS_WRITE]}\n- {name: ops, key: '%s', permissions: [ACTIVITY_READ]}\n", buildkite.url, server.URL(), ci.Hash(), ops.Hash()))
	first := start(t, nil, "serve", "-c", config)
	old := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(first.tells(t, ci.Reveal(), `{ tokens(first: 1) { nodes { id } } }`))[1]
	first.tells(t, ci.Reveal(), fmt.Sprintf(`mutation { rotateToken(input: {token: {id: %q}, overlap: "PT1H"}) { errors { code } } }`, old))
	first.end(t)
	comesDue(t, server, old)
	second := start(t, nil, "serve", "-c", config)
	second.stderr.await(t, regexp.MustCompile(`a token is deleted, as promised`))
	asked := fmt.Sprintf(`{ tokenActivityEvents(filter: {tokenIds: [%q]}) { nodes { kind actor } } }`, old)
	eventually(t, "the deletion is told as what the caller did who asked for it", func() bool {
		return strings.Contains(second.tells(t, ops.Reveal(), asked), `{"kind":"DELETED","actor":"ci"}`)
	})
}

func TestWithoutACacheNothingThatWasReadIsInRedis(t *testing.T) {
	server := redistest.Start(t)
	ionos := start(t, nil, "emulate", "ionos")
	env := map[string]string{"IONOS_TOKEN": "x", "IONOS_API_URL": ionos.url, "REGTOK_REDIS_URL": server.URL()}
	for _, test := range []struct {
		cache string
		want  bool
	}{{"off", false}, {"on", true}} {
		r := start(t, env, "serve", "--cache="+test.cache)
		if got := ask(t, r.url, everything); len(got.Errors) > 0 {
			t.Errorf("answered %v", got)
		}
		r.end(t) // what is on its way to Redis gets there
		keys, err := server.Client(t).Keys(t.Context(), "regtok:cache*").Result()
		if err != nil || (len(keys) > 0) != test.want {
			t.Errorf("with the cache %s, Redis holds %q, %v", test.cache, keys, err)
		}
		if said := r.stderr.String(); !strings.Contains(said, fmt.Sprintf(`"cache":%q,"shared":%v`, test.cache, test.want)) {
			t.Errorf("with the cache %s, it said %s", test.cache, said)
		}
	}
}

const allTokens = `{ tokens(first: 100) { nodes { id } } }`

// tokenIDs are those of an answer to allTokens.
func tokenIDs(a answer) []string {
	var ids []string
	for _, token := range list(a, "tokens", "nodes") {
		ids = append(ids, token.(map[string]any)["id"].(string))
	}
	return ids
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
