package soak

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// patience is how many seconds a step may take on a busy machine that takes one on an idle one.
const patience = 60

// build makes the program as the Makefile does, and returns its path.
func build(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "regtok")
	if said, err := exec.Command("go", "build", "-trimpath", "-o", path, "regtok/cmd/regtok").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return path
}

// process is a running program. It ends with this process too, however this one ends.
type process struct {
	*exec.Cmd
	ended chan struct{}
	guard *exec.Cmd
	hold  io.Closer // the guard's standard input
}

// launch starts a program and hands each line that it logs to heard, in one goroutine that ends with the process.
func launch(heard func(line string), path string, args ...string) (*process, error) {
	p := &process{Cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.Env = []string{"PATH=" + os.Getenv("PATH")}
	logged, err := p.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		lines := bufio.NewReader(logged)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			heard(line)
		}
		_ = p.Wait() // whoever killed it knows
	}()
	if err := p.watch(); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// watch starts a guard that kills the process when this one is gone: a test that panics, or is killed, cleans up nothing.
func (p *process) watch() error {
	p.guard = exec.Command("sh", "-c", `read -r _; kill -9 "$0"`, strconv.Itoa(p.Process.Pid))
	hold, err := p.guard.StdinPipe()
	if err != nil {
		return err
	}
	p.hold = hold
	if err := p.guard.Start(); err != nil {
		return fmt.Errorf("guard the program: %w", err)
	}
	return nil
}

// kill ends the process as kill -9 does and waits for that. The guard goes first: what it would kill then may be
// somebody else.
func (p *process) kill() {
	if p.guard.Process != nil {
		_ = p.guard.Process.Kill()
		_ = p.guard.Wait()
	}
	_ = p.Process.Kill()
	<-p.ended
}
