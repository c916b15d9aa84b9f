package budget

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regtok/providers"
)

const second = moment(time.Second)

// tell is what an answer tells of a window of 50.
func tell(used int, reset time.Duration) Answer {
	return Answer{Told: []providers.Limit{{Scope: "user", Limit: 50, Remaining: 50 - used, Reset: reset}}}
}

func TestAnAnswerIsOfTheWindowThatItCanOnlyBeOf(t *testing.T) {
	for _, test := range []struct {
		name        string
		taken, came moment
		used        int
		reset       time.Duration
		want        int
		lost        bool // it counts besides what was told
	}{
		{"the same", 10 * second, 11 * second, 21, 50 * time.Second, 21, false},
		{"the same, overtaken", 10 * second, 11 * second, 5, 50 * time.Second, 20, false},
		{"the same, 8 s late", 10 * second, 19 * second, 5, 50 * time.Second, 20, false},
		{"the next", 62 * second, 63 * second, 1, 60 * time.Second, 1, false},
		{"the next, that began early", 59 * second, 61 * second, 2, 60 * time.Second, 2, false},
		{"the one before", -20 * second, -second, 49, 10 * time.Second, 20, false},
		{"the same: it took a minute, but the next is not over so soon", 10 * second, 75 * second, 5, 40 * time.Second, 0, false},
		{"this or the next: it took a minute", 10 * second, 75 * second, 5, 50 * time.Second, 0, true},
	} {
		s := &state{}
		s.settle(second, sent{id: 1, taken: 0}, tell(20, time.Minute), rules{})
		s.settle(test.came, sent{id: 2, taken: test.taken}, tell(test.used, test.reset), rules{})
		if got := s.windows[0].used; got != test.want {
			t.Errorf("%s: %d are used, want %d", test.name, got, test.want)
		}
		if got := s.unsettled(&s.windows[0]) == 1; got != test.lost {
			t.Errorf("%s: counts besides = %v, want %v", test.name, got, test.lost)
		}
	}
}

func TestARefusalThatWasNotCountedTellsNothing(t *testing.T) {
	s := &state{}
	s.settle(second, sent{id: 1}, tell(20, time.Minute), rules{})
	s.settle(30*second, sent{id: 2, taken: 29 * second}, tell(0, time.Minute), rules{}) // a credential that is not known
	if got := s.windows[0]; got.used != 20 || got.to > 63*second {
		t.Errorf("window = %+v", got)
	}
}

func TestWhatIsNotToldOfCountsUntilTheWindowEnds(t *testing.T) {
	of := func(used int, slug string) Answer {
		return Answer{Told: []providers.Limit{
			{Scope: "user", Limit: 50, Remaining: 50 - used, Reset: time.Minute},
			{Scope: "organization", Of: slug, Limit: 10, Remaining: 10 - used, Reset: time.Minute},
		}}
	}
	s, r := &state{}, rules{}
	for i, slug := range []string{"acme", "bolt"} {
		s.settle(second, sent{id: uint64(i + 1), of: slug}, of(i+1, slug), r)
	}
	// Whose allowance it counts for is not known.
	s.settle(2*second, sent{id: 3, taken: second}, tell(3, 59*time.Second), r)
	for _, w := range s.windows {
		want := 1
		if w.scope == "user" {
			want = 0
		}
		if got := s.unsettled(&w); got != want {
			t.Errorf("%s %s: %d count besides, want %d", w.scope, w.of, got, want)
		}
	}
	s.roll(70 * second)
	if len(s.sent) > 0 {
		t.Errorf("still counted: %+v", s.sent)
	}
}

