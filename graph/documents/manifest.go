package documents

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Bounds of a manifest.
const (
	// MaxManifest is the longest manifest, in bytes.
	MaxManifest  = 16 << 20
	maxDocuments = 10_000
	longestID    = 200 // bytes
	maxTold      = 10  // problems
)

// Manifest is a set of documents with ids. It is not changed once it is read, so it may be shared. The zero Manifest is empty.
type Manifest struct {
	ids     map[string]string // texts by ids
	hashes  map[string]string // texts by the SHA-256 of the texts
	longest int               // text, in bytes
}

// Read reads a manifest: an object of texts by ids, as Relay's compiler and graphql-codegen's client preset write it, or
// Apollo's format. foresee tells the names of a document's operations, and what is wrong with it: then there is an error that
// names the document. Everything that is wrong is told at once, up to ten things.
func Read(text []byte, foresee func(text string) (names []string, errs gqlerror.List)) (*Manifest, error) {
	texts, err := textsIn(text)
	if err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, errors.New("it holds no document")
	}
	if len(texts) > maxDocuments {
		return nil, fmt.Errorf("it holds %d documents, more than %d", len(texts), maxDocuments)
	}
	m := &Manifest{ids: texts, hashes: make(map[string]string, len(texts))}
	var problems []string
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		problems = append(problems, m.enter(id, texts[id], foresee)...)
	}
	problems = append(problems, m.mistaken()...)
	if more := len(problems) - maxTold; more > 0 {
		problems = append(problems[:maxTold], fmt.Sprintf("and %d more", more))
	}
	if len(problems) > 0 {
		return nil, errors.New(strings.Join(problems, "\n  "))
	}
	return m, nil
}

// enter takes a document, and tells what is wrong with it.
func (m *Manifest) enter(id, text string, foresee func(string) ([]string, gqlerror.List)) (problems []string) {
	if id == "" || len(id) > longestID {
		return []string{fmt.Sprintf("the id %.50q: ids have 1 to %d bytes", id, longestID)}
	}
	m.hashes[sum(text)] = text
	m.longest = max(m.longest, len(text))
	names, errs := foresee(text)
	for _, err := range errs {
		problems = append(problems, fmt.Sprintf("document %q%s: %s", id, named(names), err.Message))
	}
	return problems
}

func named(names []string) string {
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// mistaken finds ids that are the hash of another document: who sends that hash would get the wrong one of the two.
func (m *Manifest) mistaken() (problems []string) {
	for _, id := range slices.Sorted(maps.Keys(m.ids)) {
		hash := strings.TrimPrefix(id, sha256Prefix)
		if text, ok := m.hashes[hash]; ok && text != m.ids[id] {
			problems = append(problems, fmt.Sprintf("document %q: its id is the hash of another document", id))
		}
	}
	return problems
}

// textsIn finds the documents in either form.
func textsIn(text []byte) (map[string]string, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8 text")
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &members); err != nil {
		return nil, notJSON(err)
	}
	if operations := members["operations"]; operations.Kind() == '[' {
		return operationsIn(operations)
	}
	texts := make(map[string]string, len(members))
	for id, member := range members {
		var document string
		if json.Unmarshal(member, &document) != nil || member.Kind() != '"' {
			return nil, fmt.Errorf("document %.50q is no text", id)
		}
		texts[id] = document
	}
	return texts, nil
}

// operationsIn are the documents of Apollo's format.
func operationsIn(list jsontext.Value) (map[string]string, error) {
	var operations []struct {
		ID   string `json:"id"`
		Body string `json:"body"`
	}
	if err := json.Unmarshal(list, &operations); err != nil {
		return nil, errors.New("operations is no list of objects with the texts id and body")
	}
	texts := make(map[string]string, len(operations))
	for _, operation := range operations {
		if _, twice := texts[operation.ID]; twice {
			return nil, fmt.Errorf("document %.50q stands there twice", operation.ID)
		}
		texts[operation.ID] = operation.Body
	}
	return texts, nil
}

func notJSON(err error) error {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return errors.New("it is no JSON object of documents by their ids")
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return fmt.Errorf("document %.50q stands there twice", syntax.JSONPointer.LastToken())
	}
	return fmt.Errorf("it is not JSON, from byte %d on", syntax.ByteOffset)
}

// Len is the number of documents. A nil Manifest has none.
func (m *Manifest) Len() int {
	if m == nil {
		return 0
	}
	return len(m.ids)
}

// byID finds a document by its id, or by its hash with a prefix.
func (m *Manifest) byID(id string) (string, bool) {
	if text, ok := m.ids[id]; ok {
		return text, true
	}
	text, ok := m.hashes[hashIn(id)]
	return text, ok
}

// byHash finds a document by what a client calls its hash: programs that make manifests take other hashes, too, and clients
// send these as they are.
func (m *Manifest) byHash(hash string) (string, bool) {
	for _, id := range []string{hash, sha256Prefix + hash} {
		if text, ok := m.ids[id]; ok {
			return text, true
		}
	}
	text, ok := m.hashes[hash]
	return text, ok
}

// holds tells whether a document is one of these, letter for letter.
func (m *Manifest) holds(text string) bool {
	if len(text) > m.longest {
		return false
	}
	_, ok := m.hashes[sum(text)]
	return ok
}
