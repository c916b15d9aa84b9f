// Package transport carries GraphQL over HTTP, after the draft of that name, and its subscriptions over server-sent events
// and over WebSocket, after the protocols of the npm packages graphql-sse and graphql-ws.
package transport

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

const defaultTimeout = 30 * time.Second

// POST answers one operation a request: a subscription with server-sent events, if the caller takes those, anything else with
// one answer, unless the caller takes nothing but events. Add it as the last transport: it takes whatever no other one took, and
// refuses what it cannot answer (405, 406, 415) in GraphQL's own form. Nothing of a request's body comes back in such an
// answer, and nothing of it is logged. The body is as long as its reader allows: wrap it in [http.MaxBytesReader].
// The zero value is ready to use, and safe to share.
type POST struct {
	// Timeout is how long a query or mutation may take. 0: 30 s.
	Timeout time.Duration
	// Streams carry subscriptions. Nil: there are none.
	Streams *Streams
	// AtEnd watches the credential of a request's caller. A subscription ends with it.
	AtEnd AtEnd
}

var _ graphql.Transport = POST{}

// Supports implements graphql.Transport: it is true of every request.
func (POST) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (p POST) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	accepted, refusal := p.accept(r)
	w.Header().Set("Content-Type", accepted.form.contentType())
	defer answerPanic(w, r, exec)
	if refusal != nil {
		refusal.write(w)
		return
	}
	params, refusal := read(r)
	if refusal != nil {
		refusal.write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout(p.Timeout))
	defer cancel()
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs == nil && subscribes(op) && accepted.events {
		subscribe(w, r, exec, op, p.Streams, p.AtEnd)
		return
	}
	answer := execute(ctx, exec, op, errs)
	switch {
	case answer == nil:
		late(ctx).write(w)
	case accepted.only:
		answerAsEvents(w, answer, p.Streams)
	default:
		write(w, accepted.form.status(answer), answer)
	}
}

func timeout(t time.Duration) time.Duration {
	if t > 0 {
		return t
	}
	return defaultTimeout
}

// execute returns nil when ctx ended before there was an answer.
func execute(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext, errs gqlerror.List) *graphql.Response {
	if errs == nil && subscribes(op) {
		errs = gqlerror.List{{
			Message:    "a subscription does not fit into one answer: use graphql-transport-ws or server-sent events",
			Extensions: map[string]any{"code": codes.Unsupported},
		}}
	}
	if errs != nil {
		return exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	}
	next, ctx := exec.DispatchOperation(ctx, op)
	return next(ctx)
}

// answerPanic answers for a bug of ours, when gqlgen's own recovery has not: that one is around resolvers, not around
// extensions. The executor logs and masks it. Nothing was written so far, because an answer is written when it is complete.
func answerPanic(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	presenter, ok := exec.(interface {
		PresentRecoveredError(ctx context.Context, panicked any) error
	})
	if !ok {
		return
	}
	if panicked := recover(); panicked != nil {
		err := gqlerror.WrapIfUnwrapped(presenter.PresentRecoveredError(r.Context(), panicked))
		write(w, http.StatusInternalServerError, &graphql.Response{Errors: gqlerror.List{err}})
	}
}

func late(ctx context.Context) *refusal {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &refusal{http.StatusServiceUnavailable, codes.Timeout, "this took too long: ask for less at once"}
	}
	// The caller is gone; whoever sits between us may still want an answer.
	return &refusal{http.StatusServiceUnavailable, codes.Canceled, "the caller went away"}
}
