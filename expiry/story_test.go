package expiry

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// story is a token whose life is made up, as somebody sees who looks at it at times, and the clock.
type story struct {
	rule  Rule
	state State
	now   time.Time
	told  []Event
	// truth
	there    bool
	disabled bool
	due      time.Time
	source   DueSource
	past     []Reading // which may come late
}

func newStory(t *rapid.T) *story {
	thresholds := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 20), func(h int) time.Duration { return time.Duration(h) * time.Hour }), 0, 4)
	s := &story{rule: NewRule(Settings{Thresholds: thresholds.Draw(t, "thresholds")}), now: at(0), there: true, source: ByProvider}
	s.state = unknown(theToken)
	s.state.Subject = Subject{}
	if rapid.Bool().Draw(t, "policy") {
		s.source = ByPolicy
	}
	s.due = s.date(t)
	return s
}

func (s *story) date(t *rapid.T) time.Time {
	return s.now.Truncate(time.Hour).Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "due in hours")) * time.Hour)
}

// turn lets something happen: time, a change of the token, a reading, a failure.
func (s *story) turn(t *rapid.T) {
	switch rapid.IntRange(0, 7).Draw(t, "what happens") {
	case 0:
		s.due = s.date(t)
	case 1:
		s.disabled = !s.disabled
	case 2:
		s.there = !s.there && s.source == ByPolicy
	case 3, 4:
		s.now = s.now.Add(time.Duration(rapid.Int64Range(0, int64(12*time.Hour)).Draw(t, "time")))
	case 5:
		s.accept(t, s.rule.Unread(s.state, s.now))
	case 6:
		if len(s.past) > 0 {
			s.accept(t, s.rule.Read(s.state, rapid.SampledFrom(s.past).Draw(t, "an old reading"), s.now))
		}
	default:
		s.look(t)
	}
	s.tick(t)
}

// look reads the token as it is now.
func (s *story) look(t *rapid.T) {
	if s.source == ByProvider && !s.now.Before(s.due) {
		s.there = false
	}
	reading := Reading{At: s.now, Gone: !s.there, Subject: subject(), Disabled: s.disabled, Due: s.due, Source: s.source}
	s.past = append(s.past, reading)
	got := s.rule.Read(s.state, reading, s.now)
	if got.LookFirst {
		t.Fatalf("a reading of this moment is not fresh enough")
	}
	s.accept(t, got)
	if again := s.rule.Read(s.state, reading, s.now); len(again.State.Untold) > 0 || again.Save {
		t.Fatalf("the same reading again tells %v, save %v", words(again.State.Untold), again.Save)
	}
}

// tick does what a watcher does.
func (s *story) tick(t *rapid.T) {
	got := s.rule.Tick(s.state, s.now)
	if got.LookFirst {
		s.look(t)
		return
	}
	s.accept(t, got)
}

// accept checks what is told, and strikes it out.
func (s *story) accept(t *rapid.T, got Outcome) {
	for _, e := range got.State.Untold {
		if !e.whole() {
			t.Fatalf("%+v is not whole", e)
		}
		if e.OccurredAt.After(s.now) || e.Kind == Expired && e.DueAt.After(s.now) {
			t.Fatalf("at %v, %+v is told before its time", s.now, e)
		}
		if i := slices.IndexFunc(s.told, func(o Event) bool { return o.ID == e.ID }); i >= 0 {
			t.Fatalf("%s is told twice: %v", seen(e), append(words(s.told), seen(e)))
		}
		s.told = append(s.told, e)
	}
	s.state = got.State
	s.state.Untold = nil
	if s.state.Over() {
		s.state = State{ReadAt: s.state.ReadAt} // an older reading is none of a token that comes back
	}
}

func TestWhateverHappensEachStepIsToldOnceAndInItsTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		for range rapid.IntRange(1, 40).Draw(t, "turns") {
			s.turn(t)
		}
		s.balanced(t)
	})
}

// balanced checks that what is taken back was announced, and that nothing is announced twice in between.
func (s *story) balanced(t *rapid.T) {
	open := false
	for i, e := range s.told {
		switch e.Kind {
		case Threshold, Expired:
			open = true
		default:
			if !open {
				t.Fatalf("event %d takes back what was not announced: %v", i, words(s.told))
			}
			open = false
		}
	}
}

func TestATokenThatIsLeftAloneIsToldOfAllItsSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		s.look(t)
		var want []Event
		for _, p := range s.rule.steps(s.due) {
			if p.at.After(s.now) {
				e := p.event(s.due)
				e.Subject, e.DueSource = subject(), s.source
				e.ID = eventID(e)
				want = append(want, e)
			}
		}
		end := s.due.Add(48 * time.Hour)
		for s.now.Before(end) {
			s.now = s.now.Add(time.Duration(rapid.Int64Range(1, int64(6*time.Hour)).Draw(t, "time")))
			if rapid.Bool().Draw(t, "the provider answers") {
				s.look(t)
			} else {
				s.accept(t, s.rule.Unread(s.state, s.now))
			}
		}
		if !slices.Equal(s.told, want) {
			t.Fatalf("told %v, want %v", words(s.told), words(want))
		}
	})
}

func TestAClockThatJumpsTellsNothingTwiceAndLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		s.source, s.there = ByPolicy, true
		first := s.now
		s.look(t)
		for range rapid.IntRange(1, 20).Draw(t, "jumps") {
			s.now = first.Add(time.Duration(rapid.Int64Range(0, int64(60*time.Hour)).Draw(t, "clock")))
			s.tick(t)
			s.look(t)
		}
		s.now = first.Add(100 * time.Hour)
		s.tick(t)
		var got, want []string
		for _, p := range s.rule.steps(s.due) {
			if p.at.After(first) {
				want = append(want, seen(p.event(s.due)))
			}
		}
		if got = words(s.told); !slices.Equal(got, want) {
			t.Fatalf("told %v, want %v", got, want)
		}
	})
}
