package providers

import "context"

// Priority says who a request is for, and with it who goes first when a provider's allowance is short.
type Priority int

// The priorities. A context that says nothing is Reading.
const (
	// Sweeping keeps the inventory fresh; nobody waits for it.
	Sweeping Priority = iota - 1
	// Reading answers a query.
	Reading
	// Writing is a change, and what has to be read for it.
	Writing
)

type (
	priorityKey struct{}
	termKey     struct{}
	coveredKey  struct{}
)

// WithPriority returns a context whose requests have that priority.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// PriorityOf is the priority of a context's requests.
func PriorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return p
}

// WithTerm returns a context whose requests belong to a sweeper's term of office. Terms grow: where a later one is
// known, requests of this one are refused.
func WithTerm(ctx context.Context, term uint64) context.Context {
	return context.WithValue(ctx, termKey{}, term)
}

// TermOf is the term that a context's requests belong to; 0: none.
func TermOf(ctx context.Context) uint64 {
	term, _ := ctx.Value(termKey{}).(uint64)
	return term
}

// WithCover returns a context whose caller has old data to show, and gets nothing out of waiting: where the allowance is
// used up its requests are RateLimited at once.
func WithCover(ctx context.Context) context.Context {
	return context.WithValue(ctx, coveredKey{}, true)
}

// Covered tells whether a context's caller has old data to show.
func Covered(ctx context.Context) bool {
	covered, _ := ctx.Value(coveredKey{}).(bool)
	return covered
}
