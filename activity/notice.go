package activity

import (
	"encoding/binary"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// List is what was read of a registry's tokens at one time: all of them.
type List struct {
	Registry providers.ID
	// RegistryName may be empty: not known.
	RegistryName string
	// At is when the list was asked for: what is in it was so at that time or since.
	At time.Time
	// Tokens are shared.
	Tokens []*providers.Token
}

// faces are what the list shows.
func (l List) faces() map[string]Face {
	faces := make(map[string]Face, len(l.Tokens))
	for _, t := range l.Tokens {
		faces[t.ID.Native] = faceOf(t, l.At)
	}
	return faces
}

// slack is how far the clocks of processes may differ: what was written so shortly before a list was asked for may not be in it.
const slack = 2 * time.Second

// noticed is what a list shows that was not known.
type noticed struct {
	events []Event
	change Change
	// same: nothing is otherwise, and nothing has to be kept.
	same bool
}

// notice compares a list with what is known. Nothing is told of what was seen or written since the list was asked for, nor by the
// first list. A token whose date came is gone because its provider deletes it then: that is told as its end, by package expiry.
func notice(known Roster, list List, faces map[string]Face) noticed {
	n := noticed{change: Change{Version: known.Version, Strict: true, Listed: milli(list.At), Put: map[string]Face{}}}
	if known.Listed.IsZero() {
		return n.first(known, faces)
	}
	if !milli(list.At).After(known.Listed) {
		n.same = true
		return n
	}
	certain := true
	for _, native := range sortedKeys(faces) {
		face := faces[native]
		before, was := known.Faces[native]
		if was && before.since(list.At) {
			certain = false
			continue
		}
		n.compare(list, native, before, face, was && !before.Gone)
	}
	for _, native := range sortedKeys(known.Faces) {
		before := known.Faces[native]
		if _, listed := faces[native]; listed {
			continue
		}
		if before.since(list.At) {
			certain = false
			continue
		}
		n.change.Drop = append(n.change.Drop, native)
		if !before.Gone && !before.over(list.At) {
			n.tell(list, native, Deleted, before, before, nil)
		}
	}
	if certain {
		n.change.Digest = digest(faces)
	}
	n.same = !certain && !n.otherwise()
	return n
}

// otherwise tells whether a token is not as it was known.
func (n noticed) otherwise() bool { return len(n.change.Put) > 0 || len(n.change.Drop) > 0 }

// first keeps the first list, but for what was written since.
func (n noticed) first(known Roster, faces map[string]Face) noticed {
	n.change.Digest = digest(faces)
	for native, face := range faces {
		if before, was := known.Faces[native]; was && before.since(face.At) {
			n.change.Digest = ""
			continue
		}
		n.change.Put[native] = face
	}
	return n
}

// since tells whether a token was seen, or written, after a list was asked for, as far as clocks agree.
func (f Face) since(asked time.Time) bool { return f.At.After(milli(asked).Add(-slack)) }

// over tells whether the token's date has come.
func (f Face) over(now time.Time) bool {
	return !f.ExpiresAt.IsZero() && !f.ExpiresAt.After(now.Add(slack))
}

// compare notices what became of one token that is there.
func (n *noticed) compare(list List, native string, before, face Face, was bool) {
	fields := face.differs(before)
	switch {
	case !was:
		n.tell(list, native, Created, before, face, nil)
	case len(fields) > 0:
		n.tell(list, native, Changed, before, face, fields)
	default:
		return
	}
	n.change.Put[native] = face
}

// tell adds an event. Whoever notices the same, of the same face that was known, gives it the same id.
func (n *noticed) tell(list List, native string, kind Kind, before, face Face, fields []providers.TokenField) {
	token := list.Registry.TokenID(native)
	raw := make([]byte, 0, 256)
	parts := []string{token.String(), string(kind), before.encode()}
	if kind == Created {
		parts = append(parts, face.CreatedAt.Format(time.RFC3339Nano))
	}
	for _, field := range fields {
		parts = append(parts, string(field))
	}
	for _, part := range parts {
		raw = binary.BigEndian.AppendUint64(raw, uint64(len(part)))
		raw = append(raw, part...)
	}
	n.events = append(n.events, Event{
		ID: eventlog.NewID(idKind, raw), Kind: kind, OccurredAt: milli(list.At), Changed: fields,
		Subject: eventlog.Subject{Token: token, Name: face.Name, RegistryName: list.RegistryName, CreatedBy: face.CreatedBy}.Tidy(),
	})
}
