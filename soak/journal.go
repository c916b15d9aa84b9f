package soak

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// What the log says when a process serves, and when it begins to sweep an account.
const (
	serving  = "serving"
	sweeping = "sweeping"
)

// journal is what all replicas log. Safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	book    io.Writer
	start   time.Time
	counts  map[string]int // by level and message
	samples map[string]string
	sweeps  []logLine // where each begins, and where each process does
}

func newJournal(start time.Time, book io.Writer) *journal {
	return &journal{book: book, start: start, counts: map[string]int{}, samples: map[string]string{}}
}

func (j *journal) write(line logLine, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(j.book, "%s %.3fs %s", line.Replica, line.At.Sub(j.start).Seconds(), text)
	kind := line.Level + " " + line.Msg
	j.counts[kind]++
	if _, known := j.samples[kind]; !known {
		j.samples[kind] = text
	}
	if line.Msg == sweeping || line.Msg == serving {
		j.sweeps = append(j.sweeps, line)
	}
}

// logged is how often each kind of line was written so far, and the first of each.
func (j *journal) logged() (counts map[string]int, samples map[string]string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.counts), maps.Clone(j.samples)
}

// sweeper is the replica that began last to sweep some account; empty: none has.
func (j *journal) sweeper() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range slices.Backward(j.sweeps) {
		if line.Msg == sweeping {
			return line.Replica
		}
	}
	return ""
}

// swept returns what a replica sweeps, by provider: what it has begun since it started and nobody has taken over.
func (j *journal) swept(replica string) map[string]logLine {
	j.mu.Lock()
	defer j.mu.Unlock()
	last := map[string]logLine{}
	for _, line := range j.sweeps {
		switch {
		case line.Msg == serving && line.Replica == replica:
			clear(last)
		case line.Msg == sweeping && line.Replica == replica:
			last[line.Provider] = line
		case line.Msg == sweeping:
			delete(last, line.Provider)
		}
	}
	return last
}

// next is where the sweep of an account begins again after the one given. It is false when it has not.
func (j *journal) next(after logLine) (logLine, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.sweeps {
		if line.Msg == sweeping && line.Provider == after.Provider && line.At.After(after.At) {
			return line, true
		}
	}
	return logLine{}, false
}
