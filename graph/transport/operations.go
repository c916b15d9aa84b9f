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

// CreateOperationContext implements graphql.GraphExecutor. It notes what is asked, and leaves the rest to DispatchOperation: the
// goroutine that reads the socket would wait for it, and keep the stack that it takes for as long as the socket is open. The
// socket has read the parameters, as those of every transport are; gqlgen reads one message at a time, and both are of it.
func (o *operations) CreateOperationContext(_ context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	asked := o.socket.asked
	o.socket.asked = nil
	asked.Headers, asked.ReadTime = params.Headers, params.ReadTime
	op := &graphql.OperationContext{RecoverFunc: func(ctx context.Context, panicked any) error {
		return masked(ctx, o.GraphExecutor, panicked)
	}}
	op.Stats.SetExtension(askedKey, asked)
	op.Stats.SetExtension(numberKey, o.socket.book.latest())
	return op, nil
}

// What an operation's context holds for DispatchOperation.
const (
	askedKey  = "asked"
	numberKey = "number"
)

// DispatchOperation implements graphql.GraphExecutor.
func (o *operations) DispatchOperation(ctx context.Context, noted *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	params, _ := noted.Stats.GetExtension(askedKey).(*graphql.RawParams)
	number, _ := noted.Stats.GetExtension(numberKey).(string)
	op, errs := o.create(ctx, params)
	if errs != nil {
		return failed(ctx, o.DispatchError(graphql.WithOperationContext(ctx, op), errs).Errors)
	}
	run, errs := o.begin(graphql.WithOperationContext(ctx, op), op, number)
	if errs != nil {
		return failed(ctx, errs)
	}
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

// create finds out whether an operation is valid. A panic is an error like any other.
func (o *operations) create(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, errs gqlerror.List) {
	defer func() {
		if panicked := recover(); panicked != nil {
			op, errs = &graphql.OperationContext{}, masked(ctx, o.GraphExecutor, panicked)
		}
	}()
	return o.GraphExecutor.CreateOperationContext(ctx, params)
}

func (o *operations) begin(ctx context.Context, op *graphql.OperationContext, number string) (*run, gqlerror.List) {
	if !subscribes(op) {
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		return begin(ctx, o.GraphExecutor, op, nil, cancel)
	}
	streams := o.socket.streams
	stream := streams.open(ctx, &streams.websocket, "")
	if stream == nil {
		return nil, gqlerror.List{streams.tooMany()}
	}
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
