package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/cache"
	"regtok/catalog"
	"regtok/codes"
	"regtok/eventlog"
	"regtok/graph/internal/model"
	"regtok/graph/internal/scalar"
	"regtok/providers"
	"regtok/server/requestid"
)

// presenter says how an error looks to the caller. What it does not know is masked and logged whole, once for each response.
type presenter struct {
	log *slog.Logger
}

func (p presenter) present(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	argument := cutArgument(ctx, shown)
	if spent, ok := errors.AsType[*providers.RequestsError](err); ok {
		shown.Message = spent.Error()
		shown = withCode(shown, codes.QueryTooCostly, "limit", "upstreamRequests")
		shown.Extensions["max"] = spent.Most
		return shown
	}
	if failure, ok := errors.AsType[*providers.Error](err); ok && codes.Known(string(failure.Kind)) {
		return p.upstream(ctx, shown, failure, cmp.Or(failure.Field, argument))
	}
	if requiresError, ok := errors.AsType[*permissionError](err); ok {
		shown.Message = requiresError.Error()
		return withCode(shown, string(providers.Forbidden), "permission", string(requiresError.permission))
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		shown.Message = "the answer took too long; ask for less at a time, or try again"
		return withCode(shown, codes.Timeout)
	case errors.Is(err, context.Canceled):
		shown.Message = "the request was given up"
		return withCode(shown, codes.Canceled)
	}
	if errors.Is(err, eventlog.ErrUnavailable) || errors.Is(err, eventlog.ErrClosed) {
		if worthTelling(ctx, "events", err) {
			p.log.WarnContext(ctx, "the events are not available", "err", err)
		}
		shown.Message = "the events cannot be read at the moment; try again"
		return withCode(shown, string(providers.Unavailable))
	}
	if already, ok := errors.AsType[*gqlerror.Error](err); ok && already.Extensions["code"] != nil {
		return shown // made by us, for the caller
	}
	if worthTelling(ctx, "resolver", shown.Message) {
		p.log.ErrorContext(ctx, "a resolver failed", "err", err, "path", shown.Path.String(), "stack", stackOf(err))
	}
	return p.masked(ctx, shown)
}

// upstream shows a failure of a provider, without anything of its answer but a message meant for people.
func (p presenter) upstream(ctx context.Context, shown *gqlerror.Error, e *providers.Error, argument string) *gqlerror.Error {
	if e.Kind == providers.Invalid && e.Provider != "" { // nothing that a caller gives reaches a provider unchecked
		return p.misconfigured(ctx, shown, e)
	}
	switch e.Kind {
	case providers.Canceled:
		shown.Message = "the request was given up"
		return withCode(shown, codes.Canceled)
	case providers.Invalid, providers.NotFound, providers.Conflict, providers.Unsupported:
		shown.Message = e.Message
		if shown.Message == "" {
			shown.Message = "the provider has no such thing, or does not show it to this server"
		}
	default:
		_, shown.Message, _ = catalog.Explain(e)
		if e.Provider == "" && e.Message != "" { // what this server itself needs, and says so
			shown.Message = e.Message
			if worthTelling(ctx, e.Op, e.Kind) {
				p.log.WarnContext(ctx, "what this server needs is not there", "op", e.Op, "kind", e.Kind, "err", e.Err)
			}
			break
		}
		if worthTelling(ctx, e.Provider, e.Op, e.Kind, e.Reason, e.Status) {
			p.log.WarnContext(ctx, "a provider failed", "provider", e.Provider, "op", e.Op, "kind", e.Kind, "reason", e.Reason, "status", e.Status)
		}
	}
	shown = withCode(shown, string(e.Kind))
	if e.Provider != "" {
		shown.Extensions["provider"] = e.Provider
	}
	if argument != "" {
		shown.Extensions["argument"] = argument
	}
	if e.Reason != "" {
		shown.Extensions["reason"] = string(e.Reason)
	}
	if e.RequiredScope != "" {
		shown.Extensions["requiredScope"] = e.RequiredScope
	}
	if e.RetryAfter > 0 {
		shown.Extensions["retryAfter"] = scalar.FormatDuration(model.WholeSeconds(e.RetryAfter))
	}
	return shown
}

// misconfigured shows what a provider does not understand of this server: its operator's matter, so the log tells all.
func (p presenter) misconfigured(ctx context.Context, shown *gqlerror.Error, e *providers.Error) *gqlerror.Error {
	if worthTelling(ctx, "settings", e.Provider, e.Op, e.Field, e.Status) {
		p.log.ErrorContext(ctx, "an account's settings do not fit", "provider", e.Provider, "op", e.Op, "setting", e.Field,
			"status", e.Status, "message", catalog.OwnMessage(e))
	}
	_, shown.Message, _ = catalog.Explain(e)
	return withCode(shown, string(providers.Forbidden), "provider", e.Provider)
}

// cutArgument takes from an error's path what leads into the arguments of its field, and returns that.
func cutArgument(ctx context.Context, e *gqlerror.Error) string {
	field := graphql.GetPath(ctx)
	if graphql.GetFieldContext(ctx) == nil || len(e.Path) <= len(field) {
		return ""
	}
	argument := e.Path[len(field):].String()
	e.Path = field
	return argument
}

func (p presenter) masked(ctx context.Context, shown *gqlerror.Error) *gqlerror.Error {
	shown.Message = "something went wrong in this server; its log has the details under the request id"
	return withCode(shown, codes.Internal, "requestId", requestid.FromContext(ctx))
}

// recovered turns a panic of a resolver into an error that present masks.
func (p presenter) recovered(_ context.Context, panicked any) error { return newPanicError(panicked) }

func withCode(e *gqlerror.Error, code string, more ...string) *gqlerror.Error {
	e.Extensions = map[string]any{"code": code}
	for i := 0; i+1 < len(more); i += 2 {
		e.Extensions[more[i]] = more[i+1]
	}
	return e
}

// panicError is a panic of a resolver.
type panicError struct {
	value any
	stack []byte
}

// newPanicError is to be called while the panic is recovered: then the stack still leads to where it was.
func newPanicError(panicked any) error { return &panicError{panicked, debug.Stack()} }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// stackOf is where err's panic was; empty: it is no panic.
func stackOf(err error) string {
	if e, ok := errors.AsType[*panicError](err); ok {
		return string(e.stack)
	}
	if e, ok := errors.AsType[*cache.PanicError](err); ok {
		return string(e.Stack)
	}
	return ""
}
