package activity

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// scene is some processes with a log and an index in common, which may fail, and a registry.
type scene struct {
	*testing.T
	log    *frailLog
	index  *countedIndex
	trails []*Trail
	tokens map[string]*providers.Token
}

// frailLog is a log that cannot be reached at times.
type frailLog struct {
	Log
	mu   sync.Mutex
	down bool
}

func (l *frailLog) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *frailLog) fails() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return fmt.Errorf("%w: on purpose", eventlog.ErrUnavailable)
	}
	return nil
}

func (l *frailLog) Append(ctx context.Context, events []Event) ([]bool, error) {
	if err := l.fails(); err != nil {
		return nil, err
	}
	return l.Log.Append(ctx, events)
}

func (l *frailLog) Bounds(ctx context.Context) (eventlog.Cursor, eventlog.Cursor, error) {
	if err := l.fails(); err != nil {
		return "", "", err
	}
	return l.Log.Bounds(ctx)
}

// countedIndex counts what is written.
type countedIndex struct {
	*MemoryIndex
	mu     sync.Mutex
	writes int
}

func (i *countedIndex) Change(ctx context.Context, registry providers.ID, change Change) (bool, error) {
	i.mu.Lock()
	i.writes++
	i.mu.Unlock()
	return i.MemoryIndex.Change(ctx, registry, change)
}

// play runs a scene with so many processes. All that is told is in the log by the time that the test waits for it.
func play(t *testing.T, processes int, run func(*scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, log: &frailLog{Log: NewMemory(0, 0)}, index: &countedIndex{MemoryIndex: NewMemoryIndex(0)}, tokens: map[string]*providers.Token{}}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for range processes {
			trail := NewTrail(Options{Log: s.log, Index: s.index})
			s.trails = append(s.trails, trail)
			running.Go(func() { trail.Run(ctx) })
		}
		run(s)
		cancel()
		running.Wait()
		s.log.Close()
	})
}

// token puts a token into the registry.
func (s *scene) token(native string) *providers.Token {
	t := &providers.Token{ID: theRegistry.TokenID(native), Name: native, Enabled: true, CreatedAt: time.Now()}
	s.tokens[native] = t
	return t
}

// changes is a token that somebody changed: what was read before stays as it is.
func (s *scene) changes(native string, change func(*providers.Token)) {
	t := *s.tokens[native]
	change(&t)
	s.tokens[native] = &t
}

// list is what the registry shows now.
func (s *scene) list() List {
	l := List{Registry: theRegistry, RegistryName: "acme", At: time.Now()}
	for _, t := range s.tokens {
		l.Tokens = append(l.Tokens, t)
	}
	return l
}

// sees lets a process read the registry, and time pass until it is read again.
func (s *scene) sees(process int) {
	s.trails[process].See(s.list())
	time.Sleep(time.Minute)
	synctest.Wait()
}

// does lets a caller do something through a process.
func (s *scene) does(process int, kind Kind, native string, set ...providers.TokenField) {
	s.trails[process].Tell(s.Context(), Deed{
		Kind: kind, Actor: "ada", Token: theRegistry.TokenID(native), State: s.tokens[native], RegistryName: "acme", Set: set,
	})
}

// told wants these events, and no others.
func (s *scene) told(want ...string) {
	s.Helper()
	page, err := s.log.Read(s.Context(), "", 1000)
	if err != nil {
		s.Fatal(err)
	}
	var got []string
	for _, entry := range page.Entries {
		e := entry.Event
		line := string(e.Kind) + " " + e.Subject.Name
		for _, field := range e.Changed {
			line += " " + string(field)
		}
		if e.Actor != "" {
			line += " by " + e.Actor
		}
		got = append(got, line)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
