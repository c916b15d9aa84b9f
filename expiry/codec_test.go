package expiry

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regtok/providers"
)

// someEvents are one of each kind.
func someEvents() []Event {
	policy, later := reads(30*day, ByPolicy), reads(40*day, ByPolicy)
	var told []Event
	s := State{}
	for _, r := range []struct {
		reading Reading
		when    time.Duration
	}{{policy, 0}, {policy, 30 * day}, {later, 30 * day}, {later, 35 * day}, {gone, 36 * day}} {
		r.reading.At = at(r.when)
		s = theRule.Read(s, r.reading, at(r.when)).State
		told = append(told, s.Untold...)
		s.Untold = nil
	}
	return told
}

func TestEventsComeOutAsTheyWentIn(t *testing.T) {
	kinds := map[Kind]bool{}
	for _, e := range someEvents() {
		kinds[e.Kind] = true
		got, err := decodeEvent(encodeEvent(e))
		if err != nil || got != e {
			t.Errorf("%s: got %+v, %v, want %+v", encodeEvent(e), got, err, e)
		}
	}
	if len(kinds) != 4 {
		t.Errorf("there are only %v", kinds)
	}
}

func TestEventsLieInTheLogAsTheyDidBefore(t *testing.T) {
	const want = `{"v":1,"k":"EXTENDED","o":1896048000000,"d":1896912000000,"s":"POLICY","w":1896048000000,` +
		`"of":{"t":"AXQFaW9ub3MIMzE4ODQzOTEIcmVnaXN0cnkFdG9rZW4","n":"ci-push","r":"acme-images","c":"Ada"}}`
	for _, e := range someEvents() {
		if e.Kind != Extended {
			continue
		}
		if got := string(encodeEvent(e)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if want := "AWWckc02WSE4E7j8k2VGT_BVi1B62CoA"; e.ID != want {
			t.Errorf("its id is %s, want %s", e.ID, want)
		}
	}
}

func TestWhatIsNotWrittenAsItWouldBeHereIsRefused(t *testing.T) {
	good := string(encodeEvent(someEvents()[0]))
	if _, err := decodeEvent([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing": "", "no JSON": "x", "null": "null", "a list": "[]", "half": good[:len(good)/2], "more": good + "{}", "space": " " + good,
		"a later version":     strings.Replace(good, `"v":1`, `"v":2`, 1),
		"another name":        strings.Replace(good, `{"v"`, `{"x":1,"v"`, 1),
		"a name twice":        strings.Replace(good, `"k":`, `"k":"EXPIRED","k":`, 1),
		"a name in capitals":  strings.Replace(good, `"k":`, `"K":`, 1),
		"another kind":        strings.Replace(good, "THRESHOLD", "RENEWED", 1),
		"another source":      strings.Replace(good, "POLICY", "NOBODY", 1),
		"no date":             strings.Replace(good, `"d":1896048000000,`, "", 1),
		"a date out of reach": strings.Replace(good, `"d":1896048000000`, `"d":999999999999999999`, 1),
		"a past threshold":    strings.Replace(good, `"h":604800000`, `"h":-1`, 1),
		"no token":            strings.Replace(good, theToken.String(), "", 1),
		"a registry":          strings.Replace(good, theToken.String(), theToken.OfRegistry().String(), 1),
		"a long name":         strings.Replace(good, "ci-push", strings.Repeat("x", 513), 1),
		"too much":            strings.Replace(good, "ci-push", strings.Repeat("x", mostEvent), 1),
	} {
		if bad == good {
			t.Errorf("%s: the case is no case", name)
		}
		if e, err := decodeEvent([]byte(bad)); err == nil {
			t.Errorf("%s: got %+v", name, e)
		}
	}
}

func TestStatesComeOutAsTheyWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		story := newStory(t)
		for range rapid.IntRange(1, 8).Draw(t, "scenes") {
			story.turn(t)
		}
		s := story.state
		if s.Subject.Token.IsZero() {
			return
		}
		s.Untold = append(s.Untold, story.told...)
		text, err := encodeState(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeState(text)
		got.Version = s.Version
		if diff := cmp.Diff(got, s, cmp.Transformer("empty", func(e []Event) []Event { return append([]Event{}, e...) })); err != nil || diff != "" {
			t.Errorf("%s: %v, got - want +\n%s", text, err, diff)
		}
	})
}

func TestAStateOfNoTokenIsNotKept(t *testing.T) {
	for name, s := range map[string]State{
		"none": {}, "a registry's": unknown(theToken.OfRegistry()), "a damaged one's": unknown(providers.ID{Kind: providers.TokenKind, Native: "\x00"}),
	} {
		if _, err := encodeState(s); providers.KindOf(err) != providers.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, e := range someEvents() {
		f.Add(encodeEvent(e))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := decodeEvent(text)
		if err == nil && (!e.whole() || !bytes.Equal(encodeEvent(e), text)) {
			t.Errorf("%s was read as %+v", text, e)
		}
	})
}

func FuzzDecodeState(f *testing.F) {
	s := State{Subject: subject(), Due: at(0), Source: ByPolicy, Untold: someEvents(), Step: at(1), Look: at(1), ReadAt: at(0)}
	text, err := encodeState(s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := decodeState(text)
		if err != nil {
			return
		}
		if again, err := encodeState(s); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%s was read as %+v, %v", text, s, err)
		}
		for _, now := range []time.Duration{-100 * day, 0, 100 * day} {
			theRule.Tick(s, at(now))
			theRule.Unread(s, at(now))
			theRule.Current(s, at(now))
		}
	})
}

func TestIDsOfEventsAreLikeNoOthers(t *testing.T) {
	all := map[string]Event{}
	for _, e := range someEvents() {
		if !IsEventID(e.ID) {
			t.Errorf("%s is no id of an event", e.ID)
		}
		if _, err := providers.ParseID(e.ID); !errors.Is(err, providers.ErrBadID) {
			t.Errorf("%s is another thing's id: %v", e.ID, err)
		}
		variants := []func(*Event){
			func(*Event) {},
			func(e *Event) { e.Kind += "X" },
			func(e *Event) { e.Threshold += time.Millisecond },
			func(e *Event) { e.DueAt = e.DueAt.Add(time.Millisecond) },
			func(e *Event) { e.Was = e.Was.Add(time.Millisecond) },
			func(e *Event) { e.Subject.Token.Native += "x" },
			func(e *Event) { e.Subject.Token.Registry += "x" },
		}
		for _, vary := range variants {
			other := e
			vary(&other)
			other.ID = eventID(other)
			if before, known := all[other.ID]; known {
				t.Errorf("%+v and %+v have one id", before, other)
			}
			all[other.ID] = other
		}
		same := e
		same.OccurredAt, same.Subject.Name, same.DueSource = at(99), "renamed", ByProvider
		if eventID(same) != e.ID {
			t.Error("what a token was at that moment changes the id of its step")
		}
	}
	for _, other := range []string{"", "x", theToken.String(), "AWU", "AWUxl-aGpMnBMiRCCWt2uDBn9Ds_ZkE=", "\nAWUxl-aGpMnBMiRCCWt2uDBn9Ds_ZkE"} {
		if IsEventID(other) {
			t.Errorf("%q is an id of an event", other)
		}
	}
}
