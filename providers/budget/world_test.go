package budget

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"regtok/providers"
)

// strict is a provider that counts requests in windows which begin with the first request after the window before, and
// refuses what is too much.
type strict struct {
	mu      sync.Mutex
	tells   bool
	floors  bool // rounds what is left of a window down
	limit   int
	length  time.Duration
	ends    time.Time
	used    int
	swept   int
	refused int
	served  int
	// mostSwept and leastUsed are of all windows.
	mostSwept int
	windows   []int
}

// count counts a request, and answers it.
func (p *strict) count(q Request, foreign bool) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !now.Before(p.ends) {
		p.windows = append(p.windows, p.used)
		p.ends, p.used, p.swept = now.Add(p.length), 0, 0
	}
	p.used++
	left := p.ends.Sub(now)
	a := Answer{Refused: p.used > p.limit}
	if p.tells {
		reset := (left + time.Second - 1).Truncate(time.Second)
		if p.floors {
			reset = left.Truncate(time.Second)
		}
		a.Told = []providers.Limit{{Scope: "user", Limit: p.limit, Remaining: max(p.limit-p.used, 0), Reset: reset}}
	} else if a.Refused {
		a.RetryAfter = left
	}
	if a.Refused && !foreign {
		p.refused++
	}
	if !a.Refused {
		p.served++
	}
	if q.Priority == providers.Sweeping {
		p.swept++
		p.mostSwept = max(p.mostSwept, p.swept)
	}
	return a
}

// memory is a Shared in this process, whose server can be replaced, and forget.
type memory struct {
	mu     sync.Mutex
	server string
	ahead  time.Duration
	values map[string][]byte
	swaps  int
}

func newMemory() *memory { return &memory{server: "a", values: map[string][]byte{}} }

func (m *memory) Swap(_ context.Context, key string, known Known, value []byte) (Present, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.swaps++
	now := time.Now().Add(m.ahead)
	found := m.values[key]
	same := string(found[:min(len(found), stampLength)]) == string(known.Value[:min(len(known.Value), stampLength)])
	if !same || known.Server != m.server || known.Now.Sub(now).Abs() > ClockSlack {
		return Present{Value: found, Server: m.server, Now: now}, nil
	}
	m.values[key] = value
	return Present{Swapped: true, Server: m.server, Now: now}, nil
}

// copy is what is kept now.
func (m *memory) copy() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string][]byte{}
	for key, value := range m.values {
		all[key] = value
	}
	return all
}

// become is a server that has only what it has.
func (m *memory) become(server string, ahead time.Duration, values map[string][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.server, m.ahead, m.values = server, ahead, values
}

// set sets the server's clock.
func (m *memory) set(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead += by
}

// link is a process's way to what is shared.
type link struct {
	mu   sync.Mutex
	to   Shared
	cut  bool
	lose bool // answers, and nothing else
}

var errCut = errors.New("cut")

func (l *link) set(cut, lose bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut, l.lose = cut, lose
}

func (l *link) Swap(ctx context.Context, key string, known Known, value []byte) (Present, error) {
	l.mu.Lock()
	cut, lose := l.cut, l.lose
	l.mu.Unlock()
	if cut {
		return Present{}, errCut
	}
	time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
	present, err := l.to.Swap(ctx, key, known, value)
	if lose {
		<-ctx.Done()
		return Present{}, fmt.Errorf("lost: %w", ctx.Err())
	}
	time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
	return present, err
}

// process is one of those who use the account.
type process struct {
	*Budget
	link    *link
	up      *strict
	ctx     context.Context
	kill    context.CancelFunc
	latency time.Duration
	lossy   bool
	of      string
	sent    [3]int
	wg      *sync.WaitGroup
	mu      sync.Mutex
}

// work asks again and again, with pauses.
func (p *process) work(r *rand.Rand, priority providers.Priority, pause time.Duration) {
	p.wg.Go(func() {
		for p.ctx.Err() == nil {
			p.one(r, Request{Priority: priority, Of: p.of})
			if pause > 0 && !p.sleep(time.Duration(r.Int64N(int64(pause)))) {
				return
			}
		}
	})
}

// shortWait is what may be told again and again, for minutes. Asking each time would take most of a story's time and tell
// nothing new; who waits for the end of a window comes back at that very moment.
const shortWait = 100 * time.Millisecond

// one sends one request, unless it has to wait for too long.
func (p *process) one(r *rand.Rand, q Request) bool {
	for range 1000 {
		ticket, wait := p.Take(p.ctx, q)
		if ticket != nil {
			p.send(r, q, ticket)
			return true
		}
		if wait > 20*time.Second {
			p.sleep(time.Duration(r.Int64N(int64(time.Second))))
			return false
		}
		if wait <= shortWait {
			wait += time.Duration(r.Int64N(int64(time.Second)))
		}
		if !p.sleep(wait) {
			return false
		}
	}
	return false
}

func (p *process) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-p.ctx.Done():
		return false
	}
}

// send sends a request, which the provider counts on the way whatever becomes of who sent it.
func (p *process) send(r *rand.Rand, q Request, t *Ticket) {
	p.mu.Lock()
	p.sent[q.Priority+1]++
	p.mu.Unlock()
	out, back := part(r, p.latency), part(r, p.latency)
	lost, unsent := p.lossy && r.IntN(20) == 0, p.lossy && r.IntN(20) == 0
	if unsent {
		t.Return()
		return
	}
	answer := make(chan Answer, 1)
	p.wg.Go(func() {
		time.Sleep(out)
		a := p.up.count(q, false)
		time.Sleep(back)
		answer <- a
	})
	if lost {
		time.Sleep(part(r, p.latency))
		t.Lost()
		return
	}
	select {
	case a := <-answer:
		t.Settle(a)
	case <-p.ctx.Done():
	}
}

func part(r *rand.Rand, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(r.Int64N(int64(most)))/2 + time.Millisecond
}
