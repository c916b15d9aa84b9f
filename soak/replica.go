package soak

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// replica is one process that serves the API, again and again.
type replica struct {
	name    string
	program string
	config  string
	journal *journal

	mu      sync.Mutex
	running *process // nil: it is dead
	url     string   // empty: it does not serve
	serves  chan struct{}
}

// start starts it, and waits until it serves.
func (r *replica) start() error {
	serves := make(chan struct{})
	r.mu.Lock()
	r.serves = serves
	r.mu.Unlock()
	running, err := launch(r.hear, r.program, "serve", "-c", r.config, "--listen=127.0.0.1:0", "--log-format=json")
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.running = running
	r.mu.Unlock()
	select {
	case <-serves:
		return nil
	case <-running.ended:
		return fmt.Errorf("%s ended at once", r.name)
	case <-time.After(patience * time.Second):
		return fmt.Errorf("%s does not serve", r.name)
	}
}

// kill ends it as kill -9 does, if it runs.
func (r *replica) kill() {
	r.mu.Lock()
	running := r.running
	r.running, r.url = nil, ""
	r.mu.Unlock()
	if running != nil {
		running.kill()
	}
}

// address is where it serves; empty: it does not.
func (r *replica) address() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

// hear takes one line of its log.
func (r *replica) hear(text string) {
	line := logLine{Replica: r.name, At: time.Now()}
	if json.Unmarshal([]byte(text), &line) != nil {
		line.Level, line.Msg = "RAW", text // a panic, for example
	}
	if line.Msg == serving {
		r.mu.Lock()
		r.url = "http://" + line.Address
		close(r.serves)
		r.mu.Unlock()
	}
	r.journal.write(line, text)
}

// logLine is what the soak reads out of a line of a replica's log.
type logLine struct {
	Level, Msg, Address string
	Provider            string
	Term                uint64

	Replica string    `json:"-"`
	At      time.Time `json:"-"`
}
