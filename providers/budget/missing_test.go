package budget

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regtok/providers"
)

// cast is some processes that do only what a test says.
type cast struct {
	t   *testing.T
	up  *strict
	all []*Budget
	// links are their ways to what they share.
	links  []*link
	shared *memory
	// sent is how many each has sent while it hammered.
	sent  []atomic.Int64
	going sync.WaitGroup
}

// assemble makes so many who share an account of 50 requests a minute. They end with the test.
func assemble(t *testing.T, n int) *cast {
	c := &cast{t: t, up: &strict{tells: true, limit: 50, length: time.Minute}, sent: make([]atomic.Int64, n), shared: newMemory()}
	for range n {
		l := &link{to: c.shared}
		c.links = append(c.links, l)
		c.all = append(c.all, New(Config{Key: "account", Shared: l}))
	}
	t.Cleanup(func() {
		for _, b := range c.all {
			b.Close()
		}
	})
	return c
}

// try sends a write, if it may go at once, and it is counted and answered so much later. Else it returns the wait.
func (c *cast) try(who int, out, back time.Duration) time.Duration {
	q := Request{Priority: providers.Writing}
	ticket, wait := c.all[who].Take(c.t.Context(), q)
	if ticket == nil {
		return wait
	}
	time.Sleep(out)
	a := c.up.count(q, false)
	time.Sleep(back)
	ticket.Settle(a)
	c.sent[who].Add(1)
	return 0
}

// spend sends requests in turn until so many are used.
func (c *cast) spend(used int) {
	c.t.Helper()
	for tries := 0; c.up.used < used; tries++ {
		time.Sleep(min(c.try(tries%len(c.all), 0, 0), 10*time.Millisecond))
		if tries > 1000*used {
			c.t.Fatalf("%d requests were sent, want %d", c.up.used, used)
		}
	}
}

func (c *cast) cut(who int, cut bool) { c.links[who].set(cut, false) }

func TestTwoThatDiedDoNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := assemble(t, 6)
		c.spend(33)
		c.cut(4, true)
		time.Sleep(5 * time.Second)
		c.cut(5, true)
		time.Sleep(5 * time.Second)
		for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(50 * time.Millisecond) {
			for who := range 4 {
				c.try(who, 0, 0)
			}
		}
		if got, want := c.up.used-33, 12; got < want {
			t.Errorf("%d of the 17 requests that were left went within 5 s, want %d", got, want)
		}
		if c.up.refused > 0 {
			t.Errorf("%d were refused", c.up.refused)
		}
	})
}

func TestWhatADeadOneWasPromisedIsFreeOnceItWouldBeVoid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := assemble(t, 2)
		c.spend(4)
		c.cut(1, true) // which may send a quarter of what is left
		end := time.Now().Add(10 * time.Second)
		for time.Now().Before(end) {
			time.Sleep(min(c.try(0, 0, 0), time.Second))
		}
		if got, want := c.up.used, 45; got < want || c.up.refused > 0 {
			t.Errorf("%d of 50 requests went within 10 s, %d of them refused, want %d and none", got, c.up.refused, want)
		}
	})
}

func TestOneThatIsAloneAndHearsNoAnswerSendsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := assemble(t, 2)
		c.begin(4)
		c.cut(0, true)
		sent := 0
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
			ticket, wait := c.all[0].Take(t.Context(), Request{Priority: providers.Writing})
			if ticket != nil {
				sent++
				ticket.Lost()
			}
			time.Sleep(min(wait, time.Second))
		}
		if sent != 1 {
			t.Errorf("%d requests were sent, want 1", sent)
		}
	})
}

// hammer lets each send as much as it may, so many at once, until the context ends.
func (c *cast) hammer(ctx context.Context, seed uint64, who, workers int, latency time.Duration) {
	for i := range workers {
		r := rand.New(rand.NewPCG(seed, uint64(who*100+i)))
		c.going.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(min(c.try(who, part(r, latency), part(r, latency)), time.Second) + part(r, time.Second/5))
			}
		})
	}
}

func TestOneThatIsCutOffAndSendsAllItMayIsNotRefusedNorAreTheOthers(t *testing.T) {
	fast, slow := 20*time.Millisecond, 4*time.Second
	for seed := uint64(20); seed < 40; seed++ {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			among, used := 2+r.IntN(3), 4+r.IntN(42)
			c := assemble(t, among)
			c.spend(used)
			c.cut(0, true)
			before := c.sent[0].Load()
			ctx, end := context.WithTimeout(t.Context(), goneAfter-time.Second)
			defer end()
			latencies := [][2]time.Duration{{fast, slow}, {slow, fast}, {fast, fast}, {slow, slow}}[seed%4]
			alone, others := part(r, 20*time.Second), part(r, 20*time.Second)
			c.going.Go(func() { time.Sleep(alone); c.hammer(ctx, seed, 0, 3, latencies[0]) })
			time.Sleep(others)
			for who := 1; who < among; who++ {
				c.hammer(ctx, seed, who, 20, latencies[1])
			}
			c.going.Wait()
			if c.up.refused > 0 {
				t.Errorf("story %d: %d requests were refused", seed, c.up.refused)
			}
			if c.sent[0].Load() == before {
				t.Errorf("story %d: the one that was cut off sent nothing", seed)
			}
		})
	}
}
