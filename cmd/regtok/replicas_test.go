package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"regtok/redistest"
)

// replicas are real processes over one Redis, and emulators of all providers.
type replicas struct {
	t         *testing.T
	program   string
	config    string
	emulators []*running
	renamed   int
}

func newReplicas(t *testing.T, server *redistest.Server) *replicas {
	return newReplicasAt(t, build(t), server.URL())
}

// newReplicasAt are replicas of a built program over a Redis of any kind.
func newReplicasAt(t *testing.T, program, redis string) *replicas {
	r := &replicas{t: t, program: program, config: t.TempDir() + "/regtok.yaml"}
	text := "redis_url: " + redis + "\nredis_timeout: 1s\nlimit_points_per_minute: 10000000\naccounts:\n" // a busy machine takes longer than 50 ms
	for _, provider := range []string{"buildkite", "ionos"} {
		emulator := start(t, nil, "emulate", provider, "--registries=3", "--tokens=2")
		r.emulators = append(r.emulators, emulator)
		text += fmt.Sprintf("  - {provider: %s, token: %s, base_url: '%s'}\n", provider, canary, emulator.url)
	}
	writeFile(t, r.config, text)
	return r
}

// serve starts one more replica, with nothing in its environment but env, and returns it with its address.
func (r *replicas) serve(env ...string) (c *child, url string) {
	r.t.Helper()
	c = launch(r.t, r.program, env, "serve", "-c", r.config, "--listen=127.0.0.1:0", "--sweep=off", "--log-level=debug")
	r.t.Cleanup(func() { _ = c.Wait() }) // killed by then, if it still ran
	return c, "http://" + c.stderr.await(r.t, serving)[1]
}

// upstream counts all requests to providers so far.
func (r *replicas) upstream() int {
	r.t.Helper()
	total := 0
	for _, emulator := range r.emulators {
		total += requests(r.t, emulator.url).Total
	}
	return total
}

// look reads the names of all tokens, by id, and how many requests were sent meanwhile. A process that cannot ask the others
// sends its own part of the allowance and no more, which may be none for a while: then look waits until all can be read.
func (r *replicas) look(url string) (names map[string]string, sent int) {
	r.t.Helper()
	before := r.upstream()
	var got answer
	eventually(r.t, "all can be read", func() (whole bool) {
		got, whole = r.read(url)
		return whole
	})
	names = map[string]string{}
	for _, node := range list(got, "tokens", "nodes") {
		token := node.(map[string]any)
		names[token["id"].(string)] = token["name"].(string)
	}
	return names, r.upstream() - before
}

// read reads all tokens, and tells whether they are.
func (r *replicas) read(url string) (got answer, whole bool) {
	r.t.Helper()
	got = ask(r.t, url, `{ tokens(first: 100) { nodes { id name } unavailable { reason staleSince } } }`)
	lacks := slices.ContainsFunc(list(got, "tokens", "unavailable"), func(gap any) bool {
		return gap.(map[string]any)["staleSince"] == nil // else it is there, and said to be old: Redis could not be asked
	})
	return got, len(got.Errors) == 0 && !lacks
}

// mutate tells whether a mutation was done.
func (r *replicas) mutate(url, name, input string) bool {
	r.t.Helper()
	got := ask(r.t, url, fmt.Sprintf(`mutation { %s(input: {%s}) { errors { code message } } }`, name, input))
	payload, _ := got.Data[name].(map[string]any)
	errs, whole := payload["errors"].([]any)
	return whole && len(errs) == 0 && len(got.Errors) == 0
}

// shares waits until what one replica changed and read again, the other has without a request. How soon that is depends
// on whether both have found Redis, and on how busy the machine is.
func (r *replicas) shares(one, other, token string) {
	r.t.Helper()
	for begin := time.Now(); time.Since(begin) < patience; {
		r.renamed++
		name := fmt.Sprintf("name %d", r.renamed)
		if !r.mutate(one, "patchToken", fmt.Sprintf(`token: {id: %q}, name: %q`, token, name)) {
			continue
		}
		if names, _ := r.look(one); names[token] != name {
			r.t.Fatalf("who made it %q reads %q", name, names[token])
		}
		if names, sent := r.look(other); names[token] == name && sent == 0 {
			return
		}
	}
	r.t.Fatal("the other replica never had what the one read")
}

// sees waits until a replica sees what another one did. It has dropped what it had by then, and a busy machine may take a while to read anew.
func (r *replicas) sees(url, what string, done func(names map[string]string) bool) {
	r.t.Helper()
	begin := time.Now()
	for {
		if names, _ := r.look(url); done(names) {
			return
		}
		if time.Since(begin) > 4*time.Second {
			r.t.Fatalf("after %v it does not see that %s", time.Since(begin), what)
		}
	}
}

func TestReplicasShareWhatTheyRead(t *testing.T) {
	server := redistest.Start(t)
	r := newReplicas(t, server)
	first, one := r.serve()
	names, sent := r.look(one)
	if len(names) != 12 || sent == 0 {
		t.Fatalf("the first replica reads %v with %d requests, want 12 tokens", names, sent)
	}
	var second *child
	var two string
	for begin := time.Now(); ; {
		r.look(one) // or what it read before gets old
		second, two = r.serve()
		theirs, sent := r.look(two)
		if len(theirs) != len(names) {
			t.Fatalf("the second replica reads %v, want %v", theirs, names)
		}
		if sent == 0 {
			break
		}
		second.quit(t, syscall.SIGTERM)
		if time.Since(begin) > patience {
			t.Fatalf("a new replica sends %d requests for what another one read", sent)
		}
	}

	ids := slices.Sorted(maps.Keys(names))
	ionos, buildkite := ids[0], ids[len(ids)-1] // ids begin with the length of their provider's name
	if !r.mutate(one, "patchToken", fmt.Sprintf(`token: {id: %q}, name: "another name"`, buildkite)) {
		t.Fatal("the token was not patched")
	}
	r.sees(two, "a token was patched", func(names map[string]string) bool { return names[buildkite] == "another name" })
	if !r.mutate(two, "deleteToken", fmt.Sprintf(`token: {id: %q}`, ionos)) {
		t.Fatal("the token was not deleted")
	}
	r.sees(one, "a token was deleted", func(names map[string]string) bool { return names[ionos] == "" })
	r.shares(one, two, buildkite)
	r.shares(two, one, buildkite)

	server.Stop()
	for range 3 {
		for _, url := range []string{one, two} {
			if names, _ := r.look(url); len(names) != 11 {
				t.Errorf("without Redis it reads %v, want 11 tokens", names)
			}
		}
	}
	server.Restart()
	r.shares(one, two, buildkite)
	r.shares(two, one, buildkite)
	wantNoCredential(t, server)
	for _, c := range []*child{first, second} {
		if code := c.quit(t, syscall.SIGTERM); code != 0 || strings.Contains(c.stderr.String(), canary) {
			t.Errorf("it ended with %d, saying %s", code, c.stderr)
		}
	}
}

// wantNoCredential looks through all that is in Redis.
func wantNoCredential(t *testing.T, server *redistest.Server) {
	t.Helper()
	client := server.Client(t)
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatalf("Redis holds %q, %v, want what was shared", keys, err)
	}
	for _, key := range keys {
		value, _ := client.Get(t.Context(), key).Result() // no text: not the cache's
		if !strings.HasPrefix(key, "regtok:") || strings.Contains(key+value, canary) {
			t.Errorf("Redis holds %q: %q", key, value)
		}
	}
}
