package cache_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/cache"
	"regtok/cache/cachetest"
	"regtok/redistest"
)

// ears hear what Watch tells.
type ears struct {
	*cachetest.Ears
	cancel context.CancelFunc
	ended  chan struct{}
}

func watch(t *testing.T, store cache.Store) *ears {
	ctx, cancel := context.WithCancel(t.Context())
	e := &ears{Ears: cachetest.NewEars(), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(e.ended)
		store.Watch(ctx, e)
	}()
	t.Cleanup(func() { e.end(t) })
	return e
}

// end ends the watch, which must not wait for Redis.
func (e *ears) end(t *testing.T) {
	t.Helper()
	e.cancel()
	select {
	case <-e.ended:
	case <-time.After(patience):
		t.Error("it does not end")
	}
}

// hears checks that a bump by another process is heard.
func (e *ears) hears(t *testing.T, other cache.Store, name string) {
	t.Helper()
	if _, err := other.Bump(t.Context(), scope(name)); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-e.Heard:
		if got != scope(name) {
			t.Errorf("heard of %q, want %q", got, scope(name))
		}
	case <-time.After(patience):
		t.Errorf("%q is not heard of", name)
	}
}

func (e *ears) isLost(t *testing.T, times int) {
	t.Helper()
	eventually(t, "it is told that messages may be lost", func() bool { return e.TimesLost() >= times })
}

func TestAWatcherIsToldWheneverItBeginsToHear(t *testing.T) {
	for name, cut := range map[string]func(*testing.T, *redistest.Server, *redis.Client){
		"Redis started again":       func(_ *testing.T, s *redistest.Server, _ *redis.Client) { s.Restart() },
		"the connection was killed": command("CLIENT", "KILL", "TYPE", "pubsub"),
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			e := watch(t, cache.NewRedis(connect(t, server), "test:"))
			other := cache.NewRedis(connect(t, server), "test:")
			e.isLost(t, 1)
			e.hears(t, other, "before")
			cut(t, server, server.Client(t))
			e.isLost(t, 2)
			e.hears(t, other, "after")
		})
	}
}

func TestAWatcherWaitsForARedisThatIsDown(t *testing.T) {
	server := redistest.Start(t)
	server.Stop()
	e := watch(t, cache.NewRedis(connect(t, server), "test:"))
	server.Restart()
	e.isLost(t, 1)
	e.hears(t, cache.NewRedis(connect(t, server), "test:"), "after")
}

func TestAWatcherEndsAlthoughRedisIsSilent(t *testing.T) {
	for name, listening := range map[string]bool{"while it listens": true, "while it connects": false} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			store := cache.NewRedis(connect(t, server), "test:")
			if !listening {
				server.Pause()
			}
			e := watch(t, store)
			if listening {
				e.isLost(t, 1)
				server.Pause()
			}
			began := time.Now()
			e.end(t)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it ended after %v", took)
			}
		})
	}
}

// hose passes bytes on to a server, until it is blocked: what is connected by then hangs and is not told.
type hose struct {
	net.Listener
	mu    sync.Mutex
	conns []*kinked
}

// kinked is a connection that may hang.
type kinked struct {
	net.Conn
	blocked chan struct{}
}

// Read implements net.Conn.
func (k *kinked) Read(b []byte) (int, error) {
	n, err := k.Conn.Read(b)
	select {
	case <-k.blocked:
		return 0, io.EOF
	default:
		return n, err
	}
}

func startHose(t *testing.T, server string) *hose {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hose{Listener: listener}
	var working sync.WaitGroup
	working.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			k := &kinked{far, make(chan struct{})}
			h.mu.Lock()
			h.conns = append(h.conns, k)
			h.mu.Unlock()
			working.Go(func() {
				defer func() { _ = far.Close() }()
				_, _ = io.Copy(far, client)
			})
			working.Go(func() {
				_, _ = io.Copy(client, k)
				select {
				case <-k.blocked: // it hangs
				default:
					_ = client.Close()
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		working.Wait()
	})
	return h
}

// block makes everything hang that is connected.
func (h *hose) block() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range h.conns {
		close(k.blocked)
	}
	h.conns = nil
}

func TestAWatcherFindsAConnectionThatHangs(t *testing.T) {
	server := redistest.Start(t)
	h := startHose(t, server.Addr())
	client := redis.NewClient(suited(h.Addr().String()).Simple())
	e := watch(t, cache.NewRedis(client, "test:"))
	t.Cleanup(func() { _ = client.Close() })
	e.isLost(t, 1)
	h.block()
	began := time.Now()
	e.isLost(t, 2)
	if took := time.Since(began); took > patience {
		t.Errorf("it was found after %v", took)
	}
	e.hears(t, cache.NewRedis(connect(t, server), "test:"), "after")
	e.end(t)
}

func TestNobodyIsRegisteredForEver(t *testing.T) {
	server := redistest.Start(t)
	store := cache.NewRedis(connect(t, server), "test:")
	e := watch(t, store)
	eventually(t, "it is registered", e.Listens)
	meddler, ahead := server.Client(t), time.Now().Add(time.Hour).UnixMilli()
	if err := meddler.ZAdd(t.Context(), "test:cache2:listeners", redis.Z{Score: float64(ahead), Member: "somebody"}).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "whoever counts for too long counts for no longer than others", func() bool {
		score := meddler.ZScore(t.Context(), "test:cache2:listeners", "somebody").Val()
		return score > 0 && score < float64(ahead)
	})
	eventually(t, "a bump waits for nobody any more", func() bool {
		heard, err := store.Bump(t.Context(), scope("a"))
		if err != nil || heard == nil {
			return false
		}
		select {
		case <-heard:
			return true
		default:
			return false
		}
	})
}