func TestOneRequestFindsOutAboutEachOfSeveral(t *testing.T) {
	s, r := &state{}, rules{sweepShare: 0.4}
	ask := func(id uint64, slug string) time.Duration {
		return s.take(second, question{id: id, Request: Request{Of: slug}}, r)
	}
	answer := func(id uint64, slug string) {
		s.settle(second, sent{id: id, of: slug, taken: second}, Answer{Told: []providers.Limit{
			{Scope: "user", Limit: 50, Remaining: 40, Reset: time.Minute},
			{Scope: "organization", Of: slug, Limit: 200, Remaining: 100, Reset: time.Minute},
		}}, r)
	}
	var got []time.Duration
	got = append(got, ask(1, "acme"), ask(2, "bolt"))
	answer(1, "acme")
	got = append(got, ask(3, "bolt"), ask(4, "bolt"), ask(5, "acme"), ask(6, ""))
	answer(3, "bolt")
	got = append(got, ask(7, "bolt"))
	want := []time.Duration{0, soon, 0, soon, 0, 0, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestAnAssumedLimitIsHalvedByARefusalAndComesBack(t *testing.T) {
	r := rules{start: []providers.Limit{{Scope: "contract", Limit: 100, Reset: time.Minute}}, sweepShare: 0.4}
	s := &state{}
	refuse := func(now, taken moment) {
		s.settle(now, sent{id: 1, taken: taken}, Answer{Refused: true, RetryAfter: 30 * time.Second}, r)
	}
	refuse(10*second, 9*second)
	refuse(11*second, 9*second) // the same surge
	if wait := s.take(20*second, question{id: 2}, r); wait != 21*time.Second {
		t.Errorf("wait = %v, want 21 s", wait)
	}
	var got []int
	for _, now := range []moment{12 * second, 192 * second, 3600 * second} {
		s.suppose(now, r)
		got = append(got, s.assumed[0].limit)
	}
	for range 20 {
		refuse(4000*second, 4000*second)
		s.assumed[0].cut = 0
	}
	got = append(got, s.assumed[0].limit)
	if diff := cmp.Diff([]int{50, 60, 100, fewest}, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

func TestWhereAReadCanGoAWriteCan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 300).Draw(t, "limit")
		s := &state{manner: telling, verified: true}
		w := window{scope: "user", limit: limit, used: rapid.IntRange(0, limit).Draw(t, "used"), from: second, to: 60 * second}
		s.windows = []window{w}
		for i := range rapid.IntRange(0, 20).Draw(t, "under way") {
			s.sent = append(s.sent, sent{id: uint64(i), taken: 1})
		}
		r := rules{sweepShare: 0.4}
		waits, ahead := map[providers.Priority]bool{}, 0
		for _, p := range []providers.Priority{providers.Writing, providers.Reading, providers.Sweeping} {
			q := question{Request: Request{Priority: p}, ahead: ahead}
			waits[p] = s.waitFor(2*second, q, r) > 0
			ahead += rapid.IntRange(0, 10).Draw(t, "waiting")
		}
		if waits[providers.Writing] && !waits[providers.Reading] || waits[providers.Reading] && !waits[providers.Sweeping] {
			t.Errorf("waits = %v of %+v", waits, w)
		}
	})
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	s := &state{
		manner: telling, answers: 2, verified: true, trusted: 5, common: true, paused: 7, term: 9,
		windows: []window{{scope: "user", of: "acme", limit: 50, used: -3, from: 1, to: 2, length: time.Minute, over: true, swept: 4}},
		sent:    []sent{{origin: 1<<64 - 1, id: 3, of: "é", priority: providers.Sweeping, taken: 4, until: 5, only: "user"}},
		assumed: []assumed{{scope: "contract", start: 100, limit: 50, cut: 6, grown: 7}},
		log:     []bucket{{at: 8, origin: 2, count: 9, swept: 1}}, members: []member{{origin: 1, seen: 2, may: 3, among: 4}},
		written: 1 << 60, writes: 11, server: "a", lineage: 12, gather: 13,
	}
	text := encode("key", s)
	got, err := decode("key", text)
	if err != nil {
		t.Fatal(err)
	}
	all := cmp.AllowUnexported(state{}, window{}, sent{}, assumed{}, bucket{}, member{}, alone{})
	if diff := cmp.Diff(s, got, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := decode("other", text); err == nil {
		t.Error("it is taken for another key's")
	}
	for i := range text {
		wrong := slices.Clone(text)
		wrong[i] ^= 1
		if _, err := decode("key", wrong); err == nil {
			t.Errorf("byte %d is wrong, and nobody sees it", i)
		}
		if _, err := decode("key", text[:i]); err == nil {
			t.Errorf("it ends after %d bytes, and nobody sees it", i)
		}
	}
}

// FuzzRubbish reads what nobody wrote.
func FuzzRubbish(f *testing.F) {
	f.Add(encode("key", &state{windows: []window{{scope: "user"}}, members: []member{{origin: 1}}}))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, s := &pen{text: text, reads: true}, &state{}
		p.state(s) // claims no memory, and ends
		if s, err := decode("key", text); err == nil {
			if _, err := decode("key", encode("key", s)); err != nil {
				t.Errorf("what was read of %q cannot be written: %v", text, err)
			}
		}
	})
}

