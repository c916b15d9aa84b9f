package expiry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"regtok/eventlog"
	"regtok/expiry"
	"regtok/expiry/expirytest"
	"regtok/providers"
)

// mirror is what one token's followers should hear, worked out from what was seen of it and nothing else.
type mirror struct {
	due     time.Time // zero: it is not watched
	source  expiry.DueSource
	from    time.Time // when it was first seen with that date
	told    time.Time // the date that was announced; zero: none stands
	last    time.Duration
	expects []string
}

var milestones = []time.Duration{8 * hour, 2 * hour, 0}

// passes lets the steps come that are due.
func (m *mirror) passes(now time.Time) {
	if m.due.IsZero() {
		return
	}
	for _, ahead := range milestones {
		at := m.due.Add(-ahead)
		announced := m.told.Equal(m.due) && m.last <= ahead
		if !at.After(m.from) || at.After(now) || announced {
			continue
		}
		m.told, m.last = m.due, ahead
		kind := expiry.Threshold
		if ahead == 0 {
			kind = expiry.Expired
		}
		m.expect(kind, m.due, time.Time{})
	}
}

// sees is what follows from a look at the token; nil: it is gone.
func (m *mirror) sees(now time.Time, token *expiry.Reading) {
	over := m.told.Equal(m.due) && m.last == 0
	switch {
	case token == nil && !m.due.IsZero() && m.source == expiry.ByProvider && !over && !now.Before(m.due):
		m.passes(m.due)
		*m = mirror{expects: m.expects}
	case token == nil && over:
		*m = mirror{expects: m.expects}
	case token == nil || token.Disabled || token.Due.IsZero():
		if !m.told.IsZero() {
			m.expect(expiry.Withdrawn, m.told, time.Time{})
		}
		*m = mirror{expects: m.expects}
	case !token.Due.Equal(m.due):
		if !m.told.IsZero() && token.Due.After(m.told) {
			m.expect(expiry.Extended, token.Due, m.told)
			m.told = time.Time{}
		}
		m.due, m.source, m.from = token.Due, token.Source, now
	}
	m.passes(now)
}

func (m *mirror) expect(kind expiry.Kind, due, was time.Time) {
	if word := stepWords(kind, m.last, due, was); !slices.Contains(m.expects, word) {
		m.expects = append(m.expects, word)
	}
}

func stepWords(kind expiry.Kind, threshold time.Duration, due, was time.Time) string {
	return fmt.Sprintf("%s %gh of %s, was %s", kind, threshold.Hours(), due.UTC().Format("02 15:04"), was.UTC().Format("02 15:04"))
}

// follower hears of events, leaves, and comes back with its cursor.
type follower struct {
	cursor eventlog.Cursor
	heard  map[providers.ID][]string
	wrong  string
}

func (f *follower) catchUp(ctx context.Context, log expiry.Log) {
	s, err := log.Follow(f.cursor, nil)
	if err != nil {
		f.wrong = err.Error()
		return
	}
	defer s.Close()
	for {
		bounded, cancel := context.WithTimeout(ctx, time.Second)
		update, err := s.Next(bounded)
		cancel()
		if err != nil {
			return
		}
		if update.Gap != nil {
			f.wrong = fmt.Sprint("a gap: ", *update.Gap)
			return
		}
		e := update.Entry.Event
		f.cursor = update.Entry.Cursor
		f.heard[e.Subject.Token] = append(f.heard[e.Subject.Token], stepWords(e.Kind, e.Threshold, e.DueAt, e.Was))
	}
}

// shaky is an index and a log of which each call may fail, before it did anything or after.
type shaky struct {
	expiry.Index
	expiry.Log
	mu   sync.Mutex
	dice *rand.Rand
}

func (s *shaky) falls() (before, after error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.dice.IntN(8) {
	case 0:
		return expiry.ErrUnavailable, nil
	case 1:
		return nil, expiry.ErrUnavailable
	}
	return nil, nil
}

func (s *shaky) Put(ctx context.Context, states []expiry.State) ([]bool, error) {
	before, after := s.falls()
	if before != nil {
		return nil, before
	}
	saved, err := s.Index.Put(ctx, states)
	if after != nil {
		return nil, after
	}
	return saved, err
}

func (s *shaky) Append(ctx context.Context, events []expiry.Event) ([]bool, error) {
	before, after := s.falls()
	if before != nil {
		return nil, before
	}
	fresh, err := s.Log.Append(ctx, events)
	if after != nil {
		return nil, after
	}
	return fresh, err
}

func (s *shaky) Take(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]expiry.State, time.Time, error) {
	before, after := s.falls()
	if before != nil {
		return nil, time.Time{}, before
	}
	states, next, err := s.Index.Take(ctx, now, limit, lease)
	if after != nil {
		return nil, time.Time{}, after
	}
	return states, next, err
}

const modelTokens = 4

// drama is any sequence of changes, of time, of deaths and of failures. Dates are whole hours, and something happens twenty
// minutes after each: what is due was told by then, and what is known is known to all.
type drama struct {
	*scene
	rapid     *rapid.T
	mirrors   [modelTokens]mirror
	followers [2]follower
	stops     []func() // of the processes that run
	asleep    bool     // the provider cannot be asked
}

