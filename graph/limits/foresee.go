package limits

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Foresee tells what is wrong with a document whatever its variables will be, for whoever knows it before it is sent: each of
// these errors would refuse every request with it. The names are those of its operations, as far as it could be read.
func (l Limits) Foresee(schema *ast.Schema, text string) (names []string, errs gqlerror.List) {
	doc, err := l.parse(text)
	if err != nil {
		return nil, gqlerror.List{err}
	}
	for _, operation := range doc.Operations {
		names = append(names, operation.Name)
	}
	if len(doc.Operations) == 0 {
		return nil, gqlerror.List{gqlerror.Errorf("it has no operation")}
	}
	g := &guard{limits: l, schema: schema}
	if err := g.checkNew(doc); err != nil {
		return names, gqlerror.List{err}
	}
	if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		return names, errs
	}
	for _, operation := range doc.Operations {
		if _, err := g.check(doc, operation, nil); err != nil {
			errs = append(errs, err)
		} else if err := l.checkLiterals(doc, operation); err != nil {
			errs = append(errs, err)
		}
	}
	return names, errs
}
