package budget

import (
	"slices"
	"time"

	"regtok/providers"
)

// state is all that is known of an account's allowances. It does nothing by itself: who keeps it locks it, and tells it
// the time.
type state struct {
	// manner is whether the provider tells of allowances; answers is how many told nothing while that was not known.
	manner  manner
	answers int
	// verified: an answer to a request that was taken at trusted or later told how much is used. Before that nobody
	// knows what was used by others, or before.
	verified bool
	trusted  moment
	// common: answers to requests for one of several told of nothing that is this one's alone.
	common  bool
	windows []window
	sent    []sent
	assumed []assumed
	log     []bucket
	paused  moment
	// term is the highest term of a sweep that was seen.
	term uint64

	// What follows is for replicas. written is when this was written, writes how many times, and server where.
	written moment
	writes  uint64
	server  string
	// lineage is another one when this was made anew, since what was there had been lost.
	lineage uint64
	// gather is until when those who remember more than a state that was lost tell it.
	gather  moment
	members []member
	// alone is set while this process is; it is not written.
	alone *alone
}

// manner is how a provider lets its limits be known.
type manner uint8

const (
	unheard manner = iota // nothing was heard yet
	silent                // it answers, and tells nothing
	telling               // its answers tell
)

// window is an allowance that the provider told of, in its current window of time.
type window struct {
	scope, of string
	limit     int
	// used is the most that was told to be used in it.
	used int
	// asked is when the last of the requests was taken whose answers told of it: no less was used then.
	asked moment
	// from and to enclose its end, the vendor's rounding to seconds included.
	from, to moment
	// length is the longest reset that was told.
	length time.Duration
	// over: it has ended, nothing is known to be used, and the next one begins with a request.
	over bool
	// swept is how many sweeping requests were taken in it.
	swept int
	// part is what this process may still send while it is alone, if it has been made out. It is not written.
	part   int
	parted bool
}

// sent is a request that the provider may have counted without our knowing.
type sent struct {
	origin   uint64
	id       uint64
	of       string
	priority providers.Priority
	taken    moment
	// until is when one that was lost counts no more; 0: it is under way.
	until moment
	// only is the scope whose windows may have counted it; empty: all.
	only string
}

// countsFor tells whether a request may count in the window.
func (q *sent) countsFor(w *window) bool {
	return (q.only == "" || q.only == w.scope) && concerns(q.of, w.of)
}

// concerns tells whether a request for one may count in the window of another. One that names none may count in any, and
// all count in a window that is nobody's in particular.
func concerns(request, window string) bool {
	return request == window || request == "" || window == ""
}

func (q *sent) underWay() bool { return q.until == 0 }

const (
	// rounding is how far off a time can be that is told in whole seconds.
	rounding = time.Second
	// late is how long after it was given up a request may still be counted.
	late = 10 * time.Second
	// longest is how long a request is believed to be under way: whoever took it forgot it.
	longest = 5 * time.Minute
	// usualLength is a window's, where nothing better is known.
	usualLength = time.Minute
	// gatherFor is how long those who remember have to tell what a state that was lost held.
	gatherFor = 600 * time.Millisecond
)

// roll ends what is over by now.
func (s *state) roll(now moment) {
	s.rollMembers(now)
	for i := range s.sent {
		if q := &s.sent[i]; q.underWay() && now.since(q.taken) > longest {
			s.lose(now, q)
		}
	}
	s.sent = slices.DeleteFunc(s.sent, func(q sent) bool { return !q.underWay() && q.until <= now })
	for i := range s.windows {
		w := &s.windows[i]
		if !w.over && w.to <= now {
			w.over, w.used, w.swept, w.parted = true, 0, s.sweepsUnderWay(w), false
		}
	}
	s.windows = slices.DeleteFunc(s.windows, func(w window) bool {
		return w.over && now.since(w.to) > forgetAfter && w.of != ""
	})
	s.forget(now)
}

// forgetAfter is how long the window of one of several is remembered that nobody uses any more.
const forgetAfter = time.Hour

// unsettled counts what may be counted in the window besides what was told.
func (s *state) unsettled(w *window) int {
	n := 0
	for i := range s.sent {
		if s.sent[i].countsFor(w) {
			n++
		}
	}
	return n
}

func (s *state) sweepsUnderWay(w *window) int {
	n := 0
	for i := range s.sent {
		if s.sent[i].priority == providers.Sweeping && s.sent[i].countsFor(w) {
			n++
		}
	}
	return n
}

// find is the place of a request that was taken; -1: it is not known any more.
func (s *state) find(origin, id uint64) int {
	return slices.IndexFunc(s.sent, func(q sent) bool { return q.id == id && q.origin == origin && q.underWay() })
}

// lose makes a request one that was lost: it counts until what may have counted it is over.
func (s *state) lose(now moment, q *sent) {
	q.until = now.add(late)
	for i := range s.windows {
		w := &s.windows[i]
		if !q.countsFor(w) {
			continue
		}
		end := w.to
		if w.over {
			end = now.add(max(w.length, usualLength) + rounding)
		}
		q.until = max(q.until, end)
	}
}