func TestAnySequenceOfChangesAndFailuresTellsEachFollowerExactlyWhatItShould(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var wrong string
		var given any // by rapid, which wants it back outside the bubble
		synctest.Test(t, func(t *testing.T) {
			defer func() { given = recover() }()
			d := &drama{rapid: rt, scene: &scene{
				T: t, provider: newProvider(), start: time.Now(), said: &told{}, rule: expiry.Settings{Thresholds: milestones},
			}}
			s := &shaky{Index: expiry.NewMemoryIndex(), Log: expiry.NewMemory(0, 0), dice: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "dice"), 1))}
			d.index, d.log = s, s
			for i := range d.followers {
				d.followers[i].heard = map[providers.ID][]string{}
			}
			time.Sleep(20 * minute)
			d.run()
			wrong = d.wrong()
		})
		if given != nil {
			panic(given)
		}
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func (d *drama) run() {
	defer d.fall()
	d.rise()
	for range rapid.IntRange(1, 40).Draw(d.rapid, "turns") {
		d.turn()
		d.hourPasses()
	}
	d.wake(true)
	d.rise()
	d.hourPasses()
	for i := range d.followers {
		d.followers[i].catchUp(d.Context(), d.log)
	}
}

// turn lets something happen.
func (d *drama) turn() {
	switch rapid.IntRange(0, 8).Draw(d.rapid, "what happens") {
	case 0, 1, 2:
		d.changes()
	case 3:
		for range rapid.IntRange(1, 8).Draw(d.rapid, "hours") {
			d.hourPasses()
		}
	case 4:
		d.wake(d.asleep)
	case 5:
		d.fall()
	case 6:
		if len(d.stops) < 3 {
			d.rise()
		}
	default:
		d.followers[rapid.IntRange(0, 1).Draw(d.rapid, "who comes")].catchUp(d.Context(), d.log)
	}
}

// changes makes one token what it was not.
func (d *drama) changes() {
	n := rapid.IntRange(0, modelTokens-1).Draw(d.rapid, "token")
	if rapid.IntRange(0, 4).Draw(d.rapid, "deleted, if 0") == 0 {
		d.deletes(n)
		d.hear()
		return
	}
	token := expiry.Reading{Subject: expirytest.Subject(n), Source: expiry.ByPolicy, Disabled: rapid.IntRange(0, 5).Draw(d.rapid, "disabled, if 0") == 0}
	if n%2 == 0 {
		token.Source = expiry.ByProvider
	}
	if ahead := rapid.IntRange(0, 24).Draw(d.rapid, "due in hours"); ahead > 0 {
		token.Due = time.Now().Truncate(hour).Add(time.Duration(ahead) * hour)
	}
	d.puts(token)
	d.hear()
}

// rise starts a process, and fall ends all.
func (d *drama) rise() {
	d.watcher = d.another()
	d.stops = append(d.stops, running(d.T, d.watcher, d.provider))
	d.hear()
}

func (d *drama) fall() {
	for _, stop := range d.stops {
		stop()
	}
	d.stops = nil
}

// wake lets the provider answer, or not.
func (d *drama) wake(answers bool) {
	d.asleep = !answers
	d.breaks(nil)
	if d.asleep {
		d.breaks(func() error { return &providers.Error{Kind: providers.Unavailable} })
	}
	d.hear()
}

// hear lets a process read all tokens, if there is one and the provider answers.
func (d *drama) hear() {
	if len(d.stops) == 0 || d.asleep {
		return
	}
	for n := range d.mirrors {
		d.watcher.Tell(d.list(expirytest.Subject(n).Token.OfRegistry()))
		d.mirrors[n].sees(time.Now(), d.truth(n))
	}
}

// hourPasses brings the clock to twenty minutes past the next hour.
func (d *drama) hourPasses() {
	time.Sleep(hour)
	synctest.Wait()
	if len(d.stops) == 0 {
		return
	}
	for n := range d.mirrors {
		m := &d.mirrors[n]
		m.passes(time.Now())
		if !d.asleep && m.source == expiry.ByProvider && m.told.Equal(m.due) && m.last == 0 {
			*m = mirror{expects: m.expects} // it was looked at then
		}
	}
}

// truth is what the nth token is; nil: it is gone.
func (p *provider) truth(n int) *expiry.Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	token, there := p.tokens[expirytest.Subject(n).Token]
	if !there || token.Source == expiry.ByProvider && !token.Due.IsZero() && !time.Now().Before(token.Due) {
		return nil
	}
	return &token
}

func (d *drama) wrong() string {
	for i, f := range d.followers {
		if f.wrong != "" {
			return f.wrong
		}
		for n := range d.mirrors {
			token := expirytest.Subject(n).Token
			if got, want := f.heard[token], d.mirrors[n].expects; !slices.Equal(got, want) {
				return fmt.Sprintf("follower %d heard of token %d\n%s\nand should have heard\n%s", i, n, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
	return ""
}
