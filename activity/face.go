package activity

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"regtok/eventlog"
	"regtok/providers"
)

// Face is what a token was like, as far as it takes to notice that it is otherwise, and to tell of it when it is gone. It holds
// no secret, and of rights a sum alone.
type Face struct {
	// At is when the list was asked for that shows the token so, or when it was written. Lists that were asked for before
	// say nothing against it.
	At time.Time
	// Gone: it was deleted then, and the rest is empty.
	Gone      bool
	Name      string
	CreatedBy string
	Disabled  bool
	ExpiresAt time.Time // zero: never
	Scopes    string    // a sum
	CreatedAt time.Time
}

// faceOf is what a token is like.
func faceOf(t *providers.Token, at time.Time) Face {
	f := Face{At: milli(at), Name: eventlog.Cut(t.Name), Disabled: !t.Enabled, ExpiresAt: milli(t.ExpiresAt), Scopes: sumOf(t.Scopes), CreatedAt: milli(t.CreatedAt)}
	if t.CreatedBy != nil {
		f.CreatedBy = eventlog.Cut(t.CreatedBy.Name)
	}
	return f
}

// milli is a time as it can be written down; what is out of reach is none.
func milli(t time.Time) time.Time {
	m := eventlog.MomentOf(t)
	if !m.InReach() {
		return time.Time{}
	}
	return m.Time()
}

// sumOf is the same for the same scopes, which adapters sort.
func sumOf(scopes []providers.Scope) string {
	if len(scopes) == 0 {
		return ""
	}
	text, err := json.Marshal(scopes)
	if err != nil {
		panic("scopes do not encode: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// differs are the properties that another face shows otherwise.
func (f Face) differs(o Face) []providers.TokenField {
	var fields []providers.TokenField
	for _, property := range []struct {
		field providers.TokenField
		other bool
	}{
		{providers.FieldName, f.Name != o.Name}, {providers.FieldExpiry, !f.ExpiresAt.Equal(o.ExpiresAt)},
		{providers.FieldScopes, f.Scopes != o.Scopes}, {providers.FieldEnabled, f.Disabled != o.Disabled},
	} {
		if property.other {
			fields = append(fields, property.field)
		}
	}
	return fields
}

// with is the face with some properties of another: those that were set. What else the other shows, somebody else has
// changed, and it is left to be noticed.
func (f Face) with(o Face, set []providers.TokenField) Face {
	for _, field := range set {
		switch field {
		case providers.FieldName:
			f.Name = o.Name
		case providers.FieldExpiry:
			f.ExpiresAt = o.ExpiresAt
		case providers.FieldScopes:
			f.Scopes = o.Scopes
		case providers.FieldEnabled:
			f.Disabled = o.Disabled
		}
	}
	f.At, f.CreatedBy, f.CreatedAt = o.At, o.CreatedBy, o.CreatedAt
	return f
}

const (
	faceVersion = 1
	mostFace    = 8 << 10 // bytes
)

type faceRecord struct {
	Version   int             `json:"v"`
	At        eventlog.Moment `json:"a"`
	Gone      bool            `json:"g,omitempty"`
	Name      string          `json:"n,omitempty"`
	CreatedBy string          `json:"c,omitempty"`
	Disabled  bool            `json:"d,omitempty"`
	ExpiresAt eventlog.Moment `json:"e,omitempty"`
	Scopes    string          `json:"s,omitempty"`
	CreatedAt eventlog.Moment `json:"b,omitempty"`
}

func (f Face) encode() string {
	text, _ := json.Marshal(faceRecord{ // it cannot fail
		faceVersion, eventlog.MomentOf(f.At), f.Gone, f.Name, f.CreatedBy, f.Disabled, eventlog.MomentOf(f.ExpiresAt), f.Scopes, eventlog.MomentOf(f.CreatedAt),
	})
	return string(text)
}

func decodeFace(text string) (Face, error) {
	r, err := eventlog.Strictly[faceRecord]([]byte(text), mostFace)
	if err != nil {
		return Face{}, err
	}
	f := Face{r.At.Time(), r.Gone, r.Name, r.CreatedBy, r.Disabled, r.ExpiresAt.Time(), r.Scopes, r.CreatedAt.Time()}
	if r.Version != faceVersion || !r.At.InReach() || !r.ExpiresAt.InReach() || !r.CreatedAt.InReach() || f.Name != eventlog.Cut(f.Name) || f.CreatedBy != eventlog.Cut(f.CreatedBy) {
		return Face{}, eventlog.ErrUnreadable
	}
	return f, nil
}