func TestTheAllowanceIsUsed(t *testing.T) {
	for _, tells := range []bool{true, false} {
		for _, alone := range []bool{true, false} {
			w := play(t, plan{
				seed: 1, tells: tells, alone: alone, limit: 50, processes: 1, latency: 100 * time.Millisecond, workers: 9, minutes: 5,
			})
			// The first was begun before anything was known, and the last is not over.
			for _, used := range w.up.windows[2:] {
				if used < 45 {
					t.Errorf("tells %v, alone %v: %d of 50 requests of a window were used, want 45 and more", tells, alone, used)
				}
			}
			if len(w.up.windows) < 4 {
				t.Errorf("tells %v, alone %v: %d windows in five minutes", tells, alone, len(w.up.windows))
			}
		}
	}
}

func TestRefusalsForWhatOthersSendAreFew(t *testing.T) {
	w := world{}
	synctest.Test(t, func(t *testing.T) {
		w.up = &strict{tells: true, limit: 50, length: time.Minute}
		w.plan = plan{tells: true, limit: 50, latency: 100 * time.Millisecond, workers: 6}
		w.random, w.memory = rand.New(rand.NewPCG(1, 1)), newMemory()
		w.all = append(w.all, w.start(true), w.start(true))
		for range 240 {
			time.Sleep(time.Second)
			w.up.count(Request{}, true)
		}
		for _, p := range w.all {
			p.kill()
		}
		w.wg.Wait()
		for _, p := range w.all {
			p.Close()
		}
	})
	if got, most := w.up.refused, 5*w.workers; got > most {
		t.Errorf("%d requests were refused in four windows, want %d at the most", got, most)
	}
}

func TestATermIsOverForAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newMemory()
		one, two := New(Config{Shared: shared}), New(Config{Shared: shared})
		defer one.Close()
		defer two.Close()
		sweep := func(b *Budget, term uint64) time.Duration {
			for {
				ticket, wait := b.Take(t.Context(), Request{Priority: providers.Sweeping, Term: term})
				if ticket != nil {
					ticket.Settle(tell(1, time.Minute))
					return 0
				}
				if wait == Never {
					return Never
				}
				time.Sleep(wait)
			}
		}
		if sweep(one, 7) != 0 || sweep(two, 8) != 0 || sweep(one, 7) != Never || sweep(two, 8) != 0 {
			t.Error("the sweeper of a term that is over goes on, or the other does not")
		}
	})
}

func TestWhoClosesLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newMemory()
		one, two := New(Config{Shared: shared}), New(Config{Shared: shared})
		defer two.Close()
		for _, b := range []*Budget{one, two} {
			for range 100 {
				ticket, wait := b.Take(t.Context(), Request{})
				if ticket != nil {
					ticket.Settle(tell(1, time.Minute))
				}
				time.Sleep(wait)
			}
		}
		one.Close()
		time.Sleep(10 * time.Second)
		two.mu.Lock()
		defer two.mu.Unlock()
		if got := len(two.state.members); got != 1 {
			t.Errorf("%d share the account, want 1", got)
		}
	})
}
