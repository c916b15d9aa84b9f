// Package redistest runs real Redis servers for tests, and takes them down, up and to sleep.
package redistest

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a server may take to start on a busy machine.
const patience = time.Minute

// Server is a Redis on a port of its own. It belongs to one test, which may share it with its subtests: give each a
// prefix of its own. Its methods are for that test's goroutine alone.
type Server struct {
	t         testing.TB
	dir       string
	addr      string
	authority *Authority // nil: no TLS
	args      []string   // besides where it listens
	process   *process   // nil: it is stopped
	paused    bool
}

// Start starts a server and waits until it answers; it ends with the test. It keeps nothing on disk, unless args say
// otherwise: they are the server's own, like "--maxmemory", "1mb". It needs redis-server on the PATH.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return (*Authority)(nil).Start(t, args...)
}

// Start is the package's Start, with TLS.
func (a *Authority) Start(t testing.TB, args ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	return a.start(t, dir, append([]string{"--dir", dir, "--save", "", "--appendonly", "no"}, args...))
}

// start starts a server with arguments that say all but where it listens.
func (a *Authority) start(t testing.TB, dir string, args []string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("found no redis-server on the PATH: install it, on Debian with `apt-get install redis-server`")
	}
	s := &Server{t: t, dir: dir, authority: a, args: args}
	t.Cleanup(s.Stop)
	var err error
	for range 5 { // somebody else may have taken the port
		s.addr = freeAddress(t)
		if err = s.run(); err == nil {
			return s
		}
	}
	t.Fatal(err)
	return nil
}

// Addr is where it listens, as host:port.
func (s *Server) Addr() string { return s.addr }

// URL is its address as settings have it.
func (s *Server) URL() string { return s.authority.url("", s.addr) }

// Options are what a client of it needs.
func (s *Server) Options() *redis.Options {
	return &redis.Options{Addr: s.addr, TLSConfig: s.authority.clientConfig()}
}

// Client makes a client for the test to look and meddle with. It is closed with the test.
func (s *Server) Client(t testing.TB) *redis.Client {
	client := redis.NewClient(s.Options())
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Stop kills the server, unless it is stopped. Nobody listens on its address any more.
func (s *Server) Stop() {
	if s.process != nil {
		s.process.kill()
		s.process, s.paused = nil, false
	}
}

// Restart stops the server, if need be, and starts it again at its address. It has lost what it did not keep on disk.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	var err error
	for begin := time.Now(); time.Since(begin) < patience; {
		if err = s.run(); err == nil {
			return
		}
	}
	s.t.Fatal(err)
}

// Pause makes the server fall silent: its connections stay open, new ones are taken, and nothing is answered until
// Resume. What it was sent by then, it does then.
func (s *Server) Pause() {
	s.t.Helper()
	if s.process == nil || s.paused {
		s.t.Fatal("a server that does not run cannot be paused")
	}
	if err := s.process.pause(); err != nil {
		s.t.Fatalf("pause redis-server: %v", err)
	}
	s.paused = true
}

// Resume ends a pause.
func (s *Server) Resume() {
	s.t.Helper()
	if !s.paused {
		s.t.Fatal("a server that is not paused cannot be resumed")
	}
	if err := s.process.Process.Signal(syscall.SIGCONT); err != nil {
		s.t.Fatalf("resume redis-server: %v", err)
	}
	s.paused = false
}

// run starts the process and waits until it answers. An error tells what the server said.
func (s *Server) run() error {
	host, port, _ := net.SplitHostPort(s.addr)
	// What the arguments say first may be the name of a file.
	process, err := launch(filepath.Join(s.dir, "log"), "redis-server", slices.Concat(s.args, s.authority.listen(host, port))...)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(patience)
	for s.ping(process.Process.Pid) != nil {
		select {
		case <-process.ended:
			process.kill()
			return fmt.Errorf("redis-server ended at once: %s", process.said())
		case <-late:
			process.kill()
			return fmt.Errorf("redis-server does not answer: %s", process.said())
		case <-ticker.C:
		}
	}
	s.process = process
	return nil
}

// ping returns nil when the server of that process answers and is ready. One that asks for a password first is
// believed to be it.
func (s *Server) ping(pid int) error {
	conn, err := s.authority.dial(s.addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "PING\r\nINFO server\r\n"); err != nil {
		return err
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "-NOAUTH"), line == fmt.Sprintf("process_id:%d", pid):
			return nil
		case strings.HasPrefix(line, "-"), strings.HasPrefix(line, "process_id:"):
			return errors.New(line)
		}
	}
	return cmp.Or(lines.Err(), io.ErrUnexpectedEOF)
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
