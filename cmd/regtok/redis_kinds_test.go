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

// pair is two replicas that share a Redis.
type pair struct {
	*replicas
	children [2]*child
	urls     [2]string
	token    string // one at Buildkite, which can be renamed
}

// newPair starts two replicas, and waits until each shares what it reads with the other.
func newPair(t *testing.T, program, address string, env ...string) *pair {
	t.Helper()
	p := &pair{replicas: newReplicasAt(t, program, address)}
	for i := range p.urls {
		p.children[i], p.urls[i] = p.serve(env...)
	}
	names, _ := p.look(p.urls[0])
	p.token = slices.Max(slices.Collect(maps.Keys(names))) // ids begin with the length of their provider's name
	p.share()
	return p
}

func (p *pair) share() {
	p.t.Helper()
	p.shares(p.urls[0], p.urls[1], p.token)
	p.shares(p.urls[1], p.urls[0], p.token)
}

// rotated promises to delete the token in an hour, or repeats that promise. It returns the new token's id; empty: it was refused.
func (p *pair) rotated(url string) string {
	p.t.Helper()
	got := ask(p.t, url, fmt.Sprintf(`mutation { rotateToken(input: {token: {id: %q}, overlap: "PT1H", idempotencyKey: "once"}) {
		token { id } errors { code } } }`, p.token))
	payload, _ := got.Data["rotateToken"].(map[string]any)
	token, _ := payload["token"].(map[string]any)
	id, _ := token["id"].(string)
	return id
}

// promise has a rotation promised, or its promise repeated: a busy machine may take longer than a ledger waits.
func (p *pair) promise(url string) (made string) {
	p.t.Helper()
	eventually(p.t, "a rotation is promised", func() bool {
		made = p.rotated(url)
		return made != ""
	})
	return made
}

// end ends both and wants them to have said nothing of where Redis is, and of the credentials.
func (p *pair) end(secrets ...string) {
	p.t.Helper()
	for _, c := range p.children {
		if code := c.quit(p.t, syscall.SIGTERM); code != 0 {
			p.t.Errorf("exit %d", code)
		}
		said := c.stderr.String()
		for _, secret := range append(secrets, canary) {
			if strings.Contains(said, secret) {
				p.t.Errorf("it said %s, with %s", said, secret)
			}
		}
	}
}

// TestReplicasShareARedisBehindTLS lets the settings say who signs its certificate, and the environment.
func TestReplicasShareARedisBehindTLS(t *testing.T) {
	program, authority := build(t), redistest.NewAuthority(t)
	known := authority.Start(t)
	open := authority.Start(t, "--tls-auth-clients", "no")
	for _, test := range []struct {
		name, address string
		env           []string
	}{
		{"its authority and a client's certificate are named", known.URL(), nil},
		{"its authority is the system's", "rediss://" + open.Addr(), []string{"SSL_CERT_FILE=" + authority.CA}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, program, test.address, test.env...)
			p.promise(p.urls[0])
			p.end(known.Addr(), open.Addr(), authority.CA)
		})
	}
}

func TestARedisThatNobodyTrustsIsNotUsed(t *testing.T) {
	authority := redistest.NewAuthority(t)
	server := authority.Start(t, "--tls-auth-clients", "no")
	other := redistest.NewAuthority(t)
	ionos := start(t, nil, "emulate", "ionos")
	for address, want := range map[string]string{
		"rediss://" + server.Addr() + "?cacert=" + other.CA:                                                      "its certificate is not trusted",
		"rediss://localhost" + server.Addr()[strings.LastIndex(server.Addr(), ":"):] + "?cacert=" + authority.CA: "its certificate is not trusted",
		"redis://" + server.Addr(): "it hung up",
	} {
		eventually(t, "the log says that "+want, func() bool {
			r := start(t, map[string]string{"IONOS_TOKEN": "x", "IONOS_API_URL": ionos.url, "REGTOK_REDIS_URL": address}, "serve")
			if got := ask(t, r.url, everything); len(got.Errors) > 0 {
				t.Errorf("answered %v", got)
			}
			r.end(t)
			said := r.stderr.String()
			if strings.Count(said, unreachable) != 1 {
				t.Errorf("it said %s, want once %s", said, unreachable)
			}
			return strings.Contains(said, want) // and not that it took too long, on a busy machine
		})
	}
}

func TestReplicasShareACluster(t *testing.T) {
	cluster := redistest.NewAuthority(t).StartCluster(t)
	p := newPair(t, build(t), cluster.URL())
	p.promise(p.urls[0])
	for i, server := range cluster.Servers {
		if n, err := server.Client(t).DBSize(t.Context()).Result(); err != nil || n == 0 {
			t.Errorf("server %d holds %d keys, %v: what is shared lies on the others", i, n, err)
		}
	}
	cluster.Servers[0].Stop()
	p.look(p.urls[0]) // whatever became of the cluster
	p.look(p.urls[1])
	cluster.Servers[0].Restart()
	p.share()
	p.end(cluster.Servers[0].Addr())
}

// TestAFailOverKeepsWhatWasPromised takes the master away under two replicas.
func TestAFailOverKeepsWhatWasPromised(t *testing.T) {
	guarded := redistest.NewAuthority(t).StartGuarded(t)
	p := newPair(t, build(t), guarded.URL())
	made := p.promise(p.urls[0])
	promised := func() bool {
		_, err := guarded.Replica.Client(t).ZScore(t.Context(), "regtok:2:{schedule}:due", p.token).Result()
		return err == nil
	}
	eventually(t, "the promise has reached the replica", promised)

	guarded.Master.Stop()
	p.look(p.urls[0])
	p.look(p.urls[1])
	for _, url := range p.urls {
		if again := p.promise(url); again != made {
			t.Errorf("the same key made %s, and after the fail-over %s", made, again)
		}
	}
	p.share()
	role, err := guarded.Replica.Client(t).Do(t.Context(), "ROLE").Slice()
	if err != nil || role[0] != "master" || !promised() {
		t.Errorf("the new master is %v, %v; the promise is kept: %t", role, err, promised())
	}
	p.end(guarded.Master.Addr(), guarded.Replica.Addr())
}

// eventually waits for what another process is about to do.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < patience; <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
