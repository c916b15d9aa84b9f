package graph_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"regtok/graph"
)

// TestEverythingInTheSchemaIsDescribed walks all of the schema but what GraphQL itself brings.
func TestEverythingInTheSchemaIsDescribed(t *testing.T) {
	schema := graph.Schema()
	d := described{t: t}
	for name, definition := range schema.Types {
		if definition.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		d.check(name, definition.Description)
		for _, field := range definition.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			d.check(name+"."+field.Name, field.Description)
			d.arguments(name+"."+field.Name, field.Arguments)
		}
		for _, value := range definition.EnumValues {
			d.check(name+"."+value.Name, value.Description)
		}
	}
	for name, directive := range schema.Directives {
		if directive.Position != nil && directive.Position.Src.BuiltIn {
			continue
		}
		d.check("@"+name, directive.Description)
		d.arguments("@"+name, directive.Arguments)
	}
	if d.count < 300 {
		t.Errorf("%d things were looked at, want the whole schema", d.count)
	}
}

type described struct {
	t     *testing.T
	count int
}

// check expects a sentence.
func (d *described) check(what, description string) {
	d.count++
	if !strings.HasSuffix(description, ".") || strings.TrimSpace(description) != description {
		d.t.Errorf("%s is described with %q, want a sentence", what, description)
	}
}

func (d *described) arguments(of string, arguments ast.ArgumentDefinitionList) {
	for _, argument := range arguments {
		d.check(of+"("+argument.Name+")", argument.Description)
	}
}

func TestTheSDLIsTheFile(t *testing.T) {
	if sdl := graph.SDL(); !strings.Contains(sdl, "type Query {") || !strings.Contains(sdl, `"Opaque and global.`) {
		t.Errorf("the SDL is %q…, want schema.graphqls with its descriptions", sdl[:min(80, len(sdl))])
	}
}
