package documents_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"regtok/graph/documents"
	"regtok/graph/limits"
	"regtok/graph/transport"
)

var parsed = sync.OnceValue(func() *ast.Schema {
	return gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { hello(name: String): String, self: Query, list(first: Int! = 50): List! }
		type List { nodes: [Query!]! }
		type Mutation { hello: String }
		type Subscription { hello: String }`})
})

// api answers each operation with the name of its first field; a subscription has one event.
type api struct {
	*httptest.Server
	ran atomic.Int64
}

func newAPI(t testing.TB, c documents.Config) *api {
	t.Helper()
	a := &api{}
	gql := handler.New(&graphql.ExecutableSchemaMock{SchemaFunc: parsed, ExecFunc: a.exec})
	streams := transport.NewStreams(transport.StreamConfig{})
	gql.AddTransport(transport.WebSocket{Streams: streams})
	gql.AddTransport(transport.Events{Streams: streams})
	gql.AddTransport(transport.POST{Streams: streams})
	c.Longest = limits.Default().Bytes
	gql.Use(documents.New(c))
	limits.Default().Guard(gql)
	a.Server = httptest.NewServer(gql)
	t.Cleanup(a.Close)
	t.Cleanup(streams.Close)
	return a
}

func (a *api) exec(ctx context.Context) graphql.ResponseHandler {
	a.ran.Add(1)
	field := graphql.GetOperationContext(ctx).Operation.SelectionSet[0].(*ast.Field)
	done := false
	return func(context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		return &graphql.Response{Data: []byte(`{"` + field.Alias + `":"hello"}`)}
	}
}

// known is a manifest of these documents by their ids.
func known(t testing.TB, texts map[string]string) *documents.Manifest {
	t.Helper()
	text, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	m, err := documents.Read(text, foresee)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// request is what a client sends.
type request map[string]any

// hashed is a request by the hash alone, or with the document.
func hashed(hash string, more request) request {
	r := request{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}}
	for name, value := range more {
		r[name] = value
	}
	return r
}

func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}

// told is what an answer comes to: the one name of its data, or the code of its first error.
func told(t testing.TB, text []byte) string {
	t.Helper()
	var answer struct {
		Data   map[string]string
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("the answer is no JSON: %v\n%s", err, text)
	}
	for name := range answer.Data {
		return name
	}
	if len(answer.Errors) == 0 {
		t.Fatalf("neither data nor errors: %s", text)
	}
	return answer.Errors[0].Extensions.Code
}

// post sends a request, and returns what the answer comes to.
func (a *api) post(t testing.TB, r request) string {
	t.Helper()
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := a.Client().Post(a.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusBadRequest {
		t.Fatalf("%d %s: %v", resp.StatusCode, text, err)
	}
	return told(t, text)
}
