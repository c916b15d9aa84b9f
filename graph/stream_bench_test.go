package graph_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// audience are subscribers over WebSocket, each with a connection of its own, all in this process.
type audience struct {
	*stage
	conns []*websocket.Conn
	heard sync.WaitGroup // of what was told last
}

const subscribers = 2000

// connected has sockets that are ready, and no subscription yet.
func connected(b *testing.B, n int) *audience {
	b.Helper()
	a := &audience{stage: newStage(b, plan{})}
	for range n {
		conn, _, err := websocket.Dial(b.Context(), a.url, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket that is open has none
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.CloseNow() })
		a.conns = append(a.conns, conn)
		a.say(b, conn, `{"type":"connection_init"}`)
		if _, _, err := conn.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return a
}

func (a *audience) say(b *testing.B, conn *websocket.Conn, text string) {
	b.Helper()
	if err := conn.Write(b.Context(), websocket.MessageText, []byte(text)); err != nil {
		b.Fatal(err)
	}
}

func (a *audience) subscribe(b *testing.B) {
	b.Helper()
	const query = `subscription { tokenExpiry { ... on TokenExpiryEvent { id kind dueAt cursor subject { name registryName } } ... on EventGap { reason } } }`
	for _, conn := range a.conns {
		a.say(b, conn, `{"id":"1","type":"subscribe","payload":{"query":"`+query+`"}}`)
	}
	a.waitFor(b, len(a.conns))
}

// listen reads whatever comes, for all but the first so many.
func (a *audience) listen(b *testing.B, stuck int) {
	for _, conn := range a.conns[stuck:] {
		go func() {
			for {
				_, text, err := conn.Read(context.Background())
				if err != nil {
					return
				}
				if strings.Contains(string(text), `"next"`) {
					a.heard.Done()
				}
			}
		}()
	}
}

// BenchmarkFanOut tells an event to 2,000 subscribers, one of whom does not read.
func BenchmarkFanOut(b *testing.B) {
	a := connected(b, subscribers)
	bare := taken()
	a.subscribe(b)
	perSubscriber := float64(taken()-bare) / subscribers
	a.listen(b, 1)
	before, n := spent(b), 0
	for b.Loop() {
		n++
		a.heard.Add(subscribers - 1)
		a.tell(b, event(ionosToken, n))
		a.heard.Wait()
	}
	b.ReportMetric(perSubscriber/1024, "KiB/subscriber")
	b.ReportMetric(float64((spent(b)-before).Microseconds())/float64(n*subscribers), "µs-CPU/event")
}

// taken is what the process's heap and stacks take.
func taken() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// spent is the time that the process has spent, its clients' part too.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
