// Package transport carries GraphQL over HTTP, after the draft of that name.
package transport

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const defaultTimeout = 30 * time.Second

// POST answers one query or mutation a request. Add it as the last transport: it takes whatever no other one took, and
// refuses what it cannot answer (405, 406, 415) in GraphQL's own form. Nothing of a request's body comes back in such an
// answer, and nothing of it is logged. The body is as long as its reader allows: wrap it in [http.MaxBytesReader].
// The zero value is ready to use, and safe to share.
type POST struct {
	// Timeout is how long an operation may take. 0: 30 s.
	Timeout time.Duration
}

var _ graphql.Transport = POST{}

// Supports implements graphql.Transport: it is true of every request.
func (POST) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (p POST) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	form, refusal := accept(r)
	w.Header().Set("Content-Type", form.contentType())
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
	ctx, cancel := context.WithTimeout(r.Context(), p.timeout())
	defer cancel()
	answer := execute(ctx, exec, params)
	if answer == nil {
		late(ctx).write(w)
		return
	}
	write(w, form.status(answer), answer)
}

func (p POST) timeout() time.Duration {
	if p.Timeout > 0 {
		return p.Timeout
	}
	return defaultTimeout
}

// execute returns nil when ctx ended before there was an answer.
func execute(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) *graphql.Response {
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs == nil && op.Operation.Operation == ast.Subscription {
		errs = gqlerror.List{{
			Message:    "a subscription does not fit into one answer: use graphql-transport-ws or server-sent events",
			Extensions: map[string]any{"code": "UNSUPPORTED"},
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
		return &refusal{http.StatusServiceUnavailable, "TIMEOUT", "this took too long: ask for less at once"}
	}
	// The caller is gone; whoever sits between us may still want an answer.
	return &refusal{http.StatusServiceUnavailable, "CANCELED", "the caller went away"}
}
