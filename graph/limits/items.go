package limits

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// items returns how many objects a field lists at most, if it is one that takes that from an argument: the length of a
// page (`first`), or that of a list of ids. What the argument's value cannot be, the validator or the resolver refuses.
func (w *walk) items(definition *ast.FieldDefinition, field *ast.Field) (int, bool) {
	if first := definition.Arguments.ForName("first"); first != nil {
		return w.number(w.argument(field, first)), true
	}
	if definition.Type.Elem == nil {
		return 0, false
	}
	for _, argument := range definition.Arguments {
		if argument.Type.Elem != nil {
			return w.length(w.argument(field, argument)), true
		}
	}
	return 0, false
}

// argument returns a literal, a variable's value, or a default: whichever will be used. Nil: none.
func (w *walk) argument(field *ast.Field, definition *ast.ArgumentDefinition) any {
	given := field.Arguments.ForName(definition.Name)
	if given == nil {
		return orNil(definition.DefaultValue)
	}
	if given.Value == nil || given.Value.Kind != ast.Variable {
		return orNil(given.Value)
	}
	if value, ok := w.variables[given.Value.Raw]; ok {
		return value
	}
	if v := w.operation.VariableDefinitions.ForName(given.Value.Raw); v != nil && v.DefaultValue != nil {
		return v.DefaultValue
	}
	return orNil(definition.DefaultValue)
}

func orNil(v *ast.Value) any {
	if v == nil {
		return nil
	}
	return v
}

func (w *walk) number(value any) int {
	switch v := value.(type) {
	case *ast.Value:
		return number(v.Raw)
	case json.Number:
		return number(v.String())
	case string:
		return number(v)
	case float64:
		return clamp(v)
	case int:
		return clamp(float64(v))
	case int64:
		return clamp(float64(v))
	default:
		return 1
	}
}

func number(text string) int {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 1
	}
	return clamp(n)
}

func clamp(n float64) int {
	if !(n > 0) { // not a number, too
		return 0
	}
	return int(min(n, ceiling))
}

func (w *walk) length(value any) int {
	switch v := value.(type) {
	case *ast.Value:
		if v.Kind == ast.ListValue {
			return len(v.Children)
		}
	case []any:
		return len(v)
	}
	return 1
}
