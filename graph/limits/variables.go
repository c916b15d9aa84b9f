package limits

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// checkVariables enforces what gqlparser leaves out for values inside variables: exactly one key of a @oneOf input and
// that one not null, enum values spelled exactly, integers that are numbers of 32 bits. It comes after the validator, so
// the values have the shapes that their types ask for.
func checkVariables(schema *ast.Schema, definitions ast.VariableDefinitionList, values map[string]any) *gqlerror.Error {
	c := variables{schema: schema, path: ast.Path{ast.PathName("variable")}}
	for _, definition := range definitions {
		if err := c.at(ast.PathName(definition.Variable), definition.Type, values[definition.Variable]); err != nil {
			return err
		}
	}
	return nil
}

type variables struct {
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
	case definition.Kind == ast.Scalar && definition.Name == "Int":
		if !isInt32(value) {
			return c.refuse("this is no integer of 32 bits")
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
	return coded(gqlerror.ErrorPathf(slices.Clone(c.path), format, args...), invalid)
}

func isInt32(value any) bool {
	switch v := value.(type) {
	case json.Number:
		return fits(v.String())
	case int64:
		return int64(int32(v)) == v
	case int:
		return int(int32(v)) == v
	case float64:
		return float64(int32(v)) == v
	default:
		return false
	}
}

func fits(number string) bool {
	_, err := strconv.ParseInt(number, 10, 32)
	return err == nil
}
