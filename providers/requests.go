package providers

import (
	"context"
	"fmt"
	"sync/atomic"
)

type requestsKey struct{}

// requests are those that may be sent for one operation.
type requests struct {
	most int
	sent atomic.Int64
}

// WithRequests returns a context for which at most so many requests are sent to providers, repetitions too, by all that reads
// for it. What is written is not counted: it is not to end halfway.
func WithRequests(ctx context.Context, most int) context.Context {
	return context.WithValue(ctx, requestsKey{}, &requests{most: most})
}

// CountRequest counts a request that is about to be sent. It is a *RequestsError when the context has sent all that it may.
func CountRequest(ctx context.Context) error {
	r, limited := ctx.Value(requestsKey{}).(*requests)
	if !limited || PriorityOf(ctx) != Reading || r.sent.Add(1) <= int64(r.most) {
		return nil
	}
	return &RequestsError{r.most}
}

// RequestsError says that an operation has sent as many requests to providers as it may.
type RequestsError struct{ Most int }

// Error is for the operation's caller.
func (e *RequestsError) Error() string {
	return fmt.Sprintf("this operation has sent %d requests to providers, which is all that it may: ask for less at a time", e.Most)
}
