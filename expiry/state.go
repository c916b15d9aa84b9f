package expiry

import (
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// Reading is what looking at a token told.
type Reading struct {
	// At is when the answer left the provider.
	At time.Time
	// Gone: there is no such token. Then only the subject's Token is looked at.
	Gone     bool
	Subject  Subject
	Disabled bool
	// Due is zero when the token is never due.
	Due    time.Time
	Source DueSource
}

// tidy brings a reading into the form that is kept. One from the future was made by another clock.
func (r Reading) tidy(now time.Time) Reading {
	r.Subject = r.Subject.Tidy()
	if r.At.After(now) {
		r.At = now
	}
	r.At = time.UnixMilli(r.At.UnixMilli()).UTC()
	if !r.Due.IsZero() {
		r.Due = ceil(r.Due)
	}
	if r.Due.After(eventlog.Latest()) || r.Due.Before(time.UnixMilli(0)) {
		r.Due = time.Time{}
	}
	return r
}

// State is what the rule remembers of a token that is enabled and due one day. No other token has one. The zero State is of a
// token of which nothing is known.
type State struct {
	Subject Subject
	// Due is zero once there is nothing more to watch.
	Due    time.Time
	Source DueSource
	// ReadAt is when the reading was made that this follows from. Later ones may have said the same.
	ReadAt time.Time
	// Step is the next moment that is told; steps before it are told, or were passed over. Zero: there is none.
	Step time.Time
	// Told is the announcement that stands.
	Told Announcement
	// Look is when to look at the token again. Zero: not for its own sake.
	Look time.Time
	// Tried is since when the token could not be looked at; zero: it could, as far as was tried.
	Tried time.Time
	// Untold are events that nobody may have heard of yet.
	Untold []Event
	// Version is set by an [Index]: it changes with each change. 0: it is in none.
	Version uint64
}

// Announcement is the last step that was told of a date, and not taken back.
type Announcement struct {
	Due       time.Time // zero: nothing was
	Threshold time.Duration
}

// Over tells whether there is nothing more to watch and to tell. An index removes such a state.
func (s State) Over() bool { return s.Due.IsZero() && len(s.Untold) == 0 }

// registry is where the token is.
func (s State) registry() providers.ID { return s.Subject.Token.OfRegistry() }

func (s State) announced() bool { return !s.Told.Due.IsZero() }

// expired tells whether it was told that the present date came.
func (s State) expired() bool {
	return s.announced() && s.Told.Threshold == 0 && s.Told.Due.Equal(s.Due)
}

// told is the moment of the last step of the present date that was told; zero: none was.
func (s State) told() time.Time {
	if !s.announced() || !s.Told.Due.Equal(s.Due) {
		return time.Time{}
	}
	return s.Due.Add(-s.Told.Threshold)
}

// tell adds an event to what is untold.
func (s *State) tell(e Event) {
	e.Subject = s.Subject
	e.DueSource = s.Source
	e.ID = eventID(e)
	s.Untold = append(s.Untold[:len(s.Untold):len(s.Untold)], e)
}

// takeBack tells that what was announced no longer holds.
func (s *State) takeBack(e Event) {
	e.Threshold = s.Told.Threshold
	s.tell(e)
	s.Told = Announcement{}
}

// end leaves nothing to watch.
func (s *State) end() {
	s.Due, s.Step, s.Look, s.Tried, s.Told = time.Time{}, time.Time{}, time.Time{}, time.Time{}, Announcement{}
}

// same tells whether two states differ in nothing that has to be kept. When they were read has not.
func (s State) same(o State) bool {
	return s.Subject == o.Subject && s.Due.Equal(o.Due) && s.Source == o.Source && s.Step.Equal(o.Step) &&
		s.Told.Due.Equal(o.Told.Due) && s.Told.Threshold == o.Told.Threshold && s.Look.Equal(o.Look) &&
		s.Tried.Equal(o.Tried) && len(s.Untold) == len(o.Untold)
}
