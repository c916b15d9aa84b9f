package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/graph/limits"
	"regtok/graph/transport"
)

const schema = `
type Query {
	hello(name: String): String!
	large: String!
	fail: String
	panic: String
	wait: String
	late: String
	"Tells that it runs, and waits until it may end."
	gate: String
}
type Mutation { hello: String! }
type Subscription {
	hello: String!
	"1, 2, 3, and then nothing more, or the end. The first may be old."
	count(to: Int!, stay: Boolean, old: Boolean): Int!
	fail: String
	panic: String
}
`

var large = bytes.Repeat([]byte("<é>"), 50_000)

// newAPI serves a schema with hand-written execution: a field is answered with its name.
func newAPI(t testing.TB, post transport.POST, introspection bool) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(executing(t, introspection, nil, post))
	t.Cleanup(server.Close)
	return server
}

// newStreams serves it over all transports. Streams end with the test.
func newStreams(t testing.TB, c transport.StreamConfig) (*httptest.Server, *transport.Streams) {
	t.Helper()
	handler, streams := streaming(t, c)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Cleanup(streams.Close)
	return server, streams
}

func streaming(t testing.TB, c transport.StreamConfig) (http.Handler, *transport.Streams) {
	t.Helper()
	streams := transport.NewStreams(c)
	api := executing(t, true, nil, transport.WebSocket{Streams: streams, Timeout: time.Minute, Admit: admit, AtEnd: atEnd},
		transport.Events{Streams: streams, AtEnd: atEnd}, transport.POST{Streams: streams, AtEnd: atEnd})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.ServeHTTP(w, r.WithContext(ending(r.Context(), r.Header.Get("X-Until"))))
	}), streams
}

func admit(ctx context.Context, payload map[string]any) (context.Context, error) {
	switch payload["key"] {
	case "wrong":
		return ctx, errors.New("this key is for another door")
	case "unknown":
		return ctx, &transport.Refusal{Unauthorized: true, Reason: "this key is not known"}
	case "unreadable":
		return ctx, &transport.Refusal{Reason: "this key cannot be read"}
	case "unchecked":
		return ctx, &transport.Refusal{Later: true, Reason: "keys cannot be checked now"}
	}
	at, _ := payload["until"].(string)
	return ending(ctx, at), nil
}

type endKey struct{}

// ending is a context whose caller's credential ends, if there is a time.
func ending(ctx context.Context, at string) context.Context {
	end, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return ctx
	}
	return context.WithValue(ctx, endKey{}, end)
}

func atEnd(ctx context.Context, do func()) (stop func()) {
	end, ok := ctx.Value(endKey{}).(time.Time)
	if !ok {
		return func() {}
	}
	timer := time.AfterFunc(time.Until(end), do)
	return func() { timer.Stop() }
}

// executing uses the extensions before the limits.
func executing(t testing.TB, introspection bool, extensions []graphql.HandlerExtension, transports ...graphql.Transport) http.Handler {
	t.Helper()
	parsed := gqlparser.MustLoadSchema(&ast.Source{Input: schema})
	gql := handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc: func() *ast.Schema { return parsed },
		ExecFunc: func(ctx context.Context) graphql.ResponseHandler {
			if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
				return subscribe(ctx)
			}
			done := false
			return func(ctx context.Context) *graphql.Response { // as generated code does: once, and not before it is asked
				if done {
					return nil
				}
				done = true
				return execute(ctx)
			}
		},
	})
	for _, transport := range transports {
		gql.AddTransport(transport)
	}
	gql.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
		if strings.Contains(err.Error(), "unpresentable") {
			panic("a bug where errors are shown, with a secret in it")
		}
		return graphql.DefaultErrorPresenter(ctx, err)
	})
	gql.SetRecoverFunc(func(context.Context, any) error {
		return &gqlerror.Error{Message: "internal error", Extensions: map[string]any{"code": "INTERNAL"}}
	})
	for _, extension := range extensions {
		gql.Use(extension)
	}
	l := limits.Default()
	l.Introspection = introspection
	l.Guard(gql)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		gql.ServeHTTP(w, r)
	})
}

var gate = make(chan chan struct{})

func execute(ctx context.Context) *graphql.Response {
	op := graphql.GetOperationContext(ctx)
	data := map[string]any{}
	var errs gqlerror.List
	for _, selection := range op.Operation.SelectionSet {
		field := selection.(*ast.Field)
		switch field.Name {
		case "panic":
			panic("a bug")
		case "wait":
			<-ctx.Done()
			return nil
		case "late":
			<-ctx.Done()
			data[field.Alias] = "at last"
		case "gate":
			open := make(chan struct{})
			gate <- open
			<-open
			data[field.Alias] = "open"
		case "fail":
			errs = append(errs, gqlerror.WrapPath(ast.Path{ast.PathName(field.Alias)}, errors.New("no luck")))
			data[field.Alias] = nil
		case "large":
			data[field.Alias] = string(large)
		case "__typename":
			data[field.Alias] = "Query"
		case "__type", "__schema":
			data[field.Alias] = nil
		default:
			data[field.Alias] = fmt.Sprintf("%s %v", field.Name, op.Variables["name"])
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(data); err != nil {
		panic(err)
	}
	return &graphql.Response{Data: bytes.TrimSpace(text.Bytes()), Errors: errs}
}
