package ledger

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"regtok/providers"
)

// recordVersion stands first in every record. The scripts know it, too: they leave alone what begins otherwise.
const recordVersion = 1

// record is what stands under a key, as JSON.
type record[T any] struct {
	Version int `json:"v"`
	// Mark makes each record unlike all others, so that whoever wrote it knows it again.
	Mark string `json:"mark"`
	Body T      `json:"body"`
}

func encode[T any](body T) (string, error) {
	text, err := json.Marshal(record[T]{Version: recordVersion, Mark: rand.Text(), Body: body})
	if err != nil {
		return "", errUnencodable
	}
	return string(text), nil
}

// decode reads what encode wrote, here or in another version of this server.
func decode[T interface{ whole() bool }](text string) (T, error) {
	var r record[T]
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.Version != recordVersion || !r.Body.whole() {
		return *new(T), errUnreadable
	}
	return r.Body, nil
}

// idText is a token's id in a record; empty: none.
type idText providers.ID

func (i idText) isZero() bool { return providers.ID(i).IsZero() }

// MarshalText implements encoding.TextMarshaler. It refuses what it could not read back.
func (i idText) MarshalText() ([]byte, error) {
	text := providers.ID(i).String()
	if text == "" && !i.isZero() {
		return nil, providers.ErrBadID
	}
	return []byte(text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *idText) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*i = idText{}
		return nil
	}
	id, err := providers.ParseID(string(text))
	*i = idText(id)
	return err
}

type callRecord struct {
	Fingerprint  string    `json:"fingerprint"`
	State        CallState `json:"state"`
	Began        time.Time `json:"began"`
	Token        idText    `json:"token"`
	Previous     idText    `json:"previous"`
	PreviousEnds time.Time `json:"previousEnds"`
	Unended      bool      `json:"unended"`
}

func recordOfCall(c Call) callRecord {
	return callRecord{c.Fingerprint, c.State, c.Began, idText(c.Token), idText(c.Previous), c.PreviousEnds, c.Unended}
}

func (r callRecord) whole() bool { return r.State == Running || r.State == Done || r.State == Lost }

func (r callRecord) call() Call {
	return Call{r.Fingerprint, r.State, r.Began, providers.ID(r.Token), providers.ID(r.Previous), r.PreviousEnds, r.Unended}
}

type rotationRecord struct {
	Old   idText    `json:"old"`
	New   idText    `json:"new"`
	Began time.Time `json:"began"`
	Ends  time.Time `json:"ends"`
}

func recordOfRotation(r Rotation) rotationRecord {
	return rotationRecord{idText(r.Old), idText(r.New), r.Began, r.Ends}
}

func (r rotationRecord) whole() bool { return !r.Old.isZero() }

func (r rotationRecord) rotation() Rotation {
	return Rotation{providers.ID(r.Old), providers.ID(r.New), r.Began, r.Ends}
}

// tokenRecord is the other token of a rotation.
type tokenRecord struct {
	Token idText `json:"token"`
}

func (r tokenRecord) whole() bool { return !r.Token.isZero() }
