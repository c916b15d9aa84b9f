package budget_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/providers"
	"regtok/providers/budget"
	"regtok/redistest"
)

// connect makes a client as the program has it.
func connect(t testing.TB, server *redistest.Server) redis.UniversalClient {
	o := server.Options()
	o.ContextTimeoutEnabled = true
	o.DialTimeout = time.Second
	o.DialerRetries = 1
	o.MaxRetries = 1
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// lines is a log that is read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// reports writes down each change that a budget tells of. It tells of one thing after the other.
func reports(log *lines) func(error) {
	alone := false
	return func(err error) {
		switch {
		case err != nil && !alone:
			fmt.Fprintf(log, "goes on alone: %v\n", err)
		case err == nil && alone:
			fmt.Fprintln(log, "works again")
		}
		alone = err != nil
	}
}

// replica is a budget over the server.
func replica(t testing.TB, server *redistest.Server, log *lines) *budget.Budget {
	b := budget.New(budget.Config{
		Key: "buildkite/main", Shared: budget.NewRedis(connect(t, server), "test:"),
		Report: reports(log),
	})
	t.Cleanup(b.Close)
	return b
}

// provider counts requests of all replicas in one long window.
type provider struct {
	mu          sync.Mutex
	used, limit int
	ends        time.Time
}

func (p *provider) answer() budget.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ends.IsZero() {
		p.ends = time.Now().Add(time.Hour)
	}
	p.used++
	return budget.Answer{Refused: p.used > p.limit, Told: []providers.Limit{{
		Scope: "user", Limit: p.limit, Remaining: max(p.limit-p.used, 0),
		Reset: time.Until(p.ends).Truncate(time.Second) + time.Second,
	}}}
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

// exhaust takes what there is, as many do at once, until long waits are told.
func exhaust(t testing.TB, p *provider, replicas ...*budget.Budget) {
	t.Helper()
	var all sync.WaitGroup
	deadline := time.Now().Add(time.Minute)
	for _, b := range replicas {
		for range 8 {
			all.Go(func() {
				for time.Now().Before(deadline) {
					ticket, wait := b.Take(t.Context(), write)
					switch {
					case ticket != nil:
						ticket.Settle(p.answer())
					case wait > 10*time.Second:
						return
					default:
						time.Sleep(min(wait, 50*time.Millisecond))
					}
				}
			})
		}
	}
	all.Wait()
}

func TestReplicasOverRedisShareOneAllowance(t *testing.T) {
	server := redistest.Start(t)
	var log lines
	var replicas []*budget.Budget
	for range 4 {
		replicas = append(replicas, replica(t, server, &log))
	}
	p := &provider{limit: 200}
	exhaust(t, p, replicas...)
	if got := p.count(); got > 200 || got < 180 {
		t.Errorf("%d requests were sent, want 200 or a few less", got)
	}
}
