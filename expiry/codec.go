package expiry

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// What is kept is JSON, with its version first. A name that is not known, or not written as it would be here, is refused:
// what a later version means by it cannot be guessed.
const (
	eventVersion = 1
	stateVersion = 1
	mostEvent    = 16 << 10 // bytes
	mostState    = 256 << 10
)

type eventRecord struct {
	Version    int                    `json:"v"`
	Kind       Kind                   `json:"k"`
	Threshold  int64                  `json:"h,omitempty"` // milliseconds
	OccurredAt eventlog.Moment        `json:"o"`
	DueAt      eventlog.Moment        `json:"d"`
	Source     DueSource              `json:"s"`
	Was        eventlog.Moment        `json:"w,omitempty"`
	Subject    eventlog.SubjectRecord `json:"of"`
}

func recordOfEvent(e Event) eventRecord {
	return eventRecord{eventVersion, e.Kind, e.Threshold.Milliseconds(), eventlog.MomentOf(e.OccurredAt), eventlog.MomentOf(e.DueAt),
		e.DueSource, eventlog.MomentOf(e.Was), eventlog.RecordOfSubject(e.Subject)}
}

func (r eventRecord) event() (Event, error) {
	subject, err := r.Subject.Subject()
	if err != nil {
		return Event{}, err
	}
	e := Event{Kind: r.Kind, Threshold: time.Duration(r.Threshold) * time.Millisecond, OccurredAt: r.OccurredAt.Time(),
		DueAt: r.DueAt.Time(), DueSource: r.Source, Was: r.Was.Time(), Subject: subject}
	e.ID = eventID(e)
	if r.Version != eventVersion || !e.whole() {
		return Event{}, errors.New("not an event")
	}
	return e, nil
}

func encodeEvent(e Event) []byte {
	text, _ := json.Marshal(recordOfEvent(e)) // it cannot fail
	return text
}

func decodeEvent(text []byte) (Event, error) {
	record, err := eventlog.Strictly[eventRecord](text, mostEvent)
	if err != nil {
		return Event{}, err
	}
	return record.event()
}

type stateRecord struct {
	Version   int                    `json:"v"`
	Subject   eventlog.SubjectRecord `json:"of"`
	Due       eventlog.Moment        `json:"d,omitempty"`
	Source    DueSource              `json:"s,omitempty"`
	ReadAt    eventlog.Moment        `json:"a,omitempty"`
	Step      eventlog.Moment        `json:"p,omitempty"`
	ToldDue   eventlog.Moment        `json:"td,omitempty"`
	ToldAhead int64                  `json:"th,omitempty"` // milliseconds
	Look      eventlog.Moment        `json:"l,omitempty"`
	Tried     eventlog.Moment        `json:"f,omitempty"`
	Untold    []eventRecord          `json:"u,omitempty"`
}

func encodeState(s State) ([]byte, error) {
	if !eventlog.OfToken(s.Subject.Token) || s.Subject != s.Subject.Tidy() {
		return nil, errUnencodable()
	}
	r := stateRecord{stateVersion, eventlog.RecordOfSubject(s.Subject), eventlog.MomentOf(s.Due), s.Source, eventlog.MomentOf(s.ReadAt), eventlog.MomentOf(s.Step),
		eventlog.MomentOf(s.Told.Due), s.Told.Threshold.Milliseconds(), eventlog.MomentOf(s.Look), eventlog.MomentOf(s.Tried), nil}
	for _, e := range s.Untold {
		r.Untold = append(r.Untold, recordOfEvent(e))
	}
	text, _ := json.Marshal(r) // it cannot fail
	if len(text) > mostState {
		return nil, errUnencodable()
	}
	return text, nil
}

func errUnencodable() error {
	return providers.InvalidError("", "keep a state", "", "this is no state of a token, or too much of one")
}

func decodeState(text []byte) (State, error) {
	r, err := eventlog.Strictly[stateRecord](text, mostState)
	if err != nil {
		return State{}, err
	}
	subject, err := r.Subject.Subject()
	if err != nil {
		return State{}, err
	}
	s := State{Subject: subject, Due: r.Due.Time(), Source: r.Source, ReadAt: r.ReadAt.Time(), Step: r.Step.Time(),
		Told: Announcement{r.ToldDue.Time(), time.Duration(r.ToldAhead) * time.Millisecond}, Look: r.Look.Time(), Tried: r.Tried.Time()}
	for _, record := range r.Untold {
		e, err := record.event()
		if err != nil || e.Subject.Token != subject.Token {
			return State{}, eventlog.ErrUnreadable
		}
		s.Untold = append(s.Untold, e)
	}
	if r.Version != stateVersion || !eventlog.OfToken(subject.Token) || subject != subject.Tidy() || !r.inReach() {
		return State{}, eventlog.ErrUnreadable
	}
	return s, nil
}

func (r stateRecord) inReach() bool {
	for _, m := range []eventlog.Moment{r.Due, r.ReadAt, r.Step, r.ToldDue, r.Look, r.Tried} {
		if !m.InReach() {
			return false
		}
	}
	return inReach(r.ToldAhead)
}

// inReach tells whether so many milliseconds are a time.Duration that makes sense as a threshold.
func inReach(milliseconds int64) bool {
	return milliseconds >= 0 && milliseconds <= int64(1<<63-1)/int64(time.Millisecond)
}

// whole tells whether an event has all that it needs, in the form in which it can be written down, and its own id.
func (e Event) whole() bool {
	return slices.Contains([]Kind{Threshold, Expired, Extended, Withdrawn}, e.Kind) &&
		(e.DueSource == ByProvider || e.DueSource == ByPolicy) &&
		inReach(e.Threshold.Milliseconds()) && e.Threshold%time.Millisecond == 0 &&
		eventlog.WholeTime(e.OccurredAt) && eventlog.WholeTime(e.DueAt) && (e.Was.IsZero() || eventlog.WholeTime(e.Was)) &&
		e.Subject.Whole() && e.ID == eventID(e)
}
