package graph_test

import (
	"encoding/json"
	"strings"
	"testing"

	"regtok/auth"
)

func TestWhatASubscriberMayNotAsk(t *testing.T) {
	s := newStage(t, plan{})
	tests := []struct {
		name      string
		variables object
		code      string
		argument  string
	}{
		{"a damaged cursor", object{"after": "no cursor"}, "INVALID", "after"},
		{"a provider that does not exist", object{"filter": object{"providers": []string{"quay"}}}, "INVALID", "filter.providers[0]"},
		{"a registry that is none", object{"filter": object{"registryIds": []string{ionosToken}}}, "NOT_FOUND", "filter.registryIds[0]"},
		{"a threshold that is none", object{"thresholds": []string{"P7D", "P2D"}}, "INVALID", "thresholds[1]"},
		{"states", object{"filter": object{"states": []string{"EXPIRING"}}}, "INVALID", "filter.states"},
		{"creators", object{"filter": object{"createdByIds": []string{}}}, "INVALID", "filter.createdByIds"},
		{"when it was created", object{"filter": object{"created": object{}}}, "INVALID", "filter.created"},
		{"what is never due", object{"filter": object{"neverDue": false}}, "INVALID", "filter.neverDue"},
		{"scopes", object{"filter": object{"scope": object{}}}, "INVALID", "filter.scope"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data, _ := s.follow(t, justNames, test.variables, "").next()
			expectRefused(t, data, test.code, test.argument)
			if test.variables["thresholds"] == nil {
				a := s.ask(t, `query ($filter: TokenFilter, $after: EventCursor) { tokenExpiryEvents(filter: $filter, after: $after) { nodes { id } } }`, test.variables)
				text, _ := json.Marshal(a)
				expectRefused(t, string(text), test.code, test.argument)
			}
		})
	}
	t.Run("a browser that comes back with a damaged cursor", func(t *testing.T) {
		data, _ := s.follow(t, justNames, object{}, "no cursor").next()
		expectRefused(t, data, "INVALID", "after")
	})
	t.Run("a page of no size", func(t *testing.T) {
		a := s.ask(t, `{ tokenExpiryEvents(first: 0) { nodes { id } } }`, nil)
		text, _ := json.Marshal(a)
		expectRefused(t, string(text), "INVALID", "first")
	})
	t.Run("anything, where no events are told", func(t *testing.T) {
		w := newWorld(t, plan{streams: s.streams})
		silent := &stage{world: w}
		data, _ := silent.follow(t, justNames, object{}, "").next()
		expectRefused(t, data, "UNSUPPORTED", "")
		text, _ := json.Marshal(w.ask(t, `{ tokenExpiryEvents { nodes { id } } }`, nil))
		expectRefused(t, string(text), "UNSUPPORTED", "")
	})
	t.Run("anything, without the permission", func(t *testing.T) {
		s := newStage(t, plan{viewer: &auth.Viewer{Subject: "reader", Permissions: []auth.Permission{auth.TokensRead}}})
		data, _ := s.follow(t, justNames, object{}, "").next()
		expectRefused(t, data, "FORBIDDEN", "")
	})
}

func expectRefused(t *testing.T, text, code, argument string) {
	t.Helper()
	var a struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code, Argument string }
		}
	}
	if err := json.Unmarshal([]byte(strings.TrimSuffix(text, "}")+"}"), &a); err != nil || len(a.Errors) != 1 {
		t.Fatalf("%v: it hears %s, want one error", err, text)
	}
	if e := a.Errors[0].Extensions; e.Code != code || e.Argument != argument || a.Errors[0].Message == "" {
		t.Errorf("it hears %s, want %s of %q", text, code, argument)
	}
}
