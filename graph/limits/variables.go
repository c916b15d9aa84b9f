package limits

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

// checkVariables enforces what gqlparser leaves out for values inside variables: exactly one key of a @oneOf input and
// that one not null, enum values spelled exactly, the right kinds of JSON for the built-in scalars, and what the API's own scalars want. It comes after the validator, so
// the values have the shapes that their types ask for.
func (l Limits) checkVariables(schema *ast.Schema, definitions ast.VariableDefinitionList, values map[string]any) *gqlerror.Error {
	c := variables{limits: l, schema: schema, path: ast.Path{ast.PathName("variable")}}
	for _, definition := range definitions {
		if err := c.at(ast.PathName(definition.Variable), definition.Type, values[definition.Variable]); err != nil {
			return err
		}
	}
	return nil
}

type variables struct {
	limits Limits
	schema *ast.Schema
	path   ast.Path
}

// at checks a value that lies one step further down.
func (c *variables) at(step ast.PathElement, typ *ast.Type, value any) *gqlerror.Error {
	c.path = append(c.path, step)
	err := c.check(typ, value)
	c.path = c.path[:len(c.path)-1]
	return err
}

func (c *variables) check(typ *ast.Type, value any) *gqlerror.Error {
	if value == nil {
		return nil
	}
	if typ.Elem != nil {
		return c.checkItems(typ.Elem, value)
	}
	definition := c.schema.Types[typ.NamedType]
	switch {
	case definition == nil:
		return nil
	case definition.Kind == ast.Enum:
		if name := fmt.Sprint(value); definition.EnumValues.ForName(name) == nil {
			return c.refuse("%q is not a value of %s", shorten(name, longestName), definition.Name)
		}
	case definition.Kind == ast.Scalar:
		if !fits(definition.Name, value) {
			return c.refuse("this is no %s", definition.Name)
		}
		if wrong := c.limits.wrongWith(definition, value); wrong != "" {
			return c.refuse("%s", wrong)
		}
	case definition.Kind == ast.InputObject:
		return c.checkObject(definition, value)
	}
	return nil
}

// checkItems also meets the lists that the validator made of single values, whose Go types are precise: []map[string]any.
func (c *variables) checkItems(typ *ast.Type, value any) *gqlerror.Error {
	items := reflect.ValueOf(value)
	if items.Kind() != reflect.Slice {
		return c.check(typ, value)
	}
	for i := range items.Len() {
		if err := c.at(ast.PathIndex(i), typ, items.Index(i).Interface()); err != nil {
			return err
		}
	}
	return nil
}

func (c *variables) checkObject(definition *ast.Definition, value any) *gqlerror.Error {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	if definition.Directives.ForName("oneOf") != nil {
		if err := c.checkOneOf(definition, object); err != nil {
			return err
		}
	}
	for _, field := range definition.Fields {
		if err := c.at(ast.PathName(field.Name), field.Type, object[field.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (c *variables) checkOneOf(definition *ast.Definition, object map[string]any) *gqlerror.Error {
	given, null := 0, false
	for _, field := range definition.Fields {
		if value, ok := object[field.Name]; ok {
			given++
			null = value == nil
		}
	}
	switch {
	case given != 1:
		return c.refuse("%s takes exactly one of its fields, and got %d", definition.Name, given)
	case null:
		return c.refuse("%s takes exactly one of its fields, and that one may not be null", definition.Name)
	}
	return nil
}

func (c *variables) refuse(format string, args ...any) *gqlerror.Error {
	return coded(gqlerror.ErrorPathf(slices.Clone(c.path), format, args...), codes.Invalid)
}

// fits tells whether a value is one of a built-in scalar. The validator takes a number for a text and a text for a number,
// because a json.Number is both in Go.
func fits(scalar string, value any) bool {
	_, text := value.(string)
	switch scalar {
	case "Int":
		return isInteger(value, 32)
	case "Float":
		return !text
	case "String":
		return text
	case "ID":
		return text || isInteger(value, 64)
	default:
		return true
	}
}

// isInteger is about what came as JSON, and about defaults from the document, which are int64.
func isInteger(value any, bits int) bool {
	switch value.(type) {
	case json.Number, int64:
		_, err := strconv.ParseInt(fmt.Sprint(value), 10, bits)
		return err == nil
	default:
		return false
	}
}
