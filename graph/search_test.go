package graph_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestNobodyLooksForMoreThanANameHas: a megabyte that is compared with each of 10,000 tokens takes half a minute.
func TestNobodyLooksForMoreThanANameHas(t *testing.T) {
	s := newStage(t, plan{})
	for name, query := range map[string]string{
		"organizations":               `query ($search: String) { organizations(filter: { search: $search }) { totalCount } }`,
		"registries":                  `query ($search: String) { registries(filter: { search: $search }) { totalCount } }`,
		"tokens":                      `query ($search: String) { tokens(filter: { search: $search }) { totalCount } }`,
		"tokens of registries":        `query ($search: String) { registries(first: 1) { nodes { tokens(filter: { search: $search }) { totalCount } } } }`,
		"registries of organizations": `query ($search: String) { organizations(first: 1) { nodes { registries(filter: { search: $search }) { totalCount } } } }`,
		"tokens of organizations":     `query ($search: String) { organizations(first: 1) { nodes { tokens(filter: { search: $search }) { totalCount } } } }`,
		"tokens of people":            `query ($search: String) { organizations(first: 1) { nodes { members(first: 1) { nodes { tokens(filter: { search: $search }) { totalCount } } } } } }`,
		"events of ends":              `query ($search: String) { tokenExpiryEvents(filter: { search: $search }) { nodes { id } } }`,
		"the trail":                   `query ($search: String) { tokenActivityEvents(filter: { search: $search }) { nodes { id } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			if a := s.ask(t, query, object{"search": strings.Repeat("é", 255)}); len(a.Errors) > 0 {
				t.Errorf("255 characters are answered %v", a.Errors)
			}
			text, err := json.Marshal(s.ask(t, query, object{"search": strings.Repeat("é", 256)}))
			if err != nil {
				t.Fatal(err)
			}
			expectRefused(t, string(text), "INVALID", "filter.search")
		})
	}
	t.Run("a subscription", func(t *testing.T) {
		data, _ := s.follow(t, justNames, object{"filter": object{"search": strings.Repeat("a", 256)}}, "").next()
		expectRefused(t, data, "INVALID", "filter.search")
	})
}
