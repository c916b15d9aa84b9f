package transport

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

// run is one operation under way, whatever carries it.
type run struct {
	exec    graphql.GraphExecutor
	ctx     context.Context
	answers graphql.ResponseHandler
	stream  *Stream // nil for a query or a mutation
	end     func()
}

// begin starts an operation that was found valid. A panic of an extension is an error like any other.
func begin(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext, stream *Stream, end func()) (r *run, errs gqlerror.List) {
	r = &run{exec: exec, ctx: ctx, stream: stream, end: sync.OnceFunc(end)}
	defer func() {
		if panicked := recover(); panicked != nil {
			r.end()
			r, errs = nil, masked(ctx, exec, panicked)
		}
	}()
	r.answers, r.ctx = exec.DispatchOperation(ctx, op)
	return r, nil
}

// next is the next answer; nil: there are no more. Errors are those of an operation that has no answer at all. After one of
// these the run has ended.
func (r *run) next() (answer *graphql.Response, mark Mark, errs gqlerror.List) {
	defer func() {
		if panicked := recover(); panicked != nil {
			answer, errs = nil, masked(r.ctx, r.exec, panicked)
		}
		if answer == nil {
			r.end()
		}
	}()
	if r.stream != nil {
		var more bool
		if mark, more = r.stream.bring(r.ctx); !more {
			return nil, mark, nil
		}
	}
	answer = r.answers(r.ctx)
	switch {
	case answer == nil:
		return nil, mark, nil
	case answer.Data == nil: // it could not begin
		return nil, mark, answer.Errors
	case r.stream != nil:
		r.stream.handOut(mark)
	}
	return answer, mark, nil
}

// masked is a bug of ours as the executor shows and logs it.
func masked(ctx context.Context, exec graphql.GraphExecutor, panicked any) gqlerror.List {
	presenter, ok := exec.(interface {
		PresentRecoveredError(ctx context.Context, panicked any) error
	})
	if !ok {
		panic(panicked)
	}
	return gqlerror.List{gqlerror.WrapIfUnwrapped(presenter.PresentRecoveredError(ctx, panicked))}
}

func subscribes(op *graphql.OperationContext) bool {
	return op.Operation != nil && op.Operation.Operation == ast.Subscription
}

// tooMany refuses a stream.
func (s *Streams) tooMany() *gqlerror.Error {
	if s.ending() {
		return &gqlerror.Error{Message: "this server is shutting down: try again", Extensions: map[string]any{"code": codes.Unavailable}}
	}
	return &gqlerror.Error{Message: "this server has as many streams as it may: try again later", Extensions: map[string]any{"code": codes.TooManyStreams}}
}
