package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/cache"
	"regtok/cache/cachetest"
)

// world is some processes over one store, which anything may befall, and an upstream of versions that only grow. A read
// that begins after a bump returned must not give an older version, unless it says that it is old.
type world struct {
	*testing.T
	chance  *rand.Rand // of what befalls whom; for one goroutine
	memory  *cachetest.Memory
	version [2]atomic.Int64
	told    [2]atomic.Int64 // the last version whose write was acknowledged

	mu        sync.Mutex
	processes []*member
	work      sync.WaitGroup
	reads     atomic.Int64
	old       atomic.Int64
}

// member is a process.
type member struct {
	cache      *cache.Cache
	connection *cachetest.Connection
	view       *cache.View[int, int64]
	dead       atomic.Bool
	// writing is held by a write, and by what cuts the process off: what it wrote then, nobody could hear of. It is no
	// mutex, because a bubble's time does not pass while one is waited for.
	writing chan struct{}
	cut     bool
}

func (w *world) join() *member {
	m := &member{connection: w.memory.Dial(), writing: make(chan struct{}, 1)}
	m.cache = cache.New(cache.Options{Store: m.connection, Jitter: -1})
	m.view = cache.NewView(m.cache, cache.Config[int, int64]{
		Name: "versions",
		Key:  func(key int) cache.Key { return cache.Key{Scope: scope(fmt.Sprint(key))} },
		Load: func(_ context.Context, key int) (int64, error) {
			n := w.version[key].Load()
			time.Sleep(rand.N(3 * time.Second)) // an answer that is slow to arrive
			if rand.IntN(5) == 0 {
				return 0, errDown
			}
			return n, nil
		},
		Timeout:    10 * time.Second,
		Fresh:      func(int64) time.Duration { return rand.N(20 * time.Second) },
		Stale:      time.Minute,
		ServeStale: func(err error) bool { return errors.Is(err, errDown) },
		Encode:     func(_ int, n int64) ([]byte, error) { return fmt.Append(nil, n), nil },
		Decode: func(_ int, b []byte) (n int64, err error) {
			_, err = fmt.Sscan(string(b), &n)
			return n, err
		},
	})
	return m
}

func (w *world) write(m *member, key int) {
	m.writing <- struct{}{}
	defer func() { <-m.writing }()
	if m.cut {
		return
	}
	n := w.version[key].Add(1)
	m.cache.Bump(w.Context(), scope(fmt.Sprint(key)))
	if m.dead.Load() { // it cannot have told anybody
		return
	}
	for {
		told := w.told[key].Load()
		if told >= n || w.told[key].CompareAndSwap(told, n) {
			return
		}
	}
}

func (w *world) read(m *member) {
	ctx, keys := w.Context(), []int{0, 1}
	switch rand.IntN(10) {
	case 0:
		ctx = cache.NoCache(ctx)
	case 1:
		ctx = cache.Tolerate(ctx, time.Minute)
	}
	least := [2]int64{w.told[0].Load(), w.told[1].Load()}
	entries := m.view.GetMany(ctx, keys)
	for key, got := range entries {
		w.reads.Add(1)
		switch {
		case m.dead.Load() || got.Err != nil:
		case got.Cause != nil && !got.StaleSince.IsZero():
			w.old.Add(1)
		case got.Value < least[key]:
			w.Errorf("after %v: got %+v, want version %d or later, or that it is old", time.Since(epoch), got, least[key])
		}
	}
}

// epoch is when a bubble begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// befall lets something happen.
func (w *world) befall() {
	w.mu.Lock()
	i := w.chance.IntN(len(w.processes))
	m, other := w.processes[i], w.processes[(i+1)%len(w.processes)]
	w.mu.Unlock()
	// What befalls one is worst while another writes.
	defer w.work.Go(func() { w.write(other, rand.IntN(2)) })
	switch w.chance.IntN(12) {
	case 0:
		w.kill(i, m)
	case 1:
		m.connection.Mute()
	case 2:
		m.writing <- struct{}{}
		m.cut = true
		m.connection.Cut()
		<-m.writing
	case 3, 4, 5:
		m.connection.Mend()
		m.writing <- struct{}{}
		m.cut = false
		<-m.writing
	case 6:
		w.restart()
	default:
		w.work.Go(func() { w.write(m, rand.IntN(2)) })
	}
}

// kill ends a process that cannot say so, and starts another.
func (w *world) kill(i int, m *member) {
	m.dead.Store(true)
	m.connection.Cut()
	w.work.Go(m.cache.Close)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes[i] = w.join()
}

// restart takes the store down for a while. It comes back empty, or as it was a while ago.
func (w *world) restart() {
	restore := w.memory.Save()
	time.Sleep(time.Duration(w.chance.Int64N(int64(time.Second))))
	w.memory.Fail(errors.New("refused"))
	time.Sleep(time.Duration(w.chance.Int64N(int64(6 * time.Second))))
	if w.chance.IntN(2) == 0 {
		restore = w.memory.Flush
	}
	restore()
	w.memory.Restart()
	w.memory.Fail(nil)
}

func TestNoReadAfterAnAcknowledgedWriteIsOldWithoutSayingSo(t *testing.T) {
	var reads, old int64
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{T: t, chance: rand.New(rand.NewPCG(seed, 1)), memory: cachetest.NewMemory()}
				for range 3 {
					w.processes = append(w.processes, w.join())
				}
				done := make(chan struct{})
				for n := range 6 {
					w.work.Go(func() { w.keepReading(n, done) })
				}
				for range 60 {
					w.befall()
					time.Sleep(time.Duration(w.chance.Int64N(int64(1500 * time.Millisecond))))
				}
				close(done)
				w.work.Wait()
				for _, m := range w.processes {
					m.cache.Close()
				}
				reads, old = reads+w.reads.Load(), old+w.old.Load()
			})
		})
	}
	if old == 0 || old > reads*9/10 {
		t.Errorf("of %d reads %d said that they are old", reads, old)
	}
}

func (w *world) keepReading(n int, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(rand.N(100 * time.Millisecond)):
		}
		w.mu.Lock()
		m := w.processes[n%len(w.processes)]
		w.mu.Unlock()
		w.read(m)
	}
}
