package expirytest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"regtok/expiry"
	"regtok/providers"
)

// RunIndex runs the suite of every index. backend runs a case with what opens the index, which is empty at first, as one
// more process does; one that is not shared is the same each time.
func RunIndex(t *testing.T, backend func(t *testing.T, run func(t *testing.T, connect func() expiry.Index))) {
	for _, c := range indexing {
		t.Run(c.name, func(t *testing.T) {
			backend(t, func(t *testing.T, connect func() expiry.Index) {
				c.run(&indexStage{stage: &stage{t}, Index: connect(), connect: connect})
			})
		})
	}
}

type indexCase struct {
	name string
	run  func(*indexStage)
}

// indexStage is what a case of an index plays on.
type indexStage struct {
	*stage
	expiry.Index
	connect func() expiry.Index
}

const lease = time.Minute

// today is a time that every index can hold exactly.
func today() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// State is of the nth of many tokens, which is to be looked at then.
func State(n int, look time.Time) expiry.State {
	return expiry.State{Subject: Subject(n), Due: look, Source: expiry.ByPolicy, ReadAt: look.Add(-time.Hour), Step: look, Look: look}
}

func (s *indexStage) puts(states ...expiry.State) []expiry.State {
	s.Helper()
	saved, err := s.connect().Put(s.Context(), states)
	s.must(err)
	if slices.Contains(saved, false) {
		s.Errorf("saved is %v, want all", saved)
	}
	return states
}

// has checks what the index has of a token.
func (s *indexStage) has(want expiry.State) {
	s.Helper()
	got, err := s.connect().Get(s.Context(), []providers.ID{want.Subject.Token})
	s.must(err)
	s.same("state", got, []expiry.State{want})
}

// takes takes what is to be looked at, and checks which tokens that are.
func (s *indexStage) takes(now time.Time, limit int, want ...int) (states []expiry.State, next time.Time) {
	s.Helper()
	states, next, err := s.connect().Take(s.Context(), now, limit, lease)
	s.must(err)
	got := []string{}
	for _, state := range states {
		got = append(got, state.Subject.Name)
	}
	names := []string{}
	for _, n := range want {
		names = append(names, Subject(n).Name)
	}
	s.same("taken", got, names)
	return states, next
}

// counts checks how many states the index says that it has.
func (s *indexStage) counts(want int) {
	s.Helper()
	got, err := s.connect().Count(s.Context())
	s.must(err)
	s.same("count", got, want)
}

func nothing(n int) expiry.State {
	return expiry.State{Subject: expiry.Subject{Token: Subject(n).Token}}
}

