package graph_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"regtok/auth"
	"regtok/graph"
	"regtok/graph/internal/exec"
	"regtok/providers"
)

// byKind are the fields whose guard depends on what an id names: nodesOf says what each may lead to.
var byKind = []string{"Query.node", "Query.nodes"}

// nodeKinds are what node needs for each type of thing; "": nothing. Whoever adds a type has to mean it.
var nodeKinds = map[string]auth.Permission{
	"Provider": "", "Account": auth.TokensRead, "Organization": auth.TokensRead, "Registry": auth.TokensRead,
	"Token": auth.TokensRead, "User": auth.TokensRead, "TokenExpiryEvent": auth.EventsRead,
	"TokenActivityEvent": auth.ActivityRead,
}

// guards are the permissions of the schema's fields, by "Type.field", for all fields that have a resolver: no other can ask
// anybody for anything.
func guards(t *testing.T) map[string]auth.Permission {
	t.Helper()
	found := map[string]auth.Permission{}
	root := reflect.TypeFor[exec.ResolverRoot]()
	for i := range root.NumMethod() {
		typ := root.Method(i)
		resolver := typ.Type.Out(0)
		for j := range resolver.NumMethod() {
			definition := graph.Schema().Types[typ.Name]
			at := slices.IndexFunc(definition.Fields, func(f *ast.FieldDefinition) bool { return strings.EqualFold(f.Name, resolver.Method(j).Name) })
			if at < 0 {
				t.Fatalf("%s has no field for the resolver %s", typ.Name, resolver.Method(j).Name)
			}
			found[typ.Name+"."+definition.Fields[at].Name] = permissionOf(definition.Fields[at])
		}
	}
	return found
}

func permissionOf(f *ast.FieldDefinition) auth.Permission {
	if directive := f.Directives.ForName("requires"); directive != nil {
		return auth.Permission(directive.Arguments.ForName("permission").Value.Raw)
	}
	return ""
}

func TestTheSchemaGuardsEveryFieldThatMayReachAProvider(t *testing.T) {
	open := []string{"Query.viewer", "Query.server", "Query.providers"}
	all := guards(t)
	for name, permission := range all {
		if mayBe := slices.Contains(open, name) || slices.Contains(byKind, name); (permission == "") != mayBe {
			t.Errorf("%s requires %q", name, permission)
		}
	}
	if len(all) < 30 {
		t.Errorf("%d fields have resolvers: %v, want all", len(all), slices.Sorted(maps.Keys(all)))
	}
	for _, typ := range graph.Schema().GetPossibleTypes(graph.Schema().Types["Node"]) {
		if _, known := nodeKinds[typ.Name]; !known {
			t.Errorf("nobody has said what node needs for a %s", typ.Name)
		}
	}
}

// reachable are the types of objects that a caller gets to see who holds some permissions.
func reachable(held []auth.Permission) map[string]bool {
	schema := graph.Schema()
	types := map[string]bool{}
	var visit func(typ *ast.Definition)
	visit = func(typ *ast.Definition) {
		if types[typ.Name] {
			return
		}
		types[typ.Name] = true
		for _, possible := range schema.GetPossibleTypes(typ) {
			visit(possible)
		}
		for _, f := range typ.Fields {
			needs := permissionOf(f)
			switch {
			case needs != "" && !slices.Contains(held, needs):
			case slices.Contains(byKind, typ.Name+"."+f.Name):
				for name, needs := range nodeKinds {
					if needs == "" || slices.Contains(held, needs) {
						visit(schema.Types[name])
					}
				}
			default:
				visit(schema.Types[f.Type.Name()])
			}
		}
	}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		visit(root)
	}
	return types
}

// waysIn ask for something of a type, for callers who may not read tokens.
var waysIn = map[string]string{
	"Query":              `{ %s }`,
	"Mutation":           `mutation { %s }`,
	"Token":              `mutation { patchToken(input: {token: {id: "` + ionosToken + `"}, enabled: true}) { token { %s } } }`,
	"DeleteTokenPayload": `mutation { deleteToken(input: {token: {id: "` + ionosToken + `"}, allowMissing: true}) { %s } }`,
	"TokenExpiryEvent":   `{ tokenExpiryEvents { nodes { %s } } }`,
	"TokenActivityEvent": `{ tokenActivityEvents { nodes { %s } } }`,
}

