package limits

import "github.com/vektah/gqlparser/v2/ast"

// walk goes through one operation, and once through each fragment that it reaches, however often and wherever it is spread:
// the time is that of reading the text once. The document is not valid yet, so anything may be missing or of another type.
type walk struct {
	schema    *ast.Schema
	doc       *ast.QueryDocument
	operation *ast.OperationDefinition
	variables map[string]any // as they came; nil: not known

	reached             map[string]*reached
	fields              int // as written
	aliases, directives int
	longestList         int
	longestAlias        int // in bytes
	introspects         bool
	circular            string // a fragment that spreads itself
}

// reached is a fragment on the way, and then its size.
type reached struct {
	done bool
	size size
}

func (w *walk) measure() size {
	w.reached = map[string]*reached{}
	w.directives += len(w.operation.Directives)
	for _, v := range w.operation.VariableDefinitions {
		w.directives += len(v.Directives)
		w.value(v.DefaultValue)
	}
	return w.braces(w.root(), w.operation.SelectionSet)
}

func (w *walk) root() *ast.Definition {
	switch w.operation.Operation {
	case ast.Mutation:
		return w.schema.Mutation
	case ast.Subscription:
		return w.schema.Subscription
	default:
		return w.schema.Query
	}
}

// taken is a field of a type that was selected before within the same braces, inline fragments included.
type taken struct {
	on   *ast.Definition
	name string
}

func (w *walk) braces(parent *ast.Definition, selections ast.SelectionSet) size {
	if len(selections) == 0 {
		return size{}
	}
	return w.set(parent, selections, make(map[taken]bool, len(selections)))
}

func (w *walk) set(parent *ast.Definition, selections ast.SelectionSet, names map[taken]bool) size {
	var s size
	for _, selection := range selections {
		switch selection := selection.(type) {
		case *ast.Field:
			name := taken{parent, selection.Name}
			if selection.Alias != selection.Name || names[name] {
				w.aliases++
			}
			names[name] = true
			s = s.and(w.field(parent, selection))
		case *ast.InlineFragment:
			w.directives += len(selection.Directives)
			on := parent
			if selection.TypeCondition != "" {
				on = w.schema.Types[selection.TypeCondition]
			}
			s = s.and(w.set(on, selection.SelectionSet, names))
		case *ast.FragmentSpread:
			w.directives += len(selection.Directives)
			s = s.and(w.spread(selection.Name))
		}
	}
	return s
}

func (w *walk) spread(name string) size {
	if r, ok := w.reached[name]; ok {
		if !r.done {
			w.circular = name
		}
		return r.size
	}
	r := &reached{}
	w.reached[name] = r
	if fragment := w.doc.Fragments.ForName(name); fragment != nil {
		w.directives += len(fragment.Directives)
		r.size = w.braces(w.schema.Types[fragment.TypeCondition], fragment.SelectionSet)
	} else {
		r.size = size{perChunk: 1}
	}
	r.done = true
	return r.size
}

func (w *walk) field(parent *ast.Definition, field *ast.Field) size {
	w.fields++
	if field.Alias != field.Name {
		w.longestAlias = max(w.longestAlias, len(field.Alias))
	}
	w.directives += len(field.Directives)
	for _, argument := range field.Arguments {
		w.value(argument.Value)
	}
	var definition *ast.FieldDefinition
	if parent != nil {
		definition = parent.Fields.ForName(field.Name)
	}
	if definition == nil {
		return w.braces(nil, field.SelectionSet).under()
	}
	below := w.braces(w.schema.Types[definition.Type.Name()], field.SelectionSet)
	if introspects(field) {
		w.introspects = w.introspects || field.Name == "__schema"
		return below.introspected()
	}
	if n, ok := w.items(definition, field); ok {
		if !below.paged && definition.Arguments.ForName("first") != nil {
			n = 0 // a count or a summary alone reads no items
		}
		return below.listed(n)
	}
	s := below.under()
	s.paged = field.Name == "nodes" || field.Name == "edges"
	if parent == w.schema.Mutation || parent == w.schema.Subscription {
		s = s.written()
	}
	return s
}

// value looks for long lists.
func (w *walk) value(v *ast.Value) {
	if v == nil {
		return
	}
	if v.Kind == ast.ListValue {
		w.longestList = max(w.longestList, len(v.Children))
	}
	for _, child := range v.Children {
		w.value(child.Value)
	}
}