var indexing = []indexCase{
	{"an empty index has nothing", func(s *indexStage) {
		s.has(nothing(1))
		all, err := s.OfRegistry(s.Context(), Subject(1).Token.OfRegistry())
		s.must(err)
		s.same("states", all, []expiry.State(nil))
		_, next := s.takes(today(), 10)
		s.same("next", next, time.Time{})
		s.counts(0)
	}},
	{"states are counted until they are over", func(s *indexStage) {
		states := s.puts(State(1, today()), State(2, today()), State(3, today()))
		s.counts(3)
		states[1].Due = time.Time{}
		s.puts(states...)
		s.counts(2)
	}},
	{"a state comes out as it went in", func(s *indexStage) {
		state := State(1, today())
		state.Told = expiry.Announcement{Due: today().Add(time.Hour), Threshold: time.Minute}
		state.Tried = today()
		state.Untold = Events(3, 4)
		state.Subject = state.Untold[0].Subject
		put := s.puts(state)[0]
		if put.Version == 0 {
			s.Error("it has no version")
		}
		state.Version = put.Version
		s.has(state)
	}},
	{"many states are got in the order asked, whatever their registry", func(s *indexStage) {
		now := today()
		var states []expiry.State
		var tokens []providers.ID
		for n := range 450 {
			states = append(states, State(n, now))
		}
		s.puts(states...)
		for n := range 460 {
			tokens = append(tokens, Subject(n*7%460).Token)
		}
		got, err := s.Get(s.Context(), tokens)
		s.must(err)
		for i, state := range got {
			want := nothing(i * 7 % 460)
			if n := i * 7 % 460; n < 450 {
				want = states[n]
			}
			s.same("state", state, want)
		}
	}},
	{"a registry's states are all of its tokens", func(s *indexStage) {
		var states, want []expiry.State
		for n := range 1000 {
			states = append(states, State(n, today()))
		}
		s.puts(states...)
		for n := 1; n < 1000; n += 3 {
			want = append(want, states[n])
		}
		got, err := s.connect().OfRegistry(s.Context(), Subject(1).Token.OfRegistry())
		s.must(err)
		byVersionAndName := func(a, b expiry.State) int { return cmp.Compare(a.Subject.Token.Native, b.Subject.Token.Native) }
		slices.SortFunc(got, byVersionAndName)
		slices.SortFunc(want, byVersionAndName)
		s.same("states", got, want)
	}},
	{"what does not follow from the last state is not saved", func(s *indexStage) {
		now := today()
		first := s.puts(State(1, now))[0]
		newer, late := first, first
		newer.Look, late.Look = now.Add(time.Hour), now.Add(2*time.Hour)
		newer = s.puts(newer)[0]
		states := []expiry.State{late, State(2, now), State(1, now)}
		saved, err := s.Put(s.Context(), states)
		s.must(err)
		s.same("saved", saved, []bool{false, true, false})
		if states[0].Version != first.Version || states[2].Version != 0 || states[1].Version == 0 {
			s.Errorf("the versions are %d, %d and %d", states[0].Version, states[1].Version, states[2].Version)
		}
		s.has(newer)
		over := first
		over.Due = time.Time{}
		saved, err = s.Put(s.Context(), []expiry.State{over})
		s.must(err)
		s.same("saved", saved, []bool{false})
		s.has(newer)
	}},
	{"what is over is removed, and does not come back", func(s *indexStage) {
		now := today()
		first := s.puts(State(1, now))[0]
		over := first
		over.Due = time.Time{}
		s.puts(over)
		s.has(nothing(1))
		s.takes(now.Add(time.Hour), 10)
		saved, err := s.Put(s.Context(), []expiry.State{first})
		s.must(err)
		s.same("saved", saved, []bool{false})
		again := s.puts(State(1, now))[0]
		if again.Version == first.Version {
			s.Error("the second life has the first one's version")
		}
		s.takes(now, 10, 1)
	}},
	{"what is over and untold is kept, and handed out, until it is told", func(s *indexStage) {
		state := State(1, today())
		state.Due, state.Look = time.Time{}, time.Time{}
		state.Untold = Events(1, 2)
		put := s.puts(state)[0]
		s.has(put)
		s.takes(time.Now(), 10)
		s.takes(time.Now().Add(3*time.Second), 10, 1)
		put.Untold = nil
		s.puts(put)
		s.has(nothing(1))
		s.takes(time.Now().Add(time.Hour), 10)
	}},
	{"what is to be looked at is handed out, soonest first", func(s *indexStage) {
		now := today()
		at := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
		never := State(9, now)
		never.Look = time.Time{}
		s.puts(State(3, at(3)), State(1, at(-1)), State(0, at(0)), State(7, at(-7)), State(2, at(2)), never)
		taken, next := s.takes(now, 10, 7, 1, 0)
		s.same("next", next, now.Add(lease))
		for i := range taken {
			taken[i].Due = time.Time{}
		}
		s.puts(taken...)
		_, next = s.takes(now, 10)
		s.same("next", next, at(2))
		s.takes(at(2), 10, 2)
	}},
	{"nothing is to be looked at before its time", func(s *indexStage) {
		now := today()
		s.puts(State(1, now.Add(time.Nanosecond)))
		s.takes(now, 1)
		s.takes(now.Add(time.Millisecond), 1, 1)
	}},
	{"what is above the limit is for the next", func(s *indexStage) {
		now := today()
		for n := range 5 {
			s.puts(State(3*n, now.Add(time.Duration(n-10)*time.Second))) // of one registry
		}
		s.takes(now, 0)
		_, next := s.takes(now, 2, 0, 3)
		s.same("next", next, now.Add(-8*time.Second))
		s.takes(now, 2, 6, 9)
		_, next = s.takes(now, 2, 12)
		s.same("next", next, now.Add(lease))
	}},
	{"what was taken is hidden until its lease ends, and handed out again", func(s *indexStage) {
		now := today()
		s.puts(State(1, now))
		s.takes(now, 1, 1)
		s.takes(now.Add(lease-time.Millisecond), 1)
		s.takes(now.Add(lease), 1, 1)
	}},
	{"what is put while it is taken is looked at when it says", func(s *indexStage) {
		now := today()
		s.puts(State(1, now))
		taken, _ := s.takes(now, 1, 1)
		taken[0].Look = now.Add(time.Second)
		s.puts(taken...)
		s.takes(now.Add(time.Second-time.Millisecond), 1)
		s.takes(now.Add(time.Second), 1, 1)
	}},
	{"of many takers each token has one", func(s *indexStage) {
		const tokens = 100
		now := today()
		var states []expiry.State
		for n := range tokens {
			states = append(states, State(n, now.Add(-time.Duration(n)*time.Second)))
		}
		s.puts(states...)
		var mu sync.Mutex
		times := map[providers.ID]int{}
		var takers sync.WaitGroup
		for range 8 {
			index := s.connect()
			takers.Go(func() {
				for range 4 {
					taken, _, err := index.Take(s.Context(), now, 10, lease)
					if err != nil {
						s.Error(err)
					}
					mu.Lock()
					for _, state := range taken {
						times[state.Subject.Token]++
					}
					mu.Unlock()
				}
			})
		}
		takers.Wait()
		s.same("tokens that were taken", len(times), tokens)
		for token, n := range times {
			if n != 1 {
				s.Errorf("%v was taken %d times", token, n)
			}
		}
	}},
	{"of many who go on from one state one is first", func(s *indexStage) {
		first := s.puts(State(1, today()))[0]
		var mu sync.Mutex
		winners := 0
		var writers sync.WaitGroup
		for n := range 16 {
			index := s.connect()
			writers.Go(func() {
				mine := first
				mine.Look = mine.Look.Add(time.Duration(n) * time.Hour)
				saved, err := index.Put(s.Context(), []expiry.State{mine})
				if err != nil {
					s.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil && saved[0] {
					winners++
				}
			})
		}
		writers.Wait()
		s.same("winners", winners, 1)
	}},
	{"what is no state of a token is refused", func(s *indexStage) {
		for _, bad := range []expiry.State{{}, {Subject: expiry.Subject{Token: Subject(1).Token.OfRegistry()}, Due: today()}} {
			if _, err := s.Put(s.Context(), []expiry.State{State(1, today()), bad}); providers.KindOf(err) != providers.Invalid {
				s.Errorf("got %v, want %s", err, providers.Invalid)
			}
		}
		s.has(nothing(1))
	}},
	{"a call whose context has ended says so and changes nothing", func(s *indexStage) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		_, put := s.Put(ctx, []expiry.State{State(1, today())})
		_, get := s.Get(ctx, []providers.ID{Subject(1).Token})
		_, of := s.OfRegistry(ctx, Subject(1).Token.OfRegistry())
		_, _, take := s.Take(ctx, today(), 1, lease)
		for name, err := range map[string]error{"Put": put, "Get": get, "OfRegistry": of, "Take": take} {
			if err != context.Canceled { //nolint:errorlint // it is the context's own
				s.Errorf("%s said %v, want %v", name, err, context.Canceled)
			}
		}
		s.has(nothing(1))
	}},
	{"odd names of tokens do not meet", func(s *indexStage) {
		now := today()
		var states []expiry.State
		for i, name := range []string{"a:b", "a", ":b", "1 {}", "ü", "*", "a%2fb", fmt.Sprintf("%0255d", 1)} {
			state := State(1, now)
			state.Subject.Token.Native = name
			state.Subject.Token.Registry = []string{"x", "x:y"}[i%2]
			states = append(states, state)
		}
		for _, state := range s.puts(states...) {
			s.has(state)
		}
	}},
}
