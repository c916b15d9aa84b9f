package limits

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// BenchmarkKnownDocument shows what every request pays, however often its document came before.
func BenchmarkKnownDocument(b *testing.B) {
	g := &guard{limits: Default(), documents: newDocuments(), schema: gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { registries(first: Int! = 50): Registries! }
		type Registries { nodes: [Registry!]! }
		type Registry { id: ID!, name: String!, tokens(first: Int! = 50): Tokens }
		type Tokens { nodes: [Token!]! }
		type Token { id: ID!, name: String!, expiresAt: String, createdBy: User }
		type User { id: ID!, name: String }`})}
	doc, err := g.limits.parse(`query($n: Int!) { registries(first: 40) { nodes { id name
		tokens(first: $n) { nodes { id name expiresAt createdBy { id name } } } } } }`)
	if err != nil {
		b.Fatal(err)
	}
	variables := map[string]any{"n": 10}
	for b.Loop() {
		if _, err := g.check(doc, doc.Operations[0], variables); err != nil {
			b.Fatal(err)
		}
	}
}
