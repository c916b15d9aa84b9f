package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"regtok/auth"
	"regtok/graph"
	"regtok/providers"
)

// call writes a field with whatever arguments it needs.
func call(field *ast.FieldDefinition) string {
	var given []string
	for _, argument := range field.Arguments {
		if argument.Type.NonNull && argument.DefaultValue == nil {
			given = append(given, argument.Name+": "+sample(argument.Type))
		}
	}
	if len(given) == 0 {
		return field.Name
	}
	return field.Name + "(" + strings.Join(given, ", ") + ")"
}

// sample is a value of a type that fields need.
func sample(typ *ast.Type) string {
	if typ.Elem != nil {
		return "[" + sample(typ.Elem) + "]"
	}
	switch definition := graph.Schema().Types[typ.Name()]; definition.Kind {
	case ast.Enum:
		return definition.EnumValues[0].Name
	case ast.InputObject:
		return "{" + strings.Join(sampleFields(definition), ", ") + "}"
	}
	samples := map[string]string{"ID": fmt.Sprintf("%q", ionosToken), "String": `"x"`, "Boolean": "true", "Duration": `"P1D"`, "DateTime": `"2999-01-01T00:00:00Z"`}
	value, ok := samples[typ.Name()]
	if !ok {
		panic("no sample of " + typ.String())
	}
	return value
}

// sampleFields are those fields of an input that have to be given; one, where exactly one has to be.
func sampleFields(input *ast.Definition) []string {
	var given []string
	one := input.Directives.ForName("oneOf") != nil
	for _, field := range input.Fields {
		if field.Type.NonNull && field.DefaultValue == nil || one && len(given) == 0 {
			given = append(given, field.Name+": "+sample(field.Type))
		}
	}
	return given
}

// expectForbidden expects that nothing is there, and an error for each part that is not.
func expectForbidden(t *testing.T, a answer) {
	t.Helper()
	expectForbids(t, a, auth.TokensRead)
}

func expectForbids(t *testing.T, a answer, permission auth.Permission) {
	t.Helper()
	if len(a.Errors) == 0 {
		t.Fatalf("nothing is refused: %s", a.Data)
	}
	for _, e := range a.Errors {
		want := map[string]any{"code": "FORBIDDEN", "permission": string(permission)}
		if diff := cmp.Diff(e["extensions"], any(want)); diff != "" {
			t.Errorf("extensions (-got +want):\n%s", diff)
		}
		if message, _ := e["message"].(string); !strings.Contains(message, string(permission)) {
			t.Errorf("the message is %q, want it to name the permission", message)
		}
	}
}

// TestNodesOfEveryKindButProvidersAreGuarded asks node and nodes, whose guard depends on what the id names.
func TestNodesOfEveryKindButProvidersAreGuarded(t *testing.T) {
	w := newWorld(t, plan{viewer: &auth.Viewer{Subject: "nobody"}})
	organization := providers.OrganizationID("ionos", "32740158")
	registry := organization.RegistryID("e8b4efb5-a0c2-4237-ad56-9f086587334f")
	guarded := []providers.ID{
		providers.AccountID("ionos", "demo"), providers.AccountID("ionos", "unknown"), organization, registry,
		registry.TokenID("735f6a2b-36f3-4dd1-8e37-623a5b88a5e7"), providers.UserID("ionos", "95c24ffd-96f9-4052-8654-c8c5294b2b0b"),
	}
	for _, id := range guarded {
		t.Run(string(id.Kind), func(t *testing.T) {
			a := w.ask(t, "query ($id: ID!) { node(id: $id) { id } }", map[string]any{"id": id.String()})
			expectForbidden(t, a)
		})
	}
	provider := providers.ProviderID("ionos").String()
	ids := []any{provider}
	for _, id := range guarded {
		ids = append(ids, id.String())
	}
	a := w.ask(t, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", map[string]any{"ids": ids})
	expectForbidden(t, a)
	if want := `{"nodes":[{"id":"` + provider + `"},null,null,null,null,null,null]}`; string(a.Data) != want {
		t.Errorf("nodes are %s, want %s", a.Data, want)
	}
	if len(a.Errors) != len(guarded) {
		t.Errorf("%d errors, want one for each of the %d", len(a.Errors), len(guarded))
	}
	if diff := cmp.Diff(w.requests(), map[string]int{"buildkite": 0, "ionos": 0}); diff != "" {
		t.Errorf("requests for a caller who may do nothing (-got +want):\n%s", diff)
	}
}

func TestTheViewerIsToldWhatTheyMayDo(t *testing.T) {
	w := newWorld(t, plan{viewer: &auth.Viewer{Subject: "nobody", Permissions: []auth.Permission{}}})
	a := w.ask(t, "{ viewer { subject permissions } server { version } providers { slug } }", nil)
	want := `{"viewer":{"subject":"nobody","permissions":[]},"server":{"version":"test"},"providers":[{"slug":"buildkite"},{"slug":"ionos"}]}`
	if string(a.Data) != want || len(a.Errors) > 0 {
		t.Errorf("got %s, %v, want %s", a.Data, a.Errors, want)
	}
}
