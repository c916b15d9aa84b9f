// Package graph answers the GraphQL API: it shapes what the catalog knows after schema.graphqls.
// It is the only package that knows how errors look to callers.
package graph

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2/ast"

	"regtok/activity"
	"regtok/auth"
	"regtok/cache"
	"regtok/catalog"
	"regtok/codes"
	"regtok/expiry"
	"regtok/graph/documents"
	"regtok/graph/internal/exec"
	"regtok/graph/internal/scalar"
	"regtok/graph/limits"
	"regtok/graph/loader"
	"regtok/graph/transport"
	"regtok/providers"
	"regtok/quota"
)

// Options are what the API is made of.
type Options struct {
	Catalog *catalog.Catalog
	// Events are what is told of tokens' ends. Nil: this server tells none.
	Events *expiry.Events
	// Activity is what is told of what happens to tokens. Nil likewise.
	Activity activity.Log
	// Streams carry subscriptions. Nil: there are none.
	Streams *transport.Streams
	// Callers may bring their credential with connection_init. Nil: sockets belong to the viewer of their request.
	Callers *auth.Callers
	// Version of the program, for `server { version }`.
	Version string
	Limits  limits.Limits
	// Documents are those that callers may name, and whether they may send others. Its Longest is that of Limits.
	Documents documents.Config
	// Requests is the most requests to providers that one answer may take, what it writes aside. 0: as many as it takes.
	Requests int
	// Quota keeps callers within their allowances. Nil: nobody has one.
	Quota *quota.Quota
	// Timeout bounds one operation. 0: 30 s.
	Timeout time.Duration
	// Observe is told of each operation: its type, empty if it was refused before that was known; whether there is data;
	// the codes of its errors; and how long it took. It has to be quick and safe for concurrent use. Nil: nobody looks.
	Observe func(kind string, data bool, codes []string, took time.Duration)
	Log     *slog.Logger
}

// New returns the API as a handler of requests, and of what they are upgraded to. The viewer of each request is expected in
// its context, and stays that of the operations of a socket.
func New(o Options) http.Handler {
	server := handler.New(schema(&resolver{catalog: o.Catalog, events: o.Events, activity: o.Activity, version: o.Version}))
	o.Limits.Scalars = scalars()
	o.Documents.Longest = o.Limits.Bytes
	server.Use(documents.New(o.Documents))
	o.Limits.Spend = spending(o.Quota)
	o.Limits.Guard(server)
	if o.Streams != nil {
		server.AddTransport(transport.WebSocket{Timeout: o.Timeout, Streams: o.Streams, Admit: admission(o.Callers), AtEnd: atEnd})
		server.AddTransport(transport.Events{Streams: o.Streams, AtEnd: atEnd})
	}
	server.AddTransport(transport.POST{Timeout: o.Timeout, Streams: o.Streams, AtEnd: atEnd})
	shows := presenter{log: o.Log}
	server.SetErrorPresenter(shows.present)
	server.SetRecoverFunc(shows.recovered)
	if o.Observe != nil {
		server.AroundResponses(observing(o.Observe))
	}
	server.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(o.sparing(within(ctx))) // a subscription begins before its first response
	})
	server.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		if !follows(ctx) && transport.Insists(graphql.GetOperationContext(ctx).Headers) {
			ctx = cache.NoCache(ctx)
		}
		return next(loader.Attach(o.sparing(within(withStories(ctx))), o.Catalog))
	})
	server.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			ctx = loader.Attach(ctx, o.Catalog) // what was read for the mutation before is older than this one
		}
		return next(ctx)
	})
	return server
}

// sparing bounds what is asked of providers for one answer.
func (o Options) sparing(ctx context.Context) context.Context {
	if o.Requests == 0 {
		return ctx
	}
	return providers.WithRequests(ctx, o.Requests)
}

// within narrows what is done for the viewer to what they may see, and says who they are.
func within(ctx context.Context) context.Context {
	viewer := auth.FromContext(ctx)
	return catalog.As(catalog.Within(ctx, viewer.Reach), viewer.Subject)
}

// follows tells whether an operation is a subscription. Browsers insist with each of those, whatever their page wants, and all
// of them would ask a provider at each event.
func follows(ctx context.Context) bool {
	operation := graphql.GetOperationContext(ctx).Operation
	return operation != nil && operation.Operation == ast.Subscription
}

// observing tells an observer of each operation, but of subscriptions: they take as long as their callers like, and are
// counted by what carries them.
func observing(observe func(kind string, data bool, codes []string, took time.Duration)) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		began := time.Now()
		answer := next(ctx)
		if follows(ctx) {
			return answer
		}
		kind := ""
		if operation := graphql.GetOperationContext(ctx).Operation; operation != nil {
			kind = string(operation.Operation)
		}
		if answer == nil { // the transport tells why
			observe(kind, false, []string{ended(ctx)}, time.Since(began))
			return nil
		}
		codes := make([]string, len(answer.Errors))
		for i, err := range answer.Errors {
			codes[i], _ = err.Extensions["code"].(string)
		}
		observe(kind, len(answer.Data) > 0, codes, time.Since(began))
		return answer
	}
}

// ended is the code of an operation whose time was over, or whose caller left.
func ended(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return codes.Timeout
	}
	return codes.Canceled
}

// scalars tell what is wrong with values of the API's own scalars.
func scalars() map[string]func(any) string {
	return map[string]func(any) string{
		"DateTime": complaint(scalar.UnmarshalDateTime), "Duration": complaint(scalar.UnmarshalDuration),
	}
}

// complaint tells what a scalar finds wrong with a value.
func complaint[T any](read func(any) (T, error)) func(any) string {
	return func(value any) string {
		_, err := read(value)
		if e, ok := errors.AsType[*providers.Error](err); ok {
			return e.Message
		}
		return ""
	}
}

func schema(r *resolver) graphql.ExecutableSchema {
	return exec.NewExecutableSchema(exec.Config{
		Resolvers:  r,
		Directives: exec.DirectiveRoot{Requires: requiresDirective},
	})
}

// Schema returns the API's schema, for tools.
func Schema() *ast.Schema { return schema(&resolver{}).Schema() }

// SDL returns schema.graphqls as it was when the program was built.
func SDL() string { return Schema().Query.Position.Src.Input }
