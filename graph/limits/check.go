package limits

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

// longestAlias is in characters. An answer repeats an alias with each item of a list, so a long one makes it many times larger
// than what it tells.
const longestAlias = 100

// check measures the operation that is going to run, with its variables.
func (g *guard) check(
	doc *ast.QueryDocument, operation *ast.OperationDefinition, variables map[string]any,
) (Cost, *gqlerror.Error) {
	w := &walk{schema: g.schema, doc: doc, operation: operation, variables: variables}
	s := w.measure()
	cost := Cost{
		Points:     plus(s.perChunk, s.perItem),
		MaxPoints:  g.limits.Points,
		Objects:    s.objects,
		MaxObjects: g.limits.Objects,
	}
	if err := g.limits.checkShape(w, s); err != nil {
		return Cost{}, err
	}
	if w.introspects && !g.limits.Introspection {
		return Cost{}, &gqlerror.Error{
			Message:    "introspection is switched off on this server",
			Extensions: map[string]any{"code": codes.IntrospectionOff},
		}
	}
	if cost.Objects > cost.MaxObjects {
		return Cost{}, exceeded(codes.QueryTooCostly, "objects", cost.MaxObjects, cost.Objects,
			fmt.Sprintf("the lists may hold more than %d objects together: ask for smaller pages; a list without `first` counts by its default, within lists times theirs", cost.MaxObjects))
	}
	if cost.Points > cost.MaxPoints {
		return Cost{}, exceeded(codes.QueryTooCostly, "points", cost.MaxPoints, cost.Points,
			fmt.Sprintf("this costs more than %d points: ask for fewer fields, or for smaller pages (`first`)", cost.MaxPoints))
	}
	return cost, nil
}

// checkNew checks all operations of a document: the validator will walk all of them, whichever is going to run. A fragment
// that none of them reaches would escape, so it is refused as the validator would.
func (g *guard) checkNew(doc *ast.QueryDocument) *gqlerror.Error {
	used := map[string]bool{}
	fields := 0
	for _, operation := range doc.Operations {
		w := &walk{schema: g.schema, doc: doc, operation: operation}
		if err := g.limits.checkShape(w, w.measure()); err != nil {
			return err
		}
		if fields += w.fields; fields > g.limits.Tokens {
			return tooLarge("fields", "fields in all operations together", g.limits.Tokens, 0, "send only the one that shall run")
		}
		for name := range w.reached {
			used[name] = true
		}
	}
	for _, fragment := range doc.Fragments {
		if !used[fragment.Name] {
			name := shorten(fragment.Name, longestName)
			return coded(gqlerror.ErrorPosf(fragment.Position, "fragment %q is never used", name), codes.ValidationFailed)
		}
	}
	return nil
}

// checkShape refuses what is too large without regard to the lengths of lists.
func (l Limits) checkShape(w *walk, s size) *gqlerror.Error {
	switch {
	case w.circular != "":
		return &gqlerror.Error{
			Message:    fmt.Sprintf("fragment %q spreads itself", shorten(w.circular, longestName)),
			Extensions: map[string]any{"code": codes.ValidationFailed},
		}
	case s.depth > l.Depth:
		return exceeded(codes.QueryTooDeep, "depth", l.Depth, s.depth,
			fmt.Sprintf("fields are nested more than %d deep: ask in several operations, by id", l.Depth))
	case s.inner > l.IntrospectionDepth:
		return exceeded(codes.QueryTooDeep, "introspectionDepth", l.IntrospectionDepth, s.inner,
			fmt.Sprintf("introspection is nested more than %d deep: ask for fewer levels of `ofType`", l.IntrospectionDepth))
	case s.fields > l.RootFields:
		return tooLarge("rootFields", "root fields", l.RootFields, s.fields, "send several operations")
	case w.aliases > l.Aliases:
		return tooLarge("aliases", "aliases", l.Aliases, w.aliases, "send several operations")
	case w.longestAlias > longestAlias:
		return tooLarge("aliasLength", "characters in an alias", longestAlias, w.longestAlias, "choose a shorter one")
	case w.directives > l.Directives:
		return tooLarge("directives", "directives", l.Directives, w.directives, "leave out the fields themselves")
	case w.longestList > l.ListItems:
		return l.longList(w.longestList, nil)
	case w.operation.Operation == ast.Subscription && (s.fields > 1 || w.conditional(w.operation.SelectionSet, map[string]bool{})):
		return coded(gqlerror.ErrorPosf(w.operation.Position, "a subscription has one field, without @skip and @include: begin one for each"), codes.ValidationFailed)
	}
	return nil
}

// conditional tells whether a field that stands at the top may be left out. It looks into fragments, each once.
func (w *walk) conditional(top ast.SelectionSet, seen map[string]bool) bool {
	return slices.ContainsFunc(top, func(selection ast.Selection) bool {
		switch s := selection.(type) {
		case *ast.Field:
			return leftOut(s.Directives)
		case *ast.InlineFragment:
			return leftOut(s.Directives) || w.conditional(s.SelectionSet, seen)
		case *ast.FragmentSpread:
			fragment := w.doc.Fragments.ForName(s.Name)
			if leftOut(s.Directives) || fragment == nil || seen[s.Name] {
				return leftOut(s.Directives)
			}
			seen[s.Name] = true
			return w.conditional(fragment.SelectionSet, seen)
		}
		return false
	})
}

func leftOut(directives ast.DirectiveList) bool {
	return directives.ForName("skip") != nil || directives.ForName("include") != nil
}

// checkLists refuses long lists in the variables, whatever their type.
func (l Limits) checkLists(variables map[string]any) *gqlerror.Error {
	for name, value := range variables {
		if n := longest(value); n > l.ListItems {
			return l.longList(n, ast.Path{ast.PathName("variable"), ast.PathName(shorten(name, longestName))})
		}
	}
	return nil
}

func longest(value any) int {
	n := 0
	switch v := value.(type) {
	case []any:
		n = len(v)
		for _, item := range v {
			n = max(n, longest(item))
		}
	case map[string]any:
		for _, item := range v {
			n = max(n, longest(item))
		}
	}
	return n
}

func (l Limits) longList(n int, path ast.Path) *gqlerror.Error {
	err := exceeded(codes.Invalid, "listItems", l.ListItems, n,
		fmt.Sprintf("a list has more than %d items: ask for them in several operations", l.ListItems))
	err.Path = path
	return err
}