// TestWhoLacksAPermissionAsksNobody asks every field that may reach a provider for callers who hold all permissions but the one
// that it requires, and for callers who hold none. What leads to it is asked alone, too: with the field it costs no request more.
func TestWhoLacksAPermissionAsksNobody(t *testing.T) {
	all := auth.Local().Permissions
	asked := 0
	for name, permission := range guards(t) {
		if permission == "" {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(all), func(p auth.Permission) bool { return p == permission })
		for _, held := range [][]auth.Permission{others, nil} {
			typ, field, _ := strings.Cut(name, ".")
			if !reachable(held)[typ] {
				continue
			}
			t.Run(fmt.Sprint(name, held), func(t *testing.T) {
				asked++
				s := newStage(t, plan{viewer: &auth.Viewer{Subject: "other", Permissions: held}})
				s.tell(t, event(ionosToken, 0))
				s.did(t, deed(ionosToken, 0))
				selection := chosen(graph.Schema().Types[typ].Fields.ForName(field))
				if typ == "Subscription" {
					data, _ := s.follow(t, "subscription { "+selection+" }", nil, "").next()
					if !strings.Contains(data, `"code":"FORBIDDEN","permission":"`+string(permission)+`"`) {
						t.Errorf("it hears %s, want FORBIDDEN", data)
					}
					expectUnasked(t, s.world, nil)
					return
				}
				way, known := waysIn[typ]
				if !known {
					t.Fatalf("a caller with %v gets to see a %s, and nobody has said how", held, typ)
				}
				alone := map[string]int{}
				if typ != "Query" && typ != "Mutation" {
					expectFine(t, s.ask(t, fmt.Sprintf(way, "__typename"), nil)) // names are learnt
					s.requests()
					expectFine(t, s.ask(t, fmt.Sprintf(way, "__typename"), nil))
					alone = s.requests()
				}
				expectForbids(t, s.ask(t, fmt.Sprintf(way, selection), nil), permission)
				expectUnasked(t, s.world, alone)
			})
		}
	}
	if asked < 30 {
		t.Errorf("only %d were asked", asked)
	}
}

func expectFine(t *testing.T, a answer) {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("the way in fails: %v", a.Errors)
	}
}

// expectUnasked wants no more requests than those.
func expectUnasked(t *testing.T, w *world, but map[string]int) {
	t.Helper()
	for provider, n := range w.requests() {
		if n != but[provider] {
			t.Errorf("%s got %d requests, want %d", provider, n, but[provider])
		}
	}
}

// chosen writes a field with whatever it needs.
func chosen(f *ast.FieldDefinition) string {
	text := call(f)
	if graph.Schema().Types[f.Type.Name()].IsCompositeType() {
		text += " { __typename }"
	}
	return text
}

// TestNodesAreGuardedByWhatTheyAre asks node for one of every type that it can find.
func TestNodesAreGuardedByWhatTheyAre(t *testing.T) {
	token, err := providers.ParseID(ionosToken)
	if err != nil {
		t.Fatal(err)
	}
	e, d := event(ionosToken, 0), deed(ionosToken, 0)
	ids := map[string]string{
		"Provider": providers.ProviderID("ionos").String(), "Account": providers.AccountID("ionos", "demo").String(),
		"Organization": token.OfOrganization().String(), "Registry": token.OfRegistry().String(), "Token": ionosToken,
		"User": providers.UserID("ionos", "95c24ffd-96f9-4052-8654-c8c5294b2b0b").String(), "TokenExpiryEvent": e.ID,
		"TokenActivityEvent": d.ID,
	}
	for typ, permission := range nodeKinds {
		t.Run(typ, func(t *testing.T) {
			others := slices.DeleteFunc(slices.Clone(auth.Local().Permissions), func(p auth.Permission) bool { return p == permission })
			s := newStage(t, plan{viewer: &auth.Viewer{Subject: "other", Permissions: others}})
			s.tell(t, e)
			s.did(t, d)
			for _, query := range []string{`{ node(id: %q) { __typename } }`, `{ nodes(ids: [%q]) { __typename } }`} {
				a := s.ask(t, fmt.Sprintf(query, ids[typ]), nil)
				if permission == "" {
					expectFine(t, a)
					continue
				}
				expectForbids(t, a, permission)
			}
			expectUnasked(t, s.world, nil)
		})
	}
}
