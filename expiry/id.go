package expiry

import (
	"encoding/binary"

	"regtok/eventlog"
)

// idKind tells an event's id from the ids of other things.
const idKind = 'e'

// eventID names a step by what makes it that step.
func eventID(e Event) string {
	parts := [...]string{e.Subject.Token.String(), string(e.Kind)}
	raw := make([]byte, 0, 256)
	for _, part := range parts {
		raw = binary.BigEndian.AppendUint64(raw, uint64(len(part)))
		raw = append(raw, part...)
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(e.DueAt.UnixMilli()))
	raw = binary.BigEndian.AppendUint64(raw, uint64(e.Threshold.Milliseconds()))
	if !e.Was.IsZero() {
		raw = binary.BigEndian.AppendUint64(raw, uint64(e.Was.UnixMilli()))
	}
	return eventlog.NewID(idKind, raw)
}

// IsEventID tells whether an id is an event's, as far as can be seen. No other thing of this server has such an id.
func IsEventID(id string) bool { return eventlog.IsID(idKind, id) }
