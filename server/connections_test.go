package server_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regtok/server"
)

// crowd is a server with room for two connections, which are open: one is silent, and one has become something else, as a
// WebSocket does.
type crowd struct {
	*world
	leave   func() // ends the second
	reached chan time.Time
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	taken := make(chan net.Conn, 1)
	w := startOnPipes(t, server.Config{Limits: server.Limits{Connections: 2}, GraphQL: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			t.Error(err)
		}
		taken <- conn
	})})
	c := &crowd{world: w, reached: make(chan time.Time, 1)}
	for _, text := range []string{"", "POST /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n"} {
		conn := w.dial(t)
		fmt.Fprint(conn, text)
	}
	conn := <-taken
	c.leave = func() { _ = conn.Close() }
	t.Cleanup(c.leave)
	return c
}

// another opens a third connection, and notes when it was let in.
func (c *crowd) another() {
	go func() {
		conn, err := c.reach()
		if err != nil {
			return // the server has ended
		}
		_ = conn.Close()
		c.reached <- time.Now()
	}()
	synctest.Wait()
}

func TestConnectionsWaitForRoom(t *testing.T) {
	bubble := func(name string, run func(t *testing.T, c *crowd)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { run(t, newCrowd(t)) }) })
	}
	bubble("until one is dropped that says nothing", func(t *testing.T, c *crowd) {
		begin := time.Now()
		c.another()
		if got := (<-c.reached).Sub(begin); got != 5*time.Second {
			t.Errorf("the third was let in after %v, want the 5 s for which the first may be silent", got)
		}
		if got := strings.Count(c.log.String(), "as many connections are open as there may be"); got != 1 {
			t.Errorf("the log tells %d times that they wait, want once:\n%s", got, c.log)
		}
	})
	bubble("until one ends that has become a socket", func(t *testing.T, c *crowd) {
		begin := time.Now()
		c.another()
		time.Sleep(time.Second)
		c.leave()
		if got := (<-c.reached).Sub(begin); got != time.Second {
			t.Errorf("the third was let in after %v, want at once when the second had ended", got)
		}
	})
	bubble("and not for the end of the server", func(t *testing.T, c *crowd) {
		c.another()
		begin := time.Now()
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		if got := time.Since(begin); got > time.Second {
			t.Errorf("it took %v to end", got)
		}
	})
}
