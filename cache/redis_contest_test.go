package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/cache"
	"regtok/redistest"
)

// contest is some processes over one Redis, each by a way of its own that may be cut, and an upstream of versions that only
// grow. A read that begins after an acknowledged write must not give an older version, unless it says that it is old.
type contest struct {
	*testing.T
	version, told [contestKeys]atomic.Int64
	reads, old    atomic.Int64
	writes        atomic.Int64
}

const (
	contestKeys = 4
	// silence is how long Redis says nothing. A bump is only then strict if it is told before it is acknowledged.
	silence = 500 * time.Millisecond
)

// contender is a process.
type contender struct {
	*cache.Cache
	view *cache.View[int, int64]
	way  *way
	// writing is held by a write, and while the way is cut: a writer that alone is cut off cannot tell anybody.
	writing sync.RWMutex
	dead    atomic.Bool
}

func (c *contest) join(server *redistest.Server) *contender {
	p := &contender{way: newWay(c.T, server.Addr())}
	runs := &cache.Runs{}
	options := suited(p.way.addr()).Simple()
	options.OnConnect = runs.Meet
	store := cache.NewRedis(closing(c.T, redis.NewClient(options)), "contest:").Heed(runs)
	p.Cache = newCache(c.T, cache.Options{Store: store, NearFor: silence + time.Second, StoreTimeout: brief})
	p.view = cache.NewView(p.Cache, cache.Config[int, int64]{
		Name: "versions",
		Key:  func(key int) cache.Key { return cache.Key{Scope: scope(fmt.Sprint(key))} },
		Load: func(ctx context.Context, key int) (int64, error) {
			n := c.version[key].Load()
			select { // an answer that is slow to arrive
			case <-time.After(rand.N(20 * time.Millisecond)):
			case <-ctx.Done():
			}
			if rand.IntN(10) == 0 {
				return 0, errDown
			}
			return n, nil
		},
		Timeout:    patience,
		Fresh:      func(int64) time.Duration { return rand.N(2 * time.Second) },
		Stale:      time.Minute,
		ServeStale: func(err error) bool { return errors.Is(err, errDown) },
		Encode:     func(_ int, n int64) ([]byte, error) { return fmt.Append(nil, n), nil },
		Decode: func(_ int, b []byte) (n int64, err error) {
			_, err = fmt.Sscan(string(b), &n)
			return n, err
		},
	})
	return p
}

func (c *contest) write(p *contender, key int) {
	p.writing.RLock()
	defer p.writing.RUnlock()
	n := c.version[key].Add(1)
	p.Bump(c.Context(), scope(fmt.Sprint(key)))
	if p.dead.Load() { // it cannot have told anybody
		return
	}
	c.writes.Add(1)
	for told := c.told[key].Load(); told < n && !c.told[key].CompareAndSwap(told, n); told = c.told[key].Load() {
	}
}

func (c *contest) read(p *contender, key int) {
	least := c.told[key].Load()
	got := p.view.Get(c.Context(), key)
	c.reads.Add(1)
	switch {
	case p.dead.Load() || got.Err != nil:
	case !got.StaleSince.IsZero() && got.Cause != nil:
		c.old.Add(1)
	case got.Value < least:
		c.Errorf("got %+v, want version %d or later, or that it is old", got, least)
	}
}

// play reads and writes until done.
func (c *contest) play(p *contender, done <-chan struct{}) {
	var players sync.WaitGroup
	defer players.Wait()
	every := func(most time.Duration, do func()) {
		players.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(rand.N(most)):
					do()
				}
			}
		})
	}
	for range 3 {
		every(4*time.Millisecond, func() { c.read(p, rand.IntN(contestKeys)) })
	}
	for range 4 {
		every(100*time.Millisecond, func() { c.write(p, rand.IntN(contestKeys)) })
	}
}

func TestManyProcessesOverARedisInTroubleServeNothingThatAWriteEnded(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	meddler := server.Client(t)
	c := &contest{T: t}
	var processes [4]*contender
	for i := range processes {
		processes[i] = c.join(server)
	}
	one, last := processes[0], processes[3]
	done := make(chan struct{})
	var playing sync.WaitGroup
	defer playing.Wait()
	for _, p := range processes {
		playing.Go(func() { c.play(p, done) })
	}
	defer close(done)
	c.goesOn("at first")
	for _, fault := range []struct {
		name string
		do   func()
	}{
		{"it is late", func() { command("CLIENT", "PAUSE", silence.Milliseconds(), "ALL")(t, server, meddler) }},
		{"it hangs up", func() { command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")(t, server, meddler) }},
		{"nobody hears any more", func() { command("CLIENT", "KILL", "TYPE", "pubsub")(t, server, meddler) }},
		{"a process is cut off", func() {
			one.writing.Lock()
			defer one.writing.Unlock()
			one.way.cut()
			c.goesOn("a process is cut off")
			one.way.mend()
		}},
		{"it starts again", func() {
			server.Stop()
			server.Restart()
		}},
		{"a process dies", func() {
			last.dead.Store(true)
			last.way.cut()
		}},
	} {
		fault.do()
		c.goesOn(fault.name)
	}
	c.works(processes[:3])
}

// goesOn waits until there were some more reads and acknowledged writes.
func (c *contest) goesOn(after string) {
	c.Helper()
	reads, writes := c.reads.Load(), c.writes.Load()
	eventually(c.T, "reads and writes after "+after, func() bool {
		return c.reads.Load() > reads+300 && c.writes.Load() > writes+10
	})
}

// works waits until the processes share again what they read.
func (c *contest) works(processes []*contender) {
	c.Helper()
	for _, p := range processes {
		before := p.view.Stats().Far
		eventually(c.T, "what others read is found in Redis", func() bool {
			stats := p.Stats()
			return stats.Listens && !stats.StoreFails && p.view.Stats().Far > before
		})
	}
	if reads, old := c.reads.Load(), c.old.Load(); old > reads/2 {
		c.Errorf("of %d reads %d said that they are old", reads, old)
	}
}

// way is a process's own way to a server, which can be cut.
type way struct {
	listener net.Listener
	to       string
	work     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool
}

func newWay(t *testing.T, to string) *way {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{listener: listener, to: to, open: map[net.Conn]bool{}}
	w.work.Go(w.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut()
		w.work.Wait()
	})
	return w
}

func (w *way) addr() string { return w.listener.Addr().String() }

// cut ends all connections, and those that come.
func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for conn := range w.open {
		_ = conn.Close()
	}
}

func (w *way) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = false
}

func (w *way) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.work.Go(func() { w.join(near) })
	}
}

// join lets a connection go on to the server, until one of its ends or the way is cut.
func (w *way) join(near net.Conn) {
	far, err := net.Dial("tcp", w.to)
	if err != nil {
		_ = near.Close()
		return
	}
	w.mu.Lock()
	w.open[near], w.open[far] = true, true
	closed := w.closed
	w.mu.Unlock()
	var copying sync.WaitGroup
	for _, ends := range [][2]net.Conn{{near, far}, {far, near}} {
		copying.Go(func() {
			if !closed {
				_, _ = io.Copy(ends[0], ends[1])
			}
			_, _ = near.Close(), far.Close()
		})
	}
	copying.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, near)
	delete(w.open, far)
}
