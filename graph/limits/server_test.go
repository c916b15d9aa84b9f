package limits_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"regtok/graph/limits"
	"regtok/graph/transport"
)

const schema = `
type Query {
	viewer: Viewer!
	nodes(ids: [ID!]!): [Node]!
	registries(first: Int! = 50, after: String, state: State): RegistryConnection!
	token(address: TokenAddress!): Token
	search(filters: [Filter!]): [Token!]!
	fail(times: Int! = 1): String
	weigh(grams: Float): String
}
type Subscription { expiry: Token! }
type Mutation { patchToken(input: PatchTokenInput!): Token }
interface Node { id: ID! }
type Viewer { subject: String!, self: Viewer! }
type RegistryConnection { nodes: [Registry!]!, edges: [RegistryEdge!]!, totalCount: Int! }
type RegistryEdge { cursor: String!, node: Registry! }
type Registry implements Node { id: ID!, name: String!, tokens(first: Int! = 50, after: String): TokenConnection }
type TokenConnection { nodes: [Token!]!, totalCount: Int! }
type Token implements Node { id: ID!, name: String!, state: State!, registry: Registry, createdBy: User }
type User { name: String!, tokens(first: Int! = 50): TokenConnection }
enum State { ACTIVE EXPIRED }
input TokenAddress @oneOf { id: ID, native: NativeAddress }
input NativeAddress { registryId: ID!, nativeId: String! }
input Filter { states: [State!], address: TokenAddress, any: [Filter!], all: [[Filter!]!] }
input PatchTokenInput { token: TokenAddress!, expiry: Expiry }
input Expiry @oneOf { in: String, never: Boolean }
`

// api is a server without resolvers: an operation that gets through is answered with {"ran":true}.
type api struct {
	*httptest.Server
	mu   sync.Mutex
	docs []*ast.QueryDocument // of the operations that got through
}

func newAPI(t testing.TB, l limits.Limits) *api { return newAPIOf(t, schema, l) }

func newAPIOf(t testing.TB, sdl string, l limits.Limits) *api {
	t.Helper()
	a := &api{}
	server := handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc: sync.OnceValue(func() *ast.Schema {
			return gqlparser.MustLoadSchema(&ast.Source{Input: sdl})
		}),
		ExecFunc: a.exec,
	})
	server.AddTransport(transport.POST{})
	l.Guard(server)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	a.mu.Lock()
	a.docs = append(a.docs, op.Doc)
	a.mu.Unlock()
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		return &graphql.Response{Data: resolve(ctx, op)}
	}
}

func resolve(ctx context.Context, op *graphql.OperationContext) []byte {
	for _, selection := range op.Operation.SelectionSet {
		field, ok := selection.(*ast.Field)
		switch {
		case ok && field.Name == "fail":
			for i := range 30 {
				graphql.AddErrorf(ctx, "failure %d", i)
			}
		case ok && field.Name == "__type":
			return rootField(ctx, op, field)
		}
	}
	return []byte(`{"ran":true}`)
}

// rootField resolves a field as generated code does, inside the interceptors.
func rootField(ctx context.Context, op *graphql.OperationContext, field *ast.Field) []byte {
	ctx = graphql.WithRootFieldContext(ctx, &graphql.RootFieldContext{
		Object: "Query", Field: graphql.CollectedField{Field: field},
	})
	value := op.RootResolverMiddleware(ctx, func(context.Context) graphql.Marshaler {
		return graphql.MarshalString("a type")
	})
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "{%q:", field.Alias)
	value.MarshalGQL(&buf)
	buf.WriteByte('}')
	return buf.Bytes()
}

func (a *api) ran() []*ast.QueryDocument {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.docs
}

type answer struct {
	status int
	size   int
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	Extensions map[string]any
}

// code is that of the first error; "" when there is none.
func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

func (a *api) ask(t testing.TB, query string, variables map[string]any) answer {
	t.Helper()
	return a.send(t, map[string]any{"query": query, "variables": variables})
}

func (a *api) send(t testing.TB, request map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	response, err := a.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: response.StatusCode, size: len(text)}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("the answer does not decode: %v\n%.500s", err, text)
	}
	return got
}
