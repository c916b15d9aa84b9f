package soak

import (
	"strings"
	"testing"
	"time"
)

// at is a moment, in seconds of a test's own time.
func at(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }

var home = Place{"ionos", "contract", "registry"}

// patched is a token that was created from 10 to 12 and patched from 20 to 22.
func patched() *History {
	h := NewHistory()
	h.Created("t", home, "one", "a", at(10), at(12))
	h.Patch("t", "two", "b", at(20)).Acknowledged(at(22))
	return h
}

func deleted() *History {
	h := patched()
	h.Delete("t", "a", at(30)).Acknowledged(at(32))
	return h
}

// lost is a token that was created, and patched with an outcome that nobody knows.
func lost() *History {
	h := NewHistory()
	h.Created("t", home, "one", "a", at(10), at(12))
	h.Patch("t", "two", "b", at(20)).Unknown(at(22))
	return h
}

// overtaken is one that was patched again since.
func overtaken() *History {
	h := lost()
	h.Patch("t", "three", "a", at(30)).Acknowledged(at(32))
	return h
}

func underway() *History {
	h := NewHistory()
	h.Created("t", home, "one", "a", at(10), at(12))
	h.Patch("t", "two", "b", at(20))
	return h
}

func refused() *History {
	h := NewHistory()
	h.Created("t", home, "one", "a", at(10), at(12))
	h.Patch("t", "two", "b", at(20)).Undone()
	return h
}

func TestAReadIsStaleWhenItShowsLessThanWasAcknowledgedBeforeIt(t *testing.T) {
	for _, test := range []struct {
		name       string
		history    func() *History
		begin, end int
		shown      string
		stale      bool
	}{
		{"the new value", patched, 23, 24, "two", false},
		{"the old value after the patch", patched, 23, 24, "one", true},
		{"the old value by a read that began before the acknowledgement", patched, 21, 30, "one", false},
		{"the old value by a read that began as the acknowledgement came", patched, 22, 30, "one", false},
		{"the new value before the acknowledgement", patched, 20, 21, "two", false},
		{"the new value before the patch", patched, 18, 19, "two", true},
		{"a value that nobody wrote", patched, 23, 24, "three", true},
		{"nothing though it is there", patched, 23, 24, gone, true},
		{"nothing while it is created", patched, 11, 13, gone, false},
		{"nothing after its creation", patched, 13, 14, gone, true},
		{"nothing after its deletion", deleted, 33, 34, gone, false},
		{"something after its deletion", deleted, 33, 34, "two", true},
		{"something while it is deleted", deleted, 31, 34, "two", false},
		{"what was before the last value, while it is deleted", deleted, 31, 34, "one", true},
		{"the old value after an unknown outcome", lost, 900, 901, "one", false},
		{"the new value after an unknown outcome", lost, 900, 901, "two", false},
		{"nothing after an unknown outcome of a patch", lost, 900, 901, gone, true},
		{"the last value after an unknown outcome", overtaken, 33, 34, "three", false},
		{"the unknown value after a later acknowledgement", overtaken, 33, 34, "two", true},
		{"the value before an unknown outcome after a later acknowledgement", overtaken, 33, 34, "one", true},
		{"the unknown value while the later patch is under way", overtaken, 31, 34, "two", false},
		{"the value before that, while the later patch is under way", overtaken, 31, 34, "one", false},
		{"the old value while a patch is under way", underway, 23, 24, "one", false},
		{"the new value while a patch is under way", underway, 23, 24, "two", false},
		{"the old value after a patch that was not done", refused, 23, 24, "one", false},
		{"the value of a patch that was not done", refused, 23, 24, "two", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := Read{Begin: at(test.begin), End: at(test.end), Whole: []Place{{}}, Shown: map[string]Sight{}}
			if test.shown != gone {
				read.Shown["t"] = Sight{Value: test.shown}
			}
			if got := test.history().Judge(read); (len(got) > 0) != test.stale {
				t.Errorf("Judge = %v, want stale: %t", got, test.stale)
			}
		})
	}
}

func TestAReadAnswersForWhatItSpeaksOf(t *testing.T) {
	elsewhere := Place{"ionos", "contract", "another"}
	for _, test := range []struct {
		name  string
		read  Read
		stale bool
	}{
		{"a list over everything", Read{Whole: []Place{{}}}, true},
		{"a list of the registry", Read{Whole: []Place{home}}, true},
		{"a list of another registry", Read{Whole: []Place{elsewhere}}, false},
		{"the first page of a list", Read{}, false},
		{"a look at the token", Read{Asked: []string{"t"}}, true},
		{"a look at another one", Read{Asked: []string{"another"}}, false},
		{"a list that lacks the registry, and says so", Read{Whole: []Place{{}}, Notes: []Note{{Place: home}}}, false},
		{"a list that lacks the account, and says so", Read{Whole: []Place{{}}, Notes: []Note{{Place: Place{Account: "ionos"}}}}, false},
		{"a list that lacks another registry, and says so", Read{Whole: []Place{{}}, Notes: []Note{{Place: elsewhere}}}, true},
		{"a list that says to be of before the creation", Read{Whole: []Place{{}}, Notes: []Note{{Place: home, Since: at(9)}}}, false},
		{"a list that says to be of after the creation", Read{Whole: []Place{{}}, Notes: []Note{{Place: home, Since: at(13)}}}, true},
		{"a list of which another part says to be old", Read{Whole: []Place{{}}, Notes: []Note{{Place: elsewhere, Since: at(9)}}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.read.Begin, test.read.End = at(23), at(24)
			if got := patched().Judge(test.read); (len(got) > 0) != test.stale {
				t.Errorf("without the token it is judged %v, want stale: %t", got, test.stale)
			}
		})
	}
}

func TestAnOldReadIsJudgedByItsOwnWord(t *testing.T) {
	for _, test := range []struct {
		name  string
		shown Sight
		notes []Note
		stale bool
	}{
		{"observed before the patch", Sight{Value: "one", Observed: at(15)}, nil, true},
		{"old since before the patch", Sight{Value: "one", Observed: at(15)}, []Note{{Place: home, Since: at(15)}}, false},
		{"old since after the patch", Sight{Value: "one", Observed: at(15)}, []Note{{Place: home, Since: at(23)}}, true},
		{"old since before the patch, by its own word", Sight{Value: "one", Observed: at(15), Old: at(15)}, nil, false},
		{"old since after the patch, by its own word", Sight{Value: "one", Observed: at(15), Old: at(23)}, nil, true},
		{"missing, and shown all the same", Sight{Value: "one", Observed: at(15)}, []Note{{Place: home}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := Read{Begin: at(30), End: at(31), Shown: map[string]Sight{"t": test.shown}, Notes: test.notes}
			got := patched().Judge(read)
			if (len(got) > 0) != test.stale {
				t.Fatalf("Judge = %v, want stale: %t", got, test.stale)
			}
			if test.stale && !strings.Contains(got[0].Tell(at(0)), `"two" by b from 20.000s, acknowledged at 22.000s`) {
				t.Errorf("it tells %s", got[0].Tell(at(0)))
			}
		})
	}
}
