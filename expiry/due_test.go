package expiry

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regtok/providers"
)

const day = 24 * time.Hour

var (
	epochDay = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	theToken = providers.OrganizationID("ionos", "31884391").RegistryID("registry").TokenID("token")
	theRule  = NewRule(Settings{Thresholds: []time.Duration{7 * day, day, time.Hour}})
)

// at is so long after the day on which all stories begin.
func at(d time.Duration) time.Time { return epochDay.Add(d) }

func subject() Subject {
	return Subject{Token: theToken, Name: "ci-push", RegistryName: "acme-images", CreatedBy: "Ada"}
}

// reads is a reading of a token that is due then.
func reads(due time.Duration, source DueSource) Reading {
	return Reading{Subject: subject(), Due: at(due), Source: source}
}

var (
	gone     = Reading{Gone: true, Subject: Subject{Token: theToken}}
	disabled = Reading{Subject: subject(), Disabled: true, Due: at(30 * day), Source: ByProvider}
	never    = Reading{Subject: subject()}
)

// scene is what happens at a moment of a story.
type scene struct {
	when    time.Duration
	reading *Reading      // nil: none came
	age     time.Duration // of the reading
	unread  bool          // the token could not be looked at
	want    []string      // what is told
	look    bool          // what has to be looked at first
}

func read(when time.Duration, reading Reading, want ...string) scene {
	return scene{when: when, reading: &reading, want: want}
}

// seen is told in a few words.
func seen(e Event) string {
	switch e.Kind {
	case Threshold:
		return fmt.Sprintf("THRESHOLD %s of %s", e.Threshold, e.DueAt.Sub(epochDay))
	case Extended:
		return fmt.Sprintf("EXTENDED from %s to %s", e.Was.Sub(epochDay), e.DueAt.Sub(epochDay))
	}
	return fmt.Sprintf("%s %s", e.Kind, e.DueAt.Sub(epochDay))
}

func words(events []Event) (said []string) {
	for _, e := range events {
		said = append(said, seen(e))
	}
	return said
}

// play plays a story and checks each scene. What is told is struck out at once, as Record does.
func play(t *testing.T, r Rule, story []scene) {
	t.Helper()
	var s State
	for i, sc := range story {
		now := at(sc.when)
		var got Outcome
		switch {
		case sc.unread:
			got = r.Unread(s, now)
		case sc.reading == nil:
			got = r.Tick(s, now)
		default:
			reading := *sc.reading
			reading.At = now.Add(-sc.age)
			got = r.Read(s, reading, now)
		}
		if diff := cmp.Diff(words(got.State.Untold), sc.want); diff != "" {
			t.Errorf("scene %d, at %s: got - want +\n%s", i, sc.when, diff)
		}
		if got.LookFirst != sc.look {
			t.Errorf("scene %d, at %s: look first is %v, want %v", i, sc.when, got.LookFirst, sc.look)
		}
		if len(got.State.Untold) > 0 && !got.Save {
			t.Errorf("scene %d, at %s: what is to be told is not to be saved", i, sc.when)
		}
		for _, e := range got.State.Untold {
			if !e.whole() || e.OccurredAt.After(now) {
				t.Errorf("scene %d, at %s: %+v is not whole, or is to come", i, sc.when, e)
			}
		}
		s = got.State
		s.Untold = nil
		if s.Over() {
			s = State{}
		}
	}
}

