// Package soak loads replicas of regtok for a while, as real processes over one Redis and emulators that enforce their
// limits, kills them in between, and judges every answer: see [History].
// [RunEvents] does the same to subscribers.
package soak

import (
	"slices"
	"sync"
	"time"
)

// gone is the state of a token that is not there: not yet, or no longer. No token has it as its value.
const gone = ""

// Place is where a token lies, or a part of the world that an answer speaks of: an empty part means all of it.
type Place struct{ Account, Organization, Registry string }

// holds tells whether all that lies in the other place lies in this one.
func (p Place) holds(other Place) bool {
	fits := func(part, of string) bool { return part == "" || part == of }
	return fits(p.Account, other.Account) && fits(p.Organization, other.Organization) && fits(p.Registry, other.Registry)
}

// History is what is known of the writes to some tokens, and judges reads by it.
//
// A read is stale when it began after a write was acknowledged and shows an earlier state: an older value, a token after
// its deletion, none after its creation. So a read from its begin to its end may show of a token
//
//   - what the last write made of it that was acknowledged before the read began;
//   - what any later write made of it that began before the read ended, however that write ended;
//   - what a write of unknown outcome made of it, and what was before that write, until a later write is acknowledged;
//
// and nothing else. A write that is known not to have been done makes nothing.
//
// A read that says to be old is judged as if it had begun when its data left the provider, by its own word: a note with
// `staleSince` that covers the token's place, or the token's own `staleSince`. A read whose note says that the place is missing tells nothing by not
// showing a token. When an object was observed excuses nothing: an answer that was observed before the write, and does
// not say that it is old, is stale.
//
// A History grows with the writes, which the providers' allowances bound; of reads it keeps nothing. It is safe for
// concurrent use. The writes to one token must not overlap.
type History struct {
	mu     sync.Mutex
	tokens map[string]*tokenHistory
}

// tokenHistory is what became of one token.
type tokenHistory struct {
	place   Place
	changes []*Change
}

// outcome is what is known of a change.
type outcome int

const (
	underWay outcome = iota
	acknowledged
	unknown
	undone
)

// Change is a write to one token. Call one of Acknowledged, Unknown and Undone, once.
type Change struct {
	history    *History
	token      *tokenHistory
	value      string // gone: it is a deletion
	via        string
	begin, end time.Time
	outcome    outcome
}

// NewHistory makes a history without writes.
func NewHistory() *History { return &History{tokens: map[string]*tokenHistory{}} }

// Created takes note of a token that did not exist before begin and whose creation was acknowledged at end. Before that
// nobody knows its id, so there is nothing to judge; a creation whose outcome is unknown makes a token of nobody's.
func (h *History) Created(id string, place Place, value, via string, begin, end time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	token := &tokenHistory{place: place}
	token.changes = []*Change{{history: h, token: token, value: value, via: via, begin: begin, end: end, outcome: acknowledged}}
	h.tokens[id] = token
}

// Patch takes note that a write begins which gives a token, created before, another value.
func (h *History) Patch(id, value, via string, begin time.Time) *Change {
	return h.begin(id, value, via, begin)
}

// Delete takes note that a write begins which deletes a token, created before.
func (h *History) Delete(id, via string, begin time.Time) *Change {
	return h.begin(id, gone, via, begin)
}

func (h *History) begin(id, value, via string, begin time.Time) *Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	token := h.tokens[id]
	if token == nil {
		panic("soak: a write to a token that nobody created")
	}
	c := &Change{history: h, token: token, value: value, via: via, begin: begin}
	token.changes = append(token.changes, c)
	return c
}

// Acknowledged ends the change: it is done.
func (c *Change) Acknowledged(at time.Time) { c.finish(acknowledged, at) }

// Unknown ends the change: it may be done, or be done yet.
func (c *Change) Unknown(at time.Time) { c.finish(unknown, at) }

// Undone ends the change: it is not done, and will not be.
func (c *Change) Undone() {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	c.token.changes = slices.DeleteFunc(c.token.changes, func(other *Change) bool { return other == c })
}

// by says which replica took the change.
func (c *Change) by(via string) {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	c.via = via
}

func (c *Change) finish(how outcome, at time.Time) {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	c.outcome, c.end = how, at
}

// may tells whether somebody who looked at some time from begin to end may have found the token in this state.
func (t *tokenHistory) may(show string, begin, end time.Time) bool {
	for _, c := range slices.Backward(t.changes) {
		if c.begin.After(end) {
			continue
		}
		if c.value == show {
			return true
		}
		if c.doneBefore(begin) {
			return false
		}
	}
	return show == gone
}

func (c *Change) doneBefore(then time.Time) bool {
	return c.outcome == acknowledged && c.end.Before(then)
}
