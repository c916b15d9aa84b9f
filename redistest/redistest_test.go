package redistest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAServerAnswersUntilItsTestEnds(t *testing.T) {
	var addr string
	t.Run("while", func(t *testing.T) {
		s := Start(t)
		addr = s.Addr()
		options, err := redis.ParseURL(s.URL())
		if err != nil || options.Addr != addr {
			t.Errorf("its URL %s leads to %v, %v, want %s", s.URL(), options, err, addr)
		}
		if err := s.Client(t).Set(t.Context(), "k", "v", 0).Err(); err != nil {
			t.Error(err)
		}
	})
	if conn, err := net.Dial("tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("it is still there after its test")
	}
}

func TestTwoServersAreApart(t *testing.T) {
	a, b := Start(t), Start(t)
	if a.Addr() == b.Addr() {
		t.Fatalf("both are at %s", a.Addr())
	}
	set(t, a, "v")
	if got := get(t, b); got != "" {
		t.Errorf("the other holds %q, want nothing", got)
	}
}

func TestArgumentsAreTheServersOwn(t *testing.T) {
	s := Start(t, "--requirepass", "secret")
	if err := s.Client(t).Ping(t.Context()).Err(); !redis.HasErrorPrefix(err, "NOAUTH") {
		t.Errorf("a client without a password was told %v, want NOAUTH", err)
	}
}

func TestARestartedServerIsEmptyAndAtTheSameAddress(t *testing.T) {
	s := Start(t)
	addr := s.Addr()
	set(t, s, "v")
	s.Stop()
	if conn, err := net.Dial("tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("it is still there though it is stopped")
	}
	s.Stop() // once more does nothing
	s.Restart()
	if got := get(t, s); got != "" || s.Addr() != addr {
		t.Errorf("at %s it holds %q, want nothing, at %s", s.Addr(), got, addr)
	}
	s.Restart() // also while it runs
	set(t, s, "w")
}

func TestARestartedServerKeepsWhatItWasToldToKeep(t *testing.T) {
	s := Start(t, "--appendonly", "yes", "--appendfsync", "always")
	set(t, s, "v")
	s.Restart()
	if got := get(t, s); got != "v" {
		t.Errorf("it holds %q, want v", got)
	}
}

func TestAPausedServerIsSilentAndDoesItsWorkLater(t *testing.T) {
	s := Start(t)
	set(t, s, "before")
	options := s.Options()
	options.ContextTimeoutEnabled, options.MaxRetries = true, -1
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2) // time enough to send it
	defer cancel()
	if err := client.Set(ctx, "k", "after", 0).Err(); err == nil || errors.Is(err, redis.Nil) {
		t.Errorf("it answered %v while it was paused", err)
	}
	s.Resume()
	eventually(t, "what it was sent is done", func() bool { return get(t, s) == "after" })
	s.Pause() // and is ended while it sleeps
}

func TestAServerEndsWhenItsTestIsKilled(t *testing.T) {
	s := Start(t)
	if err := s.process.hold.Close(); err != nil { // as the end of this process would
		t.Fatal(err)
	}
	select {
	case <-s.process.ended:
	case <-time.After(patience):
		t.Error("it runs on")
	}
}

func TestAnotherServerAtTheAddressIsNotTakenForOnesOwn(t *testing.T) {
	s := Start(t)
	if err := s.ping(s.process.Process.Pid); err != nil {
		t.Errorf("its own server: %v", err)
	}
	if err := s.ping(1); err == nil {
		t.Error("it was taken for another process's")
	}
}

// securities are ways of speaking with servers.
func securities(t *testing.T) map[string]*Authority {
	return map[string]*Authority{"without TLS": nil, "with TLS": NewAuthority(t)}
}

func TestAServerWithTLSWantsToKnowItsClients(t *testing.T) {
	a := NewAuthority(t)
	s := a.Start(t)
	set(t, s, "v")
	if got := get(t, s); got != "v" {
		t.Errorf("it holds %q, want v", got)
	}
	for name, config := range map[string]*tls.Config{
		"a client without TLS":           nil,
		"a client without a certificate": {RootCAs: a.config.RootCAs},
		"a client who does not trust it": {Certificates: a.config.Certificates},
		"a client of another authority":  NewAuthority(t).config,
	} {
		client := redis.NewClient(&redis.Options{Addr: s.Addr(), TLSConfig: config, MaxRetries: -1})
		if err := client.Ping(t.Context()).Err(); err == nil {
			t.Errorf("%s was answered", name)
		}
		_ = client.Close()
	}
}

func TestAClusterSharesItsKeys(t *testing.T) {
	for name, a := range securities(t) {
		t.Run(name, func(t *testing.T) { sharesItsKeys(t, a.StartCluster(t)) })
	}
}

func sharesItsKeys(t *testing.T, c *Cluster) {
	client := redis.NewClusterClient(c.Options())
	t.Cleanup(func() { _ = client.Close() })
	for i := range 100 {
		if err := client.Set(t.Context(), strconv.Itoa(i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range c.Servers {
		if n, err := s.Client(t).DBSize(t.Context()).Result(); err != nil || n < 10 || n > 90 {
			t.Errorf("server %d holds %d keys of 100, %v", i, n, err)
		}
	}
}

func TestAReplicaTakesOver(t *testing.T) {
	for name, a := range securities(t) {
		t.Run(name, func(t *testing.T) { takesOver(t, a.StartGuarded(t)) })
	}
}

func takesOver(t *testing.T, g *Guarded) {
	client := redis.NewFailoverClient(g.Options())
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Set(t.Context(), "k", "before", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Wait(t.Context(), 1, patience).Result(); err != nil || got != 1 {
		t.Fatalf("%d replicas have it, %v", got, err)
	}
	g.Master.Stop()
	eventually(t, "another master is written to", func() bool { return client.Set(t.Context(), "l", "after", 0).Err() == nil })
	if got := get(t, g.Replica); got != "before" {
		t.Errorf("the new master holds %q, want what the old one held", got)
	}
}

// eventually waits for what another process is about to do.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < patience; <-ticker.C {
		if happened() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func set(t *testing.T, s *Server, value string) {
	t.Helper()
	if err := s.Client(t).Set(t.Context(), "k", value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *Server) string {
	t.Helper()
	value, err := s.Client(t).Get(t.Context(), "k").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	return value
}