func TestTheRule(t *testing.T) {
	const due = 30 * day
	provider, policy := reads(due, ByProvider), reads(due, ByPolicy)
	later, nearer := reads(40*day, ByProvider), reads(29*day, ByProvider)
	looks := func(when time.Duration) scene { return scene{when: when, look: true} }
	fails := func(when time.Duration, want ...string) scene { return scene{when: when, unread: true, want: want} }
	old := func(when, age time.Duration, reading Reading, look bool) scene {
		return scene{when: when, reading: &reading, age: age, look: look}
	}
	tests := []struct {
		name  string
		story []scene
	}{
		{"each step comes when it is due, and once", []scene{
			read(0, provider), read(23*day-time.Millisecond, provider), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"),
			read(23*day, provider), read(24*day, provider), read(29*day+time.Minute, provider, "THRESHOLD 24h0m0s of 720h0m0s"),
			read(30*day-time.Hour, provider, "THRESHOLD 1h0m0s of 720h0m0s"), read(30*day, gone, "EXPIRED 720h0m0s"), read(31*day, gone),
		}},
		{"a token that is due by policy lives on", []scene{
			read(29*day+time.Hour, policy), read(30*day-time.Hour, policy, "THRESHOLD 1h0m0s of 720h0m0s"),
			read(30*day, policy, "EXPIRED 720h0m0s"), read(50*day, policy), read(51*day, gone),
		}},
		{"a token that is born inside a threshold is told of the next", []scene{
			read(25*day, provider), read(28*day, provider), read(29*day, provider, "THRESHOLD 24h0m0s of 720h0m0s"),
		}},
		{"a date that is over when the token is first read is not told", []scene{
			read(31*day, policy), read(32*day, policy), read(33*day, gone),
		}},
		{"what came while nobody looked is told in order", []scene{
			read(0, provider), read(60*day, gone, "THRESHOLD 168h0m0s of 720h0m0s", "THRESHOLD 24h0m0s of 720h0m0s",
				"THRESHOLD 1h0m0s of 720h0m0s", "EXPIRED 720h0m0s"),
		}},
		{"a step is told only by a fresh reading", []scene{
			read(0, provider), looks(23 * day), looks(23*day + time.Second), read(23*day+2*time.Second, provider, "THRESHOLD 168h0m0s of 720h0m0s"),
			{when: 23*day + 3*time.Second},
		}},
		{"a date that moved before its threshold came is no alarm", []scene{
			read(0, provider), looks(23 * day), read(23*day, later), {when: 23 * day}, looks(33 * day),
			read(33*day, later, "THRESHOLD 168h0m0s of 960h0m0s"),
		}},
		{"a reading that is not fresh asks for another", []scene{
			read(0, provider), old(23*day+time.Hour, 30*time.Minute, provider, true),
			read(23*day+time.Hour, provider, "THRESHOLD 168h0m0s of 720h0m0s"), old(24*day, time.Hour, later, true), old(24*day, 2*day, later, false),
		}},
		{"a threshold after the first, old reading is not passed over", []scene{
			old(23*day+time.Minute, time.Hour, provider, true), read(23*day+time.Minute, provider, "THRESHOLD 168h0m0s of 720h0m0s"),
		}},
		{"a date that moves away after it was announced is told", []scene{
			read(0, provider), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"), read(24*day, later, "EXTENDED from 720h0m0s to 960h0m0s"),
			read(24*day, later), read(25*day, provider), read(26*day, later),
		}},
		{"a date that moves before it was announced is not told", []scene{read(0, provider), read(day, later), read(2*day, provider), read(3*day, nearer)}},
		{"a date that moves nearer is told by its own thresholds", []scene{
			read(0, later), read(33*day, later, "THRESHOLD 168h0m0s of 960h0m0s"), read(33*day+time.Hour, reads(35*day, ByProvider)),
			read(34*day, reads(35*day, ByProvider), "THRESHOLD 24h0m0s of 840h0m0s"), read(34*day, later, "EXTENDED from 840h0m0s to 960h0m0s"),
		}},
		{"what was announced is taken back though the date moved nearer", []scene{
			read(0, later), read(33*day, later, "THRESHOLD 168h0m0s of 960h0m0s"), read(33*day, reads(39*day, ByProvider)),
			read(33*day+1, later), read(34*day, reads(39*day, ByProvider)), read(35*day, gone, "WITHDRAWN 960h0m0s"),
		}},
		{"a date that was over moves away", []scene{
			read(29*day, policy), read(30*day, policy, "THRESHOLD 1h0m0s of 720h0m0s", "EXPIRED 720h0m0s"),
			read(31*day, reads(40*day, ByPolicy), "EXTENDED from 720h0m0s to 960h0m0s"),
		}},
		{"an announced date that is cleared is withdrawn", []scene{
			read(0, provider), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"), read(24*day, never, "WITHDRAWN 720h0m0s"), read(24*day, never),
		}},
		{"a token that somebody deletes before its date is withdrawn if it was announced", []scene{
			read(0, provider), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"), read(24*day, gone, "WITHDRAWN 720h0m0s"),
			read(25*day, provider), read(26*day, gone),
		}},
		{"a token that goes moments before its date was deleted by its provider", []scene{
			read(0, provider), read(30*day-time.Hour, provider, "THRESHOLD 168h0m0s of 720h0m0s", "THRESHOLD 24h0m0s of 720h0m0s", "THRESHOLD 1h0m0s of 720h0m0s"),
			read(30*day-30*time.Second, gone), read(30*day-20*time.Second, gone), {when: 30 * day, want: []string{"EXPIRED 720h0m0s"}},
		}},
		{"a token that is due by policy and was deleted is withdrawn", []scene{
			read(0, policy), read(29*day, policy, "THRESHOLD 168h0m0s of 720h0m0s", "THRESHOLD 24h0m0s of 720h0m0s"), read(31*day, gone, "WITHDRAWN 720h0m0s"),
		}},
		{"a disabled token is silent, and goes on where it is when it is enabled", []scene{
			read(0, provider), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"), read(24*day, disabled, "WITHDRAWN 720h0m0s"),
			read(29*day, disabled), read(29*day+time.Hour, provider), read(30*day-time.Hour, provider, "THRESHOLD 1h0m0s of 720h0m0s"),
			read(30*day-time.Minute, disabled, "WITHDRAWN 720h0m0s"), read(30*day, gone),
		}},
		{"a disabled token that was not announced is not withdrawn", []scene{read(0, provider), read(day, disabled), read(23*day, disabled), read(30*day, gone)}},
		{"a step is told by what is known when its provider cannot be asked for long", []scene{
			read(0, provider), looks(23 * day), fails(23 * day), {when: 23*day + time.Minute, look: true}, fails(23*day + 5*time.Minute - 1),
			fails(23*day+5*time.Minute, "THRESHOLD 168h0m0s of 720h0m0s"), fails(23*day + 6*time.Minute), read(24*day, later, "EXTENDED from 720h0m0s to 960h0m0s"),
		}},
		{"that the date came is told although its provider is away", []scene{
			read(30*day-time.Minute, provider), looks(30*day + time.Minute), fails(30*day + time.Minute), fails(30*day + 3*time.Minute),
			fails(30*day+6*time.Minute, "EXPIRED 720h0m0s"), looks(32 * day), fails(32 * day), fails(33 * day), read(34*day, gone),
		}},
		{"nobody is patient before the first try", []scene{
			read(0, provider), looks(60 * day), fails(60 * day), read(60*day, reads(90*day, ByProvider)),
		}},
		{"a clock that jumps ahead and back tells nothing twice", []scene{
			read(0, provider), read(29*day, provider, "THRESHOLD 168h0m0s of 720h0m0s", "THRESHOLD 24h0m0s of 720h0m0s"),
			read(0, provider), read(23*day, provider), read(29*day, provider), read(30*day-time.Hour, provider, "THRESHOLD 1h0m0s of 720h0m0s"),
		}},
		{"a clock that was ahead when the token was first read loses nothing", []scene{
			read(25*day, provider), read(0, provider), looks(23 * day), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"),
		}},
		{"a clock that is set back a little tells nothing twice", []scene{
			read(0, provider), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"), {when: 23*day - time.Second}, read(23*day-time.Second, provider),
			{when: 23 * day}, read(23*day+time.Second, provider),
		}},
		{"a token whose source changes stays announced", []scene{
			read(0, provider), read(23*day, provider, "THRESHOLD 168h0m0s of 720h0m0s"), read(24*day, policy), read(29*day, policy, "THRESHOLD 24h0m0s of 720h0m0s"),
		}},
		{"a token that was never due is not watched", []scene{read(0, never), read(0, gone), read(0, disabled), {when: 0}, {when: 0, unread: true}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { play(t, theRule, test.story) })
	}
}

func TestThresholdsAreTakenAsTheyAreGiven(t *testing.T) {
	r := NewRule(Settings{Thresholds: []time.Duration{time.Hour, 7 * day, 300 * time.Millisecond, time.Hour, 0, -time.Hour, 999 * time.Microsecond, time.Hour + 1}})
	if diff := cmp.Diff(r.Thresholds(), []time.Duration{7 * day, time.Hour, 300 * time.Millisecond}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	provider := reads(30*day, ByProvider)
	play(t, r, []scene{
		read(30*day-301*time.Millisecond, provider), read(30*day-300*time.Millisecond, provider, "THRESHOLD 300ms of 720h0m0s"),
		read(30*day, provider, "EXPIRED 720h0m0s"),
	})
	play(t, NewRule(Settings{}), []scene{read(0, provider), read(30*day-1, provider), read(30*day, provider, "EXPIRED 720h0m0s")})
}

func TestAThresholdThatIsNewCountsFromTheNextReadingOn(t *testing.T) {
	provider := reads(30*day, ByProvider)
	provider.At = at(0)
	before, after := NewRule(Settings{Thresholds: []time.Duration{7 * day}}), NewRule(Settings{Thresholds: []time.Duration{14 * day, 3 * day}})
	s := before.Read(State{}, provider, at(0)).State
	for _, test := range []struct {
		when time.Duration
		next time.Duration
	}{{10 * day, 16 * day}, {20 * day, 27 * day}} { // outside and inside the new one
		provider.At = at(test.when)
		got := after.Read(s, provider, at(test.when))
		if len(got.State.Untold) > 0 || !got.State.Look.Equal(at(test.next)) || !got.Save {
			t.Errorf("at %s: told %v, next look at %v, want it at %v", test.when, words(got.State.Untold), got.State.Look, at(test.next))
		}
	}
}

func TestTheStateIsLookedAtWhenItsNextStepComes(t *testing.T) {
	s, provider := State{}, reads(30*day, ByProvider)
	for _, test := range []struct{ now, look time.Duration }{
		{0, 23 * day}, {23*day - 1, 23 * day}, {23 * day, 29 * day}, {29*day + time.Minute, 30*day - time.Hour}, {30*day - time.Hour, 30 * day}, {30 * day, 31 * day},
	} {
		provider.At = at(test.now)
		s = theRule.Read(s, provider, at(test.now)).State
		s.Untold = nil
		if !s.Look.Equal(at(test.look)) {
			t.Errorf("at %s: look at %v, want %v", test.now, s.Look, at(test.look))
		}
	}
	s = theRule.Unread(theRule.Read(State{}, Reading{At: at(0), Subject: subject(), Due: at(30 * day), Source: ByProvider}, at(0)).State, at(23*day)).State
	if want := at(23 * day).Add(lookAgain); !s.Look.Equal(want) {
		t.Errorf("after a failure: look at %v, want %v", s.Look, want)
	}
}

func TestWhatIsUntoldIsToldFirst(t *testing.T) {
	provider := reads(30*day, ByProvider)
	provider.At = at(0)
	s := theRule.Read(State{}, provider, at(0)).State
	provider.At = at(23 * day)
	s = theRule.Read(s, provider, at(23*day)).State
	for name, got := range map[string]Outcome{"Tick": theRule.Tick(s, at(40*day)), "Unread": theRule.Unread(s, at(40*day))} {
		if diff := cmp.Diff(words(got.State.Untold), []string{"THRESHOLD 168h0m0s of 720h0m0s"}); diff != "" || !got.Save || got.LookFirst {
			t.Errorf("%s: save %v, look first %v, got - want +\n%s", name, got.Save, got.LookFirst, diff)
		}
	}
	gone := gone
	gone.At = at(24 * day)
	if diff := cmp.Diff(words(theRule.Read(s, gone, at(24*day)).State.Untold), []string{"THRESHOLD 168h0m0s of 720h0m0s", "WITHDRAWN 720h0m0s"}); diff != "" {
		t.Errorf("a reading adds to it: got - want +\n%s", diff)
	}
	if len(s.Untold) != 1 {
		t.Errorf("the state before has changed: %v", words(s.Untold))
	}
}

func TestTheCurrentStepHasTheIDUnderWhichItWasTold(t *testing.T) {
	policy := reads(30*day, ByPolicy)
	s, told := State{}, map[string]Event{}
	current := func(when time.Duration) string {
		e, ok := theRule.Current(s, at(when))
		if !ok {
			return ""
		}
		if before, known := told[e.ID]; known && before != e {
			t.Errorf("it is %+v, and was told as %+v", e, before)
		}
		return seen(e)
	}
	for _, test := range []struct {
		when time.Duration
		want string
	}{
		{0, ""}, {23*day - 1, ""}, {23 * day, "THRESHOLD 168h0m0s of 720h0m0s"}, {28 * day, "THRESHOLD 168h0m0s of 720h0m0s"},
		{29*day + time.Hour, "THRESHOLD 24h0m0s of 720h0m0s"}, {30 * day, "EXPIRED 720h0m0s"}, {31 * day, "EXPIRED 720h0m0s"},
	} {
		if len(s.Untold) == 0 && !s.Step.IsZero() && !s.Step.After(at(test.when)) {
			if got := current(test.when); got == test.want {
				t.Errorf("at %s: %s is to be told still, and said to be over", test.when, got)
			}
		}
		policy.At = at(test.when)
		s = theRule.Read(s, policy, at(test.when)).State
		for _, e := range s.Untold {
			told[e.ID] = e
		}
		s.Untold = nil
		if got := current(test.when); got != test.want {
			t.Errorf("at %s: got %q, want %q", test.when, got, test.want)
		}
	}
	s = State{} // born inside
	policy.At = at(25 * day)
	s = theRule.Read(s, policy, at(25*day)).State
	if got, want := current(25*day), "THRESHOLD 168h0m0s of 720h0m0s"; got != want {
		t.Errorf("born inside: got %q, want %q", got, want)
	}
}
