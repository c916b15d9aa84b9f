package catalog

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// journal is a log that a test reads.
type journal struct {
	mu     sync.Mutex
	text   strings.Builder
	failed map[string]bool // parts that were reported
}

// report writes down what is reported, once for each change.
func (j *journal) report(part string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if (err != nil) == j.failed[part] {
		return
	}
	if j.failed == nil {
		j.failed = map[string]bool{}
	}
	j.failed[part] = err != nil
	said := "works again"
	if err != nil {
		said = "fails"
	}
	fmt.Fprintln(&j.text, part, said)
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// lines counts the lines that hold a text.
func (j *journal) lines(holding string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for line := range strings.Lines(j.text.String()) {
		if strings.Contains(line, holding) {
			n++
		}
	}
	return n
}
