package redistest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// process is a running server. It ends with this process too, however this one ends.
type process struct {
	*exec.Cmd
	log   string
	ended chan struct{}
	guard *exec.Cmd
	hold  io.Closer // the guard's standard input
}

// launch starts a program whose output goes to a file.
func launch(log, name string, args ...string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &process{Cmd: exec.Command(name, args...), log: log, ended: make(chan struct{})}
	p.Stdout, p.Stderr = file, file
	if err := p.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.Wait() // the log says it
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
		return fmt.Errorf("guard the server: %w", err)
	}
	return nil
}

// kill ends the process and waits for that. The guard goes first: what it would kill then may be somebody else.
func (p *process) kill() {
	if p.guard.Process != nil {
		_ = p.guard.Process.Kill()
		_ = p.guard.Wait()
	}
	_ = p.Process.Kill()
	<-p.ended
}

// pause returns once the process does nothing more.
func (p *process) pause() error {
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		_, err := syscall.Wait4(p.Process.Pid, nil, syscall.WUNTRACED, nil)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// said is the end of what the process wrote.
func (p *process) said() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}
