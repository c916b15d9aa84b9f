package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// kept is what tells a token from another, however it is written: as this server tells it, or as its provider does.
type kept struct {
	Name    string
	Enabled bool
	Ends    string // RFC 3339 in UTC; "": never
	Scopes  string
}

// scopeSeen is a scope as both write it.
type scopeSeen struct {
	Type, Name string
	Actions    []string
	Implicit   bool
}

// inWords is the same for the same scopes in any order.
func inWords(scopes []scopeSeen) string {
	var words []string
	for _, s := range scopes {
		if !s.Implicit {
			slices.Sort(s.Actions)
			words = append(words, fmt.Sprintf("%s %s %s", s.Type, s.Name, s.Actions))
		}
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func inUTC(date *string) string {
	if date == nil {
		return ""
	}
	at, err := time.Parse(time.RFC3339, *date)
	if err != nil {
		return "no date: " + *date
	}
	return at.UTC().Format(time.RFC3339)
}

// wireToken is a token as either provider writes it.
type wireToken struct {
	ID          string  `json:"id"`
	Description *string `json:"description"` // Buildkite's
	Properties  *struct {
		Name       string      `json:"name"`
		Status     string      `json:"status"`
		ExpiryDate *string     `json:"expiryDate"`
		Scopes     []scopeSeen `json:"scopes"`
	} `json:"properties"` // IONOS's
}

func (w wireToken) kept() kept {
	if w.Properties == nil {
		return kept{Name: *w.Description, Enabled: true}
	}
	p := w.Properties
	return kept{p.Name, p.Status == "enabled", inUTC(p.ExpiryDate), inWords(p.Scopes)}
}

// wireTokens reads a list of tokens: bare at Buildkite, wrapped at IONOS.
func wireTokens(t testing.TB, text []byte) []wireToken {
	t.Helper()
	var wrapped struct {
		Items []wireToken `json:"items"`
	}
	into := any(&wrapped)
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		into = &wrapped.Items
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("the emulator's list is %v: %s", err, text)
	}
	return wrapped.Items
}

// changes says what became of the tokens before: "+new -gone ~name: what changed".
func changes(before, after map[string]kept) string {
	words := []string{}
	for id, was := range before {
		is, there := after[id]
		switch {
		case !there:
			words = append(words, "-"+was.Name)
		case is != was:
			words = append(words, "~"+was.Name+":"+fieldsChanged(was, is))
		}
	}
	for id, is := range after {
		if _, there := before[id]; !there {
			words = append(words, "+"+is.Name)
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func fieldsChanged(was, is kept) string {
	var fields []string
	for name, changed := range map[string]bool{
		"name": was.Name != is.Name, "enabled": was.Enabled != is.Enabled, "ends": was.Ends != is.Ends, "scopes": was.Scopes != is.Scopes,
	} {
		if changed {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return strings.Join(fields, ",")
}
