package expiry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

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

var errUnreadable = fmt.Errorf("%w: what is kept there cannot be read", ErrUnavailable)

// moment is a time in milliseconds; 0: none.
type moment int64

func momentOf(t time.Time) moment {
	if t.IsZero() {
		return 0
	}
	return moment(t.UnixMilli())
}

func (m moment) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

type subjectRecord struct {
	Token     string `json:"t"`
	Name      string `json:"n,omitempty"`
	Registry  string `json:"r,omitempty"`
	CreatedBy string `json:"c,omitempty"`
}

func recordOfSubject(s Subject) subjectRecord {
	return subjectRecord{s.Token.String(), s.Name, s.RegistryName, s.CreatedBy}
}

func (r subjectRecord) subject() (Subject, error) {
	id, err := providers.ParseID(r.Token)
	return Subject{id, r.Name, r.Registry, r.CreatedBy}, err
}

type eventRecord struct {
	Version    int           `json:"v"`
	Kind       Kind          `json:"k"`
	Threshold  int64         `json:"h,omitempty"` // milliseconds
	OccurredAt moment        `json:"o"`
	DueAt      moment        `json:"d"`
	Source     DueSource     `json:"s"`
	Was        moment        `json:"w,omitempty"`
	Subject    subjectRecord `json:"of"`
}

func recordOfEvent(e Event) eventRecord {
	return eventRecord{eventVersion, e.Kind, e.Threshold.Milliseconds(), momentOf(e.OccurredAt), momentOf(e.DueAt),
		e.DueSource, momentOf(e.Was), recordOfSubject(e.Subject)}
}

func (r eventRecord) event() (Event, error) {
	subject, err := r.Subject.subject()
	if err != nil {
		return Event{}, err
	}
	e := Event{Kind: r.Kind, Threshold: time.Duration(r.Threshold) * time.Millisecond, OccurredAt: r.OccurredAt.time(),
		DueAt: r.DueAt.time(), DueSource: r.Source, Was: r.Was.time(), Subject: subject}
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
	record, err := strictly[eventRecord](text, mostEvent)
	if err != nil {
		return Event{}, err
	}
	return record.event()
}

type stateRecord struct {
	Version   int           `json:"v"`
	Subject   subjectRecord `json:"of"`
	Due       moment        `json:"d,omitempty"`
	Source    DueSource     `json:"s,omitempty"`
	ReadAt    moment        `json:"a,omitempty"`
	Step      moment        `json:"p,omitempty"`
	ToldDue   moment        `json:"td,omitempty"`
	ToldAhead int64         `json:"th,omitempty"` // milliseconds
	Look      moment        `json:"l,omitempty"`
	Tried     moment        `json:"f,omitempty"`
	Untold    []eventRecord `json:"u,omitempty"`
}

func encodeState(s State) ([]byte, error) {
	if !ofToken(s.Subject.Token) || s.Subject != s.Subject.tidy() {
		return nil, errUnencodable()
	}
	r := stateRecord{stateVersion, recordOfSubject(s.Subject), momentOf(s.Due), s.Source, momentOf(s.ReadAt), momentOf(s.Step),
		momentOf(s.Told.Due), s.Told.Threshold.Milliseconds(), momentOf(s.Look), momentOf(s.Tried), nil}
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
	r, err := strictly[stateRecord](text, mostState)
	if err != nil {
		return State{}, err
	}
	subject, err := r.Subject.subject()
	if err != nil {
		return State{}, err
	}
	s := State{Subject: subject, Due: r.Due.time(), Source: r.Source, ReadAt: r.ReadAt.time(), Step: r.Step.time(),
		Told: Announcement{r.ToldDue.time(), time.Duration(r.ToldAhead) * time.Millisecond}, Look: r.Look.time(), Tried: r.Tried.time()}
	for _, record := range r.Untold {
		e, err := record.event()
		if err != nil || e.Subject.Token != subject.Token {
			return State{}, errUnreadable
		}
		s.Untold = append(s.Untold, e)
	}
	if r.Version != stateVersion || !ofToken(subject.Token) || subject != subject.tidy() || !r.inReach() {
		return State{}, errUnreadable
	}
	return s, nil
}

func (r stateRecord) inReach() bool {
	for _, m := range []moment{r.Due, r.ReadAt, r.Step, r.ToldDue, r.Look, r.Tried} {
		if !m.inReach() {
			return false
		}
	}
	return inReach(r.ToldAhead)
}

// inReach tells whether a moment is one that has a year of at most four digits.
func (m moment) inReach() bool {
	return m >= moment(-latest.UnixMilli()) && m <= moment(latest.UnixMilli())
}

// inReach tells whether so many milliseconds are a time.Duration that makes sense as a threshold.
func inReach(milliseconds int64) bool {
	return milliseconds >= 0 && milliseconds <= int64(1<<63-1)/int64(time.Millisecond)
}

// whole tells whether an event has all that it needs, in the form in which it can be written down, and its own id.
func (e Event) whole() bool {
	names := e.Subject.Name + e.Subject.RegistryName + e.Subject.CreatedBy
	return slices.Contains([]Kind{Threshold, Expired, Extended, Withdrawn}, e.Kind) &&
		(e.DueSource == ByProvider || e.DueSource == ByPolicy) &&
		inReach(e.Threshold.Milliseconds()) && e.Threshold%time.Millisecond == 0 &&
		wholeTime(e.OccurredAt) && wholeTime(e.DueAt) && (e.Was.IsZero() || wholeTime(e.Was)) &&
		ofToken(e.Subject.Token) && utf8.ValidString(names) && e.Subject == e.Subject.tidy() && e.ID == eventID(e)
}

func wholeTime(t time.Time) bool {
	m := momentOf(t)
	return m != 0 && m.inReach() && m.time().Equal(t) && t.Location() == time.UTC
}

// strictly reads what would be written in the same way.
func strictly[T any](text []byte, most int) (record T, err error) {
	if len(text) > most {
		return record, errUnreadable
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return record, errUnreadable
	}
	if again, err := json.Marshal(record); err != nil || !bytes.Equal(again, text) {
		return record, errUnreadable
	}
	return record, nil
}
