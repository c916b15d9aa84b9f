package soak

import (
	"fmt"
	"strings"
	"time"
)

// Read is an answer, as far as it tells something about tokens.
type Read struct {
	// Of names the query, Via the replica.
	Of, Via string
	// Begin is before the question left, End after the answer came.
	Begin, End time.Time
	// Shown are the tokens in the answer by their ids. Those of nobody's are overlooked.
	Shown map[string]Sight
	// Asked are the tokens that were asked for by id: those not shown are said not to be there.
	Asked []string
	// Whole are the places of which every token would have been shown.
	Whole []Place
	// Notes say what is old or missing.
	Notes []Note
}

// Sight is a token as an answer shows it.
type Sight struct {
	Value    string
	Observed time.Time
	// Old is since when, by its own word, it may have changed; zero: it is fresh.
	Old time.Time
}

// Note is an answer's word about a place: its data left the provider at Since, or, when that is zero, it is missing.
type Note struct {
	Place  Place
	Since  time.Time
	Reason string
}

// String tells it in the report.
func (n Note) String() string {
	if n.Since.IsZero() {
		return "missing: " + n.Reason
	}
	return "old: " + n.Reason
}

// Stale is a read that shows what was no longer so.
type Stale struct {
	Read  Read
	Token string
	Shown Sight // Value is empty where the token is not shown
	Since time.Time
	token tokenHistory
}

// Judge returns what is stale in a read, by what is known of the writes now: call it when the answer has come.
func (h *History) Judge(r Read) []Stale {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []Stale
	for id, token := range h.tokens {
		shown, told := r.tells(id, token.place)
		since := r.since(token.place)
		if told && !shown.Old.IsZero() && shown.Old.Before(since) {
			since = shown.Old
		}
		if !told || token.may(shown.Value, since, r.End) {
			continue
		}
		found = append(found, Stale{Read: r, Token: id, Shown: shown, Since: since, token: token.copied()})
	}
	return found
}

// tells returns what the read says of a token; told is false when it says nothing.
func (r Read) tells(id string, place Place) (shown Sight, told bool) {
	if shown, told = r.Shown[id]; told {
		return shown, true
	}
	for _, note := range r.Notes {
		if note.Since.IsZero() && note.Place.holds(place) {
			return Sight{}, false
		}
	}
	for _, asked := range r.Asked {
		if asked == id {
			return Sight{}, true
		}
	}
	for _, whole := range r.Whole {
		if whole.holds(place) {
			return Sight{}, true
		}
	}
	return Sight{}, false
}

// since is from when on the read promises to know of a place.
func (r Read) since(place Place) time.Time {
	since := r.Begin
	for _, note := range r.Notes {
		if !note.Since.IsZero() && note.Since.Before(since) && note.Place.holds(place) {
			since = note.Since
		}
	}
	return since
}

// admits tells whether the read says that some of it is old, and whether that some of it is missing.
func (r Read) admits() (old, missing bool) {
	for _, note := range r.Notes {
		old = old || !note.Since.IsZero()
		missing = missing || note.Since.IsZero()
	}
	for _, shown := range r.Shown {
		old = old || !shown.Old.IsZero()
	}
	return old, missing
}

// copied is the token as it is now, for a report that is written later.
func (t *tokenHistory) copied() tokenHistory {
	changes := make([]*Change, len(t.changes))
	for i, c := range t.changes {
		one := *c
		changes[i] = &one
	}
	return tokenHistory{t.place, changes}
}

// Tell writes the evidence, with times counted from start.
func (s Stale) Tell(start time.Time) string {
	var text strings.Builder
	clock := func(at time.Time) string { return fmt.Sprintf("%.3fs", at.Sub(start).Seconds()) }
	fmt.Fprintf(&text, "%s by %s from %s to %s shows %q for the token …%s of %s", s.Read.Of, s.Read.Via, clock(s.Read.Begin), clock(s.Read.End),
		s.Shown.Value, tail(s.Token), s.token.place.Account)
	if !s.Shown.Observed.IsZero() {
		fmt.Fprintf(&text, ", observed at %s", clock(s.Shown.Observed))
	}
	if s.Since != s.Read.Begin {
		fmt.Fprintf(&text, ", says to be old since %s", clock(s.Since))
	}
	for _, c := range s.token.changes {
		end := map[outcome]string{underWay: "under way", acknowledged: "acknowledged at ", unknown: "unknown at "}[c.outcome]
		if c.outcome != underWay {
			end += clock(c.end)
		}
		fmt.Fprintf(&text, "\n    %q by %s from %s, %s", c.value, c.via, clock(c.begin), end)
	}
	return text.String()
}

// tail is enough of an id to tell it from others.
func tail(id string) string { return id[max(0, len(id)-8):] }
