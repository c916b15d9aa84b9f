package limits

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

// checkLiterals reads the values of an API's own scalars that stand in the document. It comes after the validator, which
// has noted what each value is of, and takes any.
func (l Limits) checkLiterals(doc *ast.QueryDocument, operation *ast.OperationDefinition) *gqlerror.Error {
	if err := l.literalsIn(operation.SelectionSet); err != nil {
		return err
	}
	for _, fragment := range doc.Fragments {
		if err := l.literalsIn(fragment.SelectionSet); err != nil {
			return err
		}
	}
	return nil
}

func (l Limits) literalsIn(selections ast.SelectionSet) *gqlerror.Error {
	for _, selection := range selections {
		var below ast.SelectionSet
		switch selection := selection.(type) {
		case *ast.Field:
			for _, argument := range selection.Arguments {
				if err := l.checkLiteral(argument.Value); err != nil {
					return err
				}
			}
			below = selection.SelectionSet
		case *ast.InlineFragment:
			below = selection.SelectionSet
		}
		if err := l.literalsIn(below); err != nil {
			return err
		}
	}
	return nil
}

func (l Limits) checkLiteral(v *ast.Value) *gqlerror.Error {
	switch {
	case v == nil, v.Kind == ast.Variable, v.Kind == ast.NullValue:
		return nil
	case v.Kind == ast.ListValue, v.Kind == ast.ObjectValue:
		for _, child := range v.Children {
			if err := l.checkLiteral(child.Value); err != nil {
				return err
			}
		}
		return nil
	case v.Definition == nil:
		return nil
	}
	// What cannot be read at all the validator has refused.
	if value, err := v.Value(nil); err == nil {
		if wrong := l.wrongWith(v.Definition, value); wrong != "" {
			return coded(gqlerror.ErrorPosf(v.Position, "%s", wrong), codes.Invalid)
		}
	}
	return nil
}

// wrongWith is what is wrong with a value of one of the API's own scalars, for people; empty: nothing.
func (l Limits) wrongWith(definition *ast.Definition, value any) string {
	if read := l.Scalars[definition.Name]; read != nil && definition.Kind == ast.Scalar {
		return read(value)
	}
	return ""
}
