package expiry_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
)

// provider is a provider of a few registries, as somebody sees who asks it. It deletes tokens when their dates come, if it set them.
type provider struct {
	mu     sync.Mutex
	tokens map[providers.ID]expiry.Reading
	gone   map[providers.ID]bool // registries
	fails  func() error          // nil: it answers
	looks  int
	name   string // of every registry, for who asks for that alone
	named  int    // how often somebody did
}

func newProvider() *provider {
	return &provider{tokens: map[providers.ID]expiry.Reading{}, gone: map[providers.ID]bool{}}
}

// has makes the nth token what it is.
func (p *provider) has(n int, due time.Time, source expiry.DueSource) {
	p.puts(expiry.Reading{Subject: expirytest.Subject(n), Due: due, Source: source})
}

func (p *provider) puts(token expiry.Reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens[token.Subject.Token] = token
}

func (p *provider) deletes(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tokens, expirytest.Subject(n).Token)
}

// closes deletes a registry with all that is in it.
func (p *provider) closes(registry providers.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone[registry] = true
}

// breaks makes it answer with what fails returns; nil: well.
func (p *provider) breaks(fails func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = fails
}

func (p *provider) list(registry providers.ID) expiry.List {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := expiry.List{Registry: registry, At: time.Now()}
	for token, reading := range p.tokens {
		if reading.Source == expiry.ByProvider && !reading.Due.IsZero() && !list.At.Before(reading.Due) {
			delete(p.tokens, token)
			continue
		}
		if token.OfRegistry() == registry {
			reading.At = list.At
			list.Tokens = append(list.Tokens, reading)
		}
	}
	return list
}

// Look implements expiry.Source.
func (p *provider) Look(ctx context.Context, registry providers.ID, _ time.Time) (expiry.List, error) {
	p.mu.Lock()
	p.looks++
	fails, gone := p.fails, p.gone[registry]
	p.mu.Unlock()
	if fails != nil {
		if err := fails(); err != nil {
			return expiry.List{}, err
		}
	}
	if gone {
		return expiry.List{}, providers.NotFoundError("provider", "list tokens")
	}
	return p.list(registry), ctx.Err()
}

// RegistryName implements expiry.Source.
func (p *provider) RegistryName(ctx context.Context, _ providers.ID) string {
	p.mu.Lock()
	p.named++
	name := p.name
	p.mu.Unlock()
	if name == "" {
		<-ctx.Done() // it does not answer
	}
	return name
}

// scene is a watcher at work, in a bubble.
type scene struct {
	*testing.T
	*provider
	start   time.Time
	index   expiry.Index
	log     expiry.Log
	rule    expiry.Settings
	said    *told // by the watcher
	watcher *expiry.Watcher
	stop    func()
}

// told is what is written into it.
type told struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *told) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(text)
}

func (t *told) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

const (
	minute = time.Minute
	hour   = time.Hour
)

// play runs a scene with thresholds of 8 and of 2 hours.
func play(t *testing.T, run func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{
			T: t, provider: newProvider(), start: time.Now(), index: expiry.NewMemoryIndex(), log: expiry.NewMemory(0, 0), said: &told{},
			rule: expiry.Settings{Thresholds: []time.Duration{8 * hour, 2 * hour}},
		}
		s.begin()
		defer func() { s.stop() }()
		run(s)
	})
}

// begin starts the watcher, as a process does that starts.
func (s *scene) begin() {
	s.watcher = s.another()
	s.stop = running(s.T, s.watcher, s.provider)
}

func (s *scene) another() *expiry.Watcher {
	return expiry.NewWatcher(expiry.Watched{
		Rule: expiry.NewRule(s.rule), Index: s.index, Log: s.log, Report: reports(s.said), Logger: slog.New(slog.NewTextHandler(s.said, nil)),
	})
}

// running runs a watcher until it is stopped.
func running(t *testing.T, w *expiry.Watcher, source expiry.Source) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { w.Run(ctx, source) })
	return func() {
		cancel()
		run.Wait()
	}
}

// after lets time pass until so long after the start.
func (s *scene) after(d time.Duration) {
	time.Sleep(time.Until(s.start.Add(d)))
	synctest.Wait()
}

// at is so long after the start.
func (s *scene) at(d time.Duration) time.Time { return s.start.Add(d) }

// reads tells the watcher of the nth token's registry.
func (s *scene) reads(n int) {
	s.watcher.Tell(s.list(expirytest.Subject(n).Token.OfRegistry()))
	synctest.Wait()
}

// told checks what was told, by token, kind, threshold, and when that was due.
func (s *scene) told(want ...string) {
	s.Helper()
	page, err := s.log.Read(s.Context(), "", 10_000)
	if err != nil {
		s.Fatal(err)
	}
	got := []string{}
	for _, e := range page.Entries {
		got = append(got, s.words(e.Event))
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		s.Errorf("told, after %v (-want +got):\n%s%s", time.Since(s.start), diff, s.said.String())
	}
}

func (s *scene) words(e expiry.Event) string {
	threshold := ""
	if e.Threshold > 0 {
		threshold = fmt.Sprintf(" %gh", e.Threshold.Hours())
	}
	return fmt.Sprintf("%s: %s%s at %v", e.Subject.Name, e.Kind, threshold, e.OccurredAt.Sub(s.start).Round(time.Second))
}
