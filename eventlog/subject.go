package eventlog

import (
	"strings"
	"unicode/utf8"

	"regtok/providers"
)

// Subject is what a token was, for those who read of it when it is gone. It holds no secret and no rights.
type Subject struct {
	Token        providers.ID
	Name         string
	RegistryName string
	// CreatedBy is the creator's name; empty: not told.
	CreatedBy string
}

// mostName bounds each name of a subject, in bytes.
const mostName = 512

// Tidy cuts what is too long, and takes out what is no text.
func (s Subject) Tidy() Subject {
	s.Name, s.RegistryName, s.CreatedBy = Cut(s.Name), Cut(s.RegistryName), Cut(s.CreatedBy)
	return s
}

// Cut makes a name one that can be written down: a text, and not too long.
func Cut(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) > mostName {
		name = strings.ToValidUTF8(name[:mostName], "")
	}
	return name
}

// Whole tells whether a subject is a token's, and is written down as it is.
func (s Subject) Whole() bool {
	return OfToken(s.Token) && utf8.ValidString(s.Name+s.RegistryName+s.CreatedBy) && s == s.Tidy()
}

// Size is about how many bytes of memory it takes beside its own fields.
func (s Subject) Size() int {
	id := s.Token
	return len(s.Name) + len(s.RegistryName) + len(s.CreatedBy) + len(id.Provider) + len(id.Organization) + len(id.Registry) + len(id.Native)
}

// OfToken tells whether an id is a token's that can be written down.
func OfToken(id providers.ID) bool { return id.Kind == providers.TokenKind && id.String() != "" }

// SubjectRecord is how a subject is written down.
type SubjectRecord struct {
	Token     string `json:"t"`
	Name      string `json:"n,omitempty"`
	Registry  string `json:"r,omitempty"`
	CreatedBy string `json:"c,omitempty"`
}

// RecordOfSubject writes a subject down.
func RecordOfSubject(s Subject) SubjectRecord {
	return SubjectRecord{s.Token.String(), s.Name, s.RegistryName, s.CreatedBy}
}

// Subject reads it.
func (r SubjectRecord) Subject() (Subject, error) {
	id, err := providers.ParseID(r.Token)
	return Subject{id, r.Name, r.Registry, r.CreatedBy}, err
}
