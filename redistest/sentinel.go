package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// masterName is what the sentinel calls the server that it looks after.
const masterName = "tested"

// Guarded is a server with a replica, and a sentinel that makes the replica master when the server is gone.
type Guarded struct {
	Master, Replica, Sentinel *Server
}

// StartGuarded starts the three of them, and waits until they know each other. They end with the test. Stop the master
// for the replica to take over, which takes a few seconds.
func StartGuarded(t testing.TB) *Guarded {
	t.Helper()
	return (*Authority)(nil).StartGuarded(t)
}

// StartGuarded is the package's StartGuarded, with TLS.
func (a *Authority) StartGuarded(t testing.TB) *Guarded {
	t.Helper()
	g := &Guarded{Master: a.Start(t, "--repl-diskless-sync-delay", "0")}
	host, port, _ := net.SplitHostPort(g.Master.addr)
	g.Replica = a.Start(t, "--replicaof", host+" "+port)
	g.Replica.until(t, "the replica has what its master has", func(ctx context.Context, client *redis.Client) bool {
		return strings.Contains(client.Info(ctx, "replication").Val(), "master_link_status:up")
	})
	g.Sentinel = a.startSentinel(t, g.Master.addr)
	g.Sentinel.until(t, "the sentinel knows the replica", func(ctx context.Context, client *redis.Client) bool {
		return strings.Contains(client.Info(ctx, "sentinel").Val(), "status=ok") &&
			strings.Contains(client.Info(ctx, "sentinel").Val(), "slaves=1")
	})
	return g
}

func (a *Authority) startSentinel(t testing.TB, master string) *Server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "sentinel.conf")
	host, port, _ := net.SplitHostPort(master)
	text := fmt.Sprintf("sentinel monitor %[1]s %s %s 1\nsentinel down-after-milliseconds %[1]s 500\nsentinel failover-timeout %[1]s 5000\n",
		masterName, host, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return a.start(t, dir, []string{config, "--sentinel", "--dir", dir})
}

// Options are what a client needs that follows the master.
func (g *Guarded) Options() *redis.FailoverOptions {
	return &redis.FailoverOptions{
		MasterName: masterName, SentinelAddrs: []string{g.Sentinel.addr}, TLSConfig: g.Sentinel.authority.clientConfig(),
	}
}

// URL is its address as settings have it.
func (g *Guarded) URL() string {
	return g.Sentinel.authority.url("+sentinel", g.Sentinel.addr+"/"+masterName)
}
