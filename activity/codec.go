package activity

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
	"regtok/providers"
)

// Log keeps what was told of what happened to tokens.
type Log = eventlog.Log[Event]

// NewMemory makes an empty log that lasts as long as its process: see [eventlog.NewMemory].
func NewMemory(events, bytes int) *eventlog.Memory[Event] {
	return eventlog.NewMemory(Codec(), events, bytes)
}

// NewRedis makes a log that is shared by all who use the same prefix of the same Redis: see [eventlog.NewRedis].
func NewRedis(client redis.UniversalClient, prefix string, retention time.Duration) *eventlog.Redis[Event] {
	return eventlog.NewRedis(client, prefix, "activity", Codec(), retention)
}

// Codec is how what happens to tokens is written down.
func Codec() eventlog.Codec[Event] { return codec{} }

type codec struct{}

const (
	eventVersion = 1
	mostEvent    = 16 << 10 // bytes
)

type eventRecord struct {
	Version    int                    `json:"v"`
	ID         string                 `json:"i"`
	Kind       Kind                   `json:"k"`
	OccurredAt eventlog.Moment        `json:"o"`
	Actor      string                 `json:"a,omitempty"`
	Changed    []providers.TokenField `json:"p,omitempty"`
	RotatedTo  string                 `json:"to,omitempty"`
	Subject    eventlog.SubjectRecord `json:"of"`
}

// ID implements eventlog.Codec.
func (codec) ID(e *Event) string { return e.ID }

// Whole implements eventlog.Codec.
func (codec) Whole(e *Event) bool { return e.whole() }

// Encode implements eventlog.Codec.
func (codec) Encode(e *Event) []byte {
	text, _ := json.Marshal(eventRecord{ // it cannot fail
		eventVersion, e.ID, e.Kind, eventlog.MomentOf(e.OccurredAt), e.Actor, e.Changed, e.RotatedTo.String(), eventlog.RecordOfSubject(e.Subject),
	})
	return text
}

// Decode implements eventlog.Codec.
func (codec) Decode(text []byte) (Event, error) {
	r, err := eventlog.Strictly[eventRecord](text, mostEvent)
	if err != nil {
		return Event{}, err
	}
	subject, err := r.Subject.Subject()
	if err != nil {
		return Event{}, err
	}
	e := Event{ID: r.ID, Kind: r.Kind, OccurredAt: r.OccurredAt.Time(), Actor: r.Actor, Changed: r.Changed, Subject: subject}
	if r.RotatedTo != "" {
		if e.RotatedTo, err = providers.ParseID(r.RotatedTo); err != nil {
			return Event{}, err
		}
	}
	if r.Version != eventVersion || !e.whole() {
		return Event{}, errors.New("not an event")
	}
	return e, nil
}

// Size implements eventlog.Codec.
func (codec) Size(e *Event) int {
	return len(e.ID) + len(e.Actor) + 16*len(e.Changed) + len(e.RotatedTo.Native) + e.Subject.Size()
}
