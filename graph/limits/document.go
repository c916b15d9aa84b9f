package limits

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"regtok/codes"
)

const (
	// keptDocument is the longest document that is worth keeping, in bytes.
	keptDocument = 8 << 10
	// keptDocuments bounds all that are kept, in bytes of text. A parsed document takes up to some fifty times its text.
	keptDocuments = 512 << 10
)

// documents keeps valid documents by their text, so that what a program asks again and again is parsed and validated once.
// The text is all that counts: variables come later. Safe for concurrent use.
type documents struct {
	cache *otter.Cache[string, *ast.QueryDocument]
}

var _ graphql.Cache[*ast.QueryDocument] = (*documents)(nil)

func newDocuments() *documents {
	return &documents{otter.Must(&otter.Options[string, *ast.QueryDocument]{
		MaximumWeight: keptDocuments,
		Weigher:       func(text string, _ *ast.QueryDocument) uint32 { return uint32(len(text)) },
	})}
}

// Get implements graphql.Cache.
func (d *documents) Get(_ context.Context, text string) (*ast.QueryDocument, bool) {
	return d.cache.GetIfPresent(text)
}

// Add implements graphql.Cache. The executor calls it after the document was found valid.
func (d *documents) Add(_ context.Context, text string, doc *ast.QueryDocument) {
	if len(text) <= keptDocument {
		d.cache.Set(text, doc)
	}
}

// parse reads a document, up to the limit of tokens.
func (l Limits) parse(text string) (*ast.QueryDocument, *gqlerror.Error) {
	if len(text) > l.Bytes {
		return nil, tooLarge("bytes", "bytes", l.Bytes, len(text), "move values into variables")
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, l.Tokens)
	if err == nil {
		return doc, nil
	}
	syntax := gqlerror.WrapIfUnwrapped(err)
	if syntax.Message == fmt.Sprintf("exceeded token limit of %d", l.Tokens) {
		return nil, tooLarge("tokens", "tokens", l.Tokens, 0, "split it, or move values into variables")
	}
	return nil, coded(syntax, codes.ParseFailed)
}

// rules are the validator's. The executor itself chooses among those for fields and leaves.
func (l Limits) rules() *rules.Rules {
	r := rules.NewDefaultRules()
	if l.Introspection {
		return r
	}
	r.RemoveRule(rules.KnownArgumentNamesRule.Name)
	r.RemoveRule(rules.KnownTypeNamesRule.Name)
	r.RemoveRule(rules.ValuesOfCorrectTypeRule.Name)
	r.AddRule(rules.KnownArgumentNamesRuleWithoutSuggestions.Name, rules.KnownArgumentNamesRuleWithoutSuggestions.RuleFunc)
	r.AddRule(rules.KnownTypeNamesRuleWithoutSuggestions.Name, rules.KnownTypeNamesRuleWithoutSuggestions.RuleFunc)
	r.AddRule(rules.ValuesOfCorrectTypeRuleWithoutSuggestions.Name, rules.ValuesOfCorrectTypeRuleWithoutSuggestions.RuleFunc)
	return r
}
