package expiry

import (
	"time"

	"github.com/redis/go-redis/v9"

	"regtok/eventlog"
)

// Log keeps what was told of tokens' ends.
type Log = eventlog.Log[Event]

// Entry is an event in a [Log].
type Entry = eventlog.Entry[Event]

// ErrUnavailable says that a log or an index cannot be reached, or holds what cannot be read.
var ErrUnavailable = eventlog.ErrUnavailable

// NewMemory makes an empty log that lasts as long as its process: see [eventlog.NewMemory].
func NewMemory(events, bytes int) *eventlog.Memory[Event] {
	return eventlog.NewMemory(codec{}, events, bytes)
}

// NewRedis makes a log that is shared by all who use the same prefix of the same Redis: see [eventlog.NewRedis].
func NewRedis(client redis.UniversalClient, prefix string, retention time.Duration) *eventlog.Redis[Event] {
	return eventlog.NewRedis(client, prefix, "events", codec{}, retention)
}

// Codec is how events of tokens' ends are written down.
func Codec() eventlog.Codec[Event] { return codec{} }

// codec writes events down.
type codec struct{}

var _ eventlog.Codec[Event] = codec{}

// ID implements eventlog.Codec.
func (codec) ID(e *Event) string { return e.ID }

// Whole implements eventlog.Codec.
func (codec) Whole(e *Event) bool { return e.whole() }

// Encode implements eventlog.Codec.
func (codec) Encode(e *Event) []byte { return encodeEvent(*e) }

// Decode implements eventlog.Codec.
func (codec) Decode(text []byte) (Event, error) { return decodeEvent(text) }

// Size implements eventlog.Codec.
func (codec) Size(e *Event) int { return len(e.ID) + e.Subject.Size() }
