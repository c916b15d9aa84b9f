package transport

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// operations guards what gqlgen's WebSocket runs on one socket. What cannot run becomes an error message, presented like any
// other: gqlgen by itself would answer some of it as a result, and show a panic's text. Answers go to the socket directly, and
// gqlgen hears only that there are no more: on their way through it each would be encoded and read three times more.
type operations struct {
	graphql.GraphExecutor
	socket  *socket
	timeout time.Duration
}

// CreateOperationContext implements graphql.GraphExecutor. It never fails: what is wrong is told by DispatchOperation.
func (o *operations) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, _ gqlerror.List) {
	var errs gqlerror.List
	defer func() {
		if panicked := recover(); panicked != nil {
			op, errs = &graphql.OperationContext{}, masked(ctx, o.GraphExecutor, panicked)
		}
		op.Stats.SetExtension(numberKey, o.socket.book.latest()) // gqlgen reads one message at a time, and this is of it
		if errs != nil {
			op.Stats.SetExtension(refusedKey, errs)
		}
	}()
	op, errs = o.GraphExecutor.CreateOperationContext(ctx, params)
	return op, nil
}

// What an operation's context holds for DispatchOperation.
const (
	refusedKey = "refused"
	numberKey  = "number"
)

// DispatchOperation implements graphql.GraphExecutor.
func (o *operations) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if errs, ok := op.Stats.GetExtension(refusedKey).(gqlerror.List); ok {
		return failed(ctx, o.GraphExecutor.DispatchError(ctx, errs).Errors)
	}
	run, errs := o.begin(ctx, op)
	if errs != nil {
		return failed(ctx, errs)
	}
	number, _ := op.Stats.GetExtension(numberKey).(string)
	return func(context.Context) *graphql.Response {
		for {
			answer, _, errs := run.next()
			if answer == nil {
				tell(ctx, errs)
				return nil
			}
			o.socket.next(number, answer)
		}
	}, run.ctx
}

func (o *operations) begin(ctx context.Context, op *graphql.OperationContext) (*run, gqlerror.List) {
	if !subscribes(op) {
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		return begin(ctx, o.GraphExecutor, op, nil, cancel)
	}
	streams := o.socket.streams
	stream := streams.open(ctx, &streams.websocket, "")
	if stream == nil {
		return nil, gqlerror.List{streams.tooMany()}
	}
	number, _ := op.Stats.GetExtension(numberKey).(string)
	o.socket.book.carries(number, stream)
	return begin(stream.ctx, o.GraphExecutor, op, stream, func() { stream.close("websocket") })
}

// failed is an operation that cannot run: gqlgen sends the errors, and nothing after them.
func failed(ctx context.Context, errs gqlerror.List) (graphql.ResponseHandler, context.Context) {
	tell(ctx, errs)
	return func(context.Context) *graphql.Response { return nil }, ctx
}

func tell(ctx context.Context, errs gqlerror.List) {
	for _, err := range errs {
		transport.AddSubscriptionError(ctx, err)
	}
}
