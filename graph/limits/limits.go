// Package limits refuses GraphQL operations that ask for too much, before they are validated and before any resolver runs.
// It also enforces what the validator leaves out: @oneOf, enum values and scalars inside variables.
package limits

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

// Limits say how much one operation may ask for. Default returns those that regtok ships with.
type Limits struct {
	// Bytes is the longest document.
	Bytes int
	// Tokens is the most lexical tokens of a document, comments included. It is also the most fields of all its operations
	// together, each with the fragments that it reaches: the validator walks all of them, whichever is going to run.
	Tokens int
	// Depth is the longest chain of fields, each fragment spread out, the leaf included.
	Depth int
	// IntrospectionDepth is the same for what stands below __schema and __type.
	IntrospectionDepth int
	// RootFields is the most fields at the top of an operation, each fragment spread out.
	RootFields int
	// Aliases and Directives are counted as written, in the operation and in the fragments that it reaches. A field that is
	// repeated within one pair of braces counts as an alias: it changes nothing, and takes the validator's time.
	Aliases, Directives int
	// ListItems is the most items of any list that is given, in the document or in the variables.
	ListItems int
	// Objects is the most list items that an answer may hold, if each list is as long as its `first` allows.
	Objects int
	// Points is the highest cost: see Cost.
	Points int
	// Errors is the most errors of one answer; the others are counted in `extensions.omittedErrors`.
	Errors int
	// Introspection lets callers read the schema, and suggests names in error messages. Off: `__schema` is refused,
	// `__type` is null, and no message suggests a name.
	Introspection bool
	// Scalars tell what is wrong with a value of one of the API's own scalars, for people, and nothing of one that is right.
	// Resolvers would meet such a value only when other fields of the operation have run.
	Scalars map[string]func(value any) string
	// Spend takes an operation's points from its caller's allowance, before it is validated, and tells what is left; nil: the
	// caller has none. An error refuses the operation. Nil: no caller has one.
	Spend func(ctx context.Context, points int) (*Allowance, *gqlerror.Error)
}

// Default returns the limits that regtok ships with, and no introspection.
func Default() Limits {
	return Limits{
		Bytes:              64 << 10,
		Tokens:             1000,
		Depth:              12,
		IntrospectionDepth: 20, // what GraphiQL asks is 16 deep
		RootFields:         10,
		Aliases:            15,
		Directives:         50,
		ListItems:          50,
		Objects:            10_000,
		Points:             5000,
		Errors:             10,
	}
}

// Guard puts the limits on a server. Call it once, and before any Use but of what finds documents by their ids, so that nothing
// else runs ahead of them.
func (l Limits) Guard(server *handler.Server) {
	documents := newDocuments()
	server.SetQueryCache(documents)
	server.SetParserTokenLimit(l.Tokens)
	server.SetDisableSuggestion(!l.Introspection)
	server.SetValidationRulesFn(l.rules)
	server.Use(&guard{limits: l, documents: documents})
}

// guard is the gqlgen extension.
type guard struct {
	limits    Limits
	documents *documents
	schema    *ast.Schema
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
	graphql.RootFieldInterceptor
	graphql.ResponseInterceptor
} = (*guard)(nil)

// ExtensionName implements graphql.HandlerExtension.
func (*guard) ExtensionName() string { return "Limits" }

// Validate implements graphql.HandlerExtension.
func (g *guard) Validate(es graphql.ExecutableSchema) error {
	l := g.limits
	if min(l.Bytes, l.Tokens, l.Depth, l.IntrospectionDepth, l.RootFields, l.Aliases, l.Directives,
		l.ListItems, l.Objects, l.Points, l.Errors) <= 0 {
		return fmt.Errorf("limits: each one has to be positive: %+v", l)
	}
	g.schema = es.Schema()
	return nil
}

// MutateOperationParameters implements graphql.OperationParameterMutator: it refuses what is too large, and what its caller
// has no points for.
func (g *guard) MutateOperationParameters(ctx context.Context, raw *graphql.RawParams) *gqlerror.Error {
	doc, err := g.document(ctx, raw.Query)
	if err != nil {
		return err
	}
	if err := g.limits.checkLists(raw.Variables); err != nil {
		return err
	}
	operation := doc.Operations.ForName(raw.OperationName)
	switch {
	case operation != nil:
	case raw.OperationName == "" && len(doc.Operations) > 1:
		return coded(gqlerror.Errorf("the document has %d operations: name the one to run in operationName", len(doc.Operations)), codes.ValidationFailed)
	case len(doc.Operations) == 0:
		return coded(gqlerror.Errorf("the document has no operation"), codes.ValidationFailed)
	default: // the executor would say so, too, and validate the document first, for nothing
		return coded(gqlerror.Errorf("the document has no operation %q", shorten(raw.OperationName, longestName)), codes.ValidationFailed)
	}
	cost, err := g.check(doc, operation, raw.Variables)
	if err != nil {
		return err
	}
	if g.limits.Spend != nil {
		cost.Caller, err = g.limits.Spend(ctx, cost.Points)
	}
	graphql.GetOperationContext(ctx).Stats.SetExtension(g.ExtensionName(), cost)
	return err
}

// document is what a text says, if it is not too large.
func (g *guard) document(ctx context.Context, text string) (*ast.QueryDocument, *gqlerror.Error) {
	if doc, known := g.documents.Get(ctx, text); known {
		return doc, nil
	}
	doc, err := g.limits.parse(text)
	if err != nil {
		return nil, err
	}
	return doc, g.checkNew(doc)
}

// MutateOperationContext implements graphql.OperationContextMutator: it checks the values that are given.
func (g *guard) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	op.DisableIntrospection = !g.limits.Introspection
	if err := g.limits.checkVariables(g.schema, op.Operation.VariableDefinitions, op.Variables); err != nil {
		return err
	}
	return g.limits.checkLiterals(op.Doc, op.Operation)
}

// InterceptRootField implements graphql.RootFieldInterceptor. Without introspection no type is known, so `__type` is null:
// an error would say the same and fail clients that ask for it along the way.
func (g *guard) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx)
	if !g.limits.Introspection && field != nil && field.Field.Name == "__type" {
		return graphql.Null
	}
	return next(ctx)
}

// InterceptResponse implements graphql.ResponseInterceptor: it cuts the errors short and tells the cost.
func (g *guard) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	answer := next(ctx)
	if answer == nil {
		return nil
	}
	g.limits.tidy(answer)
	if cost, ok := costOf(ctx); ok {
		if answer.Extensions == nil {
			answer.Extensions = map[string]any{}
		}
		answer.Extensions["cost"] = cost
	}
	return answer
}
