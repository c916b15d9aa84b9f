package soak

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// life is a token's true one: its states, and when each began to be so.
type life struct {
	states []string
	since  []int
}

func (l life) state(at int) string {
	state := gone
	for i, since := range l.since {
		if since <= at {
			state = l.states[i]
		}
	}
	return state
}

// lived draws a token that is created, patched now and then and perhaps deleted, with what its writers know of that.
// Each write takes effect at one moment from its begin to its end; one of unknown outcome perhaps never. Times are even,
// so that the odd ones lie between.
func lived(t *rapid.T) (*History, life, []*Change) {
	h, now := NewHistory(), 0
	pass := func(least int, label string) int {
		now += 2 * rapid.IntRange(least, 5).Draw(t, label)
		return now
	}
	begin := pass(1, "begin")
	truth := life{[]string{"0"}, []int{begin + 2*rapid.IntRange(0, 1).Draw(t, "effect")}}
	now += 2
	h.Created("t", home, "0", "a", at(begin), at(now))
	changes := []*Change{h.tokens["t"].changes[0]}
	for i := range rapid.IntRange(0, 8).Draw(t, "writes") {
		begin := pass(1, "begin")
		last := rapid.IntRange(0, 5).Draw(t, "deletes") == 0
		c := h.Patch("t", fmt.Sprint(i+1), "a", at(begin))
		if last {
			c.value = gone
		}
		end := pass(0, "end")
		how := rapid.SampledFrom([]outcome{acknowledged, unknown, underWay}).Draw(t, "outcome")
		if how == acknowledged || rapid.Bool().Draw(t, "done") {
			truth.states = append(truth.states, c.value)
			truth.since = append(truth.since, begin+rapid.IntRange(0, end-begin).Draw(t, "effect"))
		}
		switch how {
		case acknowledged:
			c.Acknowledged(at(end))
		case unknown:
			c.Unknown(at(end))
		}
		changes = append(changes, c)
		if last {
			break
		}
	}
	return h, truth, changes
}

func looked(begin, end int, shown string) Read {
	read := Read{Begin: at(begin), End: at(end), Whole: []Place{{}}, Shown: map[string]Sight{}}
	if shown != gone {
		read.Shown["t"] = Sight{Value: shown}
	}
	return read
}

func TestWhoLooksAtTheTruthIsNeverStale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, truth, _ := lived(t)
		begin := rapid.IntRange(0, 100).Draw(t, "from")
		end := begin + rapid.IntRange(0, 20).Draw(t, "long")
		looks := rapid.IntRange(begin, end).Draw(t, "looks")
		if got := h.Judge(looked(begin, end, truth.state(looks))); len(got) > 0 {
			t.Errorf("a true look is judged stale: %s", got[0].Tell(at(0)))
		}
	})
}

func TestWhoShowsWhatWasBeforeAnAcknowledgedWriteIsStale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, _, changes := lived(t)
		var told []int // always the creation
		for i, c := range changes {
			if c.outcome == acknowledged {
				told = append(told, i)
			}
		}
		newer := rapid.SampledFrom(told).Draw(t, "newer")
		oldest := -1 // before its creation
		if changes[len(changes)-1].value == gone {
			oldest = 0 // it may be gone again
		}
		if newer == oldest {
			return
		}
		shown := gone
		if older := rapid.IntRange(oldest, newer-1).Draw(t, "older"); older >= 0 {
			shown = changes[older].value
		}
		begin := int(changes[newer].end.Sub(at(0)).Seconds()) + rapid.IntRange(1, 30).Draw(t, "later")
		if got := h.Judge(looked(begin, begin+5, shown)); len(got) == 0 {
			t.Errorf("%q after %q was acknowledged is not judged stale", shown, changes[newer].value)
		}
	})
}
