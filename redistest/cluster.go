package redistest

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Cluster is three servers that share the keys among them. None has a replica.
type Cluster struct {
	Servers   []*Server
	authority *Authority
}

// StartCluster starts a cluster and waits until it is ready, which takes a few seconds. It ends with the test.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	return (*Authority)(nil).StartCluster(t)
}

// StartCluster is the package's StartCluster, with TLS.
func (a *Authority) StartCluster(t testing.TB) *Cluster {
	t.Helper()
	const nodes, slots = 3, 16384
	c := &Cluster{authority: a}
	var buses []string
	for range nodes {
		_, bus, _ := net.SplitHostPort(freeAddress(t)) // the usual one, 10,000 further, may be none
		c.Servers = append(c.Servers, a.Start(t, "--cluster-enabled", "yes", "--cluster-port", bus))
		buses = append(buses, bus)
	}
	for i, s := range c.Servers {
		s.do(t, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		s.do(t, "CLUSTER", "ADDSLOTSRANGE", i*slots/nodes, (i+1)*slots/nodes-1)
	}
	for i, s := range c.Servers[1:] {
		host, port, _ := net.SplitHostPort(s.addr)
		c.Servers[0].do(t, "CLUSTER", "MEET", host, port, buses[i+1])
	}
	for _, s := range c.Servers {
		s.until(t, "it has joined its cluster", func(ctx context.Context, client *redis.Client) bool {
			info := client.ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	return c
}

// Options are what a client of the cluster needs.
func (c *Cluster) Options() *redis.ClusterOptions {
	return &redis.ClusterOptions{Addrs: c.addrs(), TLSConfig: c.authority.clientConfig()}
}

// URL is the cluster's address as settings have it.
func (c *Cluster) URL() string { return c.authority.url("+cluster", strings.Join(c.addrs(), ",")) }

func (c *Cluster) addrs() []string {
	var addrs []string
	for _, s := range c.Servers {
		addrs = append(addrs, s.addr)
	}
	return addrs
}

// do sends one command to the server.
func (s *Server) do(t testing.TB, args ...any) {
	t.Helper()
	client := redis.NewClient(s.Options())
	defer func() { _ = client.Close() }()
	if err := client.Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

// until waits for what servers make out among them.
func (s *Server) until(t testing.TB, what string, happened func(context.Context, *redis.Client) bool) {
	t.Helper()
	client := redis.NewClient(s.Options())
	defer func() { _ = client.Close() }()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < patience; <-ticker.C {
		if happened(t.Context(), client) {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
