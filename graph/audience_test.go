package graph_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

// subscribers are as many as there are in an audience. The first of them does not read.
const subscribers = 2000

// audienceOf is set to a server's address for a process that is to be an audience.
const audienceOf = "REGTOK_TEST_AUDIENCE_OF"

// audience are subscribers over WebSocket, each with a connection of its own, in another process.
type audience struct {
	orders io.WriteCloser
	said   *bufio.Scanner
}

// gather starts an audience whose sockets are ready, and that has no subscription yet.
func gather(b *testing.B, url string) *audience {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	process := exec.CommandContext(context.WithoutCancel(b.Context()), program) // it ends with its orders
	process.Env = append(os.Environ(), audienceOf+"="+url)
	process.Stderr = os.Stderr
	orders, err := process.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	said, err := process.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = orders.Close()
		if err := process.Wait(); err != nil {
			b.Error(err)
		}
	})
	a := &audience{orders, bufio.NewScanner(said)}
	a.says(b, "ready")
	return a
}

func (a *audience) says(b *testing.B, want string) {
	b.Helper()
	if !a.said.Scan() || a.said.Text() != want {
		b.Fatalf("the audience says %q, %v, want %q", a.said.Text(), a.said.Err(), want)
	}
}

// subscribe makes everybody subscribe.
func (a *audience) subscribe(b *testing.B) {
	b.Helper()
	if _, err := io.WriteString(a.orders, "subscribe\n"); err != nil {
		b.Fatal(err)
	}
}

// attend is an audience. It ends with its orders.
func attend(url string, orders io.Reader, said io.Writer) error {
	conns := make([]*websocket.Conn, subscribers)
	for i := range conns {
		conn, _, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket that is open has none
		if err != nil {
			return err
		}
		if err := conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"connection_init"}`)); err != nil {
			return err
		}
		if _, _, err := conn.Read(context.Background()); err != nil {
			return err
		}
		conns[i] = conn
	}
	if _, err := fmt.Fprintln(said, "ready"); err != nil {
		return err
	}
	order := bufio.NewScanner(orders)
	if !order.Scan() {
		return order.Err()
	}
	const query = `subscription { tokenExpiry { ... on TokenExpiryEvent { id kind dueAt cursor subject { name registryName } } ... on EventGap { reason } } }`
	for _, conn := range conns {
		if err := conn.Write(context.Background(), websocket.MessageText, []byte(`{"id":"1","type":"subscribe","payload":{"query":"`+query+`"}}`)); err != nil {
			return err
		}
	}
	listen(conns[1:], said)
	order.Scan()
	return order.Err()
}

// listen says so when all have heard an event.
func listen(conns []*websocket.Conn, said io.Writer) {
	var heard atomic.Int64
	for _, conn := range conns {
		go func() {
			for {
				_, text, err := conn.Read(context.Background())
				if err != nil {
					return
				}
				if bytes.Contains(text, []byte(`"next"`)) && heard.Add(1)%int64(len(conns)) == 0 {
					_, _ = fmt.Fprintln(said, "heard")
				}
			}
		}()
	}
}
