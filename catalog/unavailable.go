package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"regtok/cache"
	"regtok/providers"
)

// Unavailable is a source that is missing from a list, or that answers with old data.
type Unavailable struct {
	Account *Account
	// Organization or Registry is set when only that one is missing.
	Organization, Registry providers.ID
	Reason                 UnavailableReason
	// Message is for people and holds no upstream text.
	Message    string
	RetryAfter time.Duration // 0: not known
	StaleSince time.Time     // when the data in the list left the provider; zero: nothing of this source is in the list
}

// UnavailableReason says why a source is missing.
type UnavailableReason string

// The reasons why a source is missing.
const (
	Unreachable     UnavailableReason = "UNREACHABLE"
	TimedOut        UnavailableReason = "TIMEOUT"
	RateLimited     UnavailableReason = "RATE_LIMITED"
	Unauthorized    UnavailableReason = "UNAUTHORIZED"
	Forbidden       UnavailableReason = "FORBIDDEN"
	CircuitOpen     UnavailableReason = "CIRCUIT_OPEN"
	InvalidResponse UnavailableReason = "INVALID_RESPONSE"
)

// Explain tells why a source is missing, without any upstream text.
func Explain(err error) (reason UnavailableReason, message string, retryAfter time.Duration) {
	e, ok := errors.AsType[*providers.Error](err)
	if f, filling := errors.AsType[*fillingError](err); filling {
		return RateLimited, f.message(), e.RetryAfter
	}
	if spent, of := errors.AsType[*providers.RequestsError](err); of {
		return RateLimited, spent.Error(), 0
	}
	switch {
	case !ok && errors.Is(err, context.DeadlineExceeded):
		return TimedOut, "the provider did not answer in time", 0
	case errors.Is(err, cache.ErrForgotten):
		return Unreachable, "this server cannot tell whether another has changed it since, and will read it again", time.Second
	case errors.Is(err, cache.ErrUnconfirmed):
		return Unreachable, "this server has lost touch with the others, which may have changed it a moment ago", time.Second
	case !ok:
		return Unreachable, "the provider could not be read", 0
	case e.Kind == providers.RateLimited:
		return RateLimited, "the provider's request allowance is used up for now", e.RetryAfter
	case e.Kind == providers.Unauthorized:
		return Unauthorized, "the provider refuses this server's credential", 0
	case e.Kind == providers.Forbidden && e.RequiredScope != "":
		return Forbidden, "this server's credential may not read it; it may lack the right " + e.RequiredScope, 0
	case e.Kind == providers.Forbidden:
		return Forbidden, "this server's credential may not read it", 0
	case e.Kind == providers.NotFound, e.Kind == providers.Invalid:
		return Forbidden, "the provider has no such thing, or does not show it to this server; the account's settings may be wrong", 0
	case e.Reason == providers.Timeout:
		return TimedOut, "the provider did not answer in time", e.RetryAfter
	case e.Reason == providers.CircuitOpen:
		return CircuitOpen, "the provider failed so often of late that it is left alone for a moment", e.RetryAfter
	case e.Reason == providers.InvalidResponse:
		return InvalidResponse, "the provider's answer makes no sense", e.RetryAfter
	}
	return Unreachable, "the provider could not be reached, or has a fault", e.RetryAfter
}

// Old notes a source whose entry is old because its provider failed; nothing when it is fresh.
func Old[V any](source Unavailable, entry cache.Entry[V]) []Unavailable {
	var g gaps
	g.note(source, entry.Err, heldSince(entry), entry.Cause)
	return g.list
}

// heldSince is when the value of an entry that is no longer fresh left its provider; zero for a fresh one.
func heldSince[V any](entry cache.Entry[V]) time.Time {
	if entry.StaleSince.IsZero() {
		return time.Time{}
	}
	return entry.ObservedAt
}

// gaps collects what a list lacks, from several goroutines.
type gaps struct {
	log  *slog.Logger // nil: nobody
	mu   sync.Mutex
	list []Unavailable
}

// note records what a source's entry lacks: all of it, or what has changed since it became old.
func (g *gaps) note(u Unavailable, err error, staleSince time.Time, cause error) {
	switch {
	case err != nil:
	case staleSince.IsZero(), cause == nil: // fresh, or old by a moment and being renewed
		return
	default:
		u.StaleSince, err = staleSince, cause
	}
	if g.log != nil && !explained(err) {
		g.log.Error("a source failed", "provider", u.Account.Driver.Name, "account", u.Account.Name, "err", err, "message", OwnMessage(err))
	}
	u.Reason, u.Message, u.RetryAfter = Explain(err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, u)
}

// OwnMessage is the message of an error that no answer brought: it is ours, so it may stand in a log.
func OwnMessage(err error) string {
	if e, ok := errors.AsType[*providers.Error](err); ok && e.Status == 0 {
		return e.Message
	}
	return ""
}

// explained tells whether Explain says all that there is to say. What it does not know is a fault of this server's, and
// what a provider finds invalid in a read is one of its settings.
func explained(err error) bool {
	e, known := errors.AsType[*providers.Error](err)
	return known && e.Kind != providers.Invalid || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, cache.ErrClosed) || errors.Is(err, cache.ErrUnconfirmed)
}

// mostNotes is how many lists of one account are named one by one that lack the same for the same reason.
const mostNotes = 10

// sorted is what was noted, in one order however the goroutines ran. None may run any more. When an account lacks the
// same in very many lists, that is one note.
func (g *gaps) sorted() []Unavailable {
	g.list = merged(g.list)
	slices.SortStableFunc(g.list, func(a, b Unavailable) int {
		return cmp.Or(
			compareIDs(a.Account.ID(), b.Account.ID()),
			compareIDs(a.Organization, b.Organization),
			compareIDs(a.Registry, b.Registry),
			cmp.Compare(a.Reason, b.Reason),
			a.StaleSince.Compare(b.StaleSince),
		)
	})
	return g.list
}

// merged makes one note of more than mostNotes of one account and reason.
func merged(notes []Unavailable) []Unavailable {
	type same struct {
		account *Account
		reason  UnavailableReason
		held    bool
	}
	of := func(u Unavailable) same { return same{u.Account, u.Reason, !u.StaleSince.IsZero()} }
	count := map[same]int{}
	for _, u := range notes {
		count[of(u)]++
	}
	var few []Unavailable
	many := map[same]Unavailable{}
	for _, u := range notes {
		n := count[of(u)]
		if n <= mostNotes {
			few = append(few, u)
			continue
		}
		one, begun := many[of(u)]
		if !begun {
			one = Unavailable{Account: u.Account, Reason: u.Reason, Message: fmt.Sprintf("%s (%d lists)", u.Message, n), StaleSince: u.StaleSince}
		}
		one.RetryAfter = max(one.RetryAfter, u.RetryAfter)
		if u.StaleSince.Before(one.StaleSince) {
			one.StaleSince = u.StaleSince
		}
		many[of(u)] = one
	}
	return slices.AppendSeq(few, maps.Values(many))
}

// unlessGone is no error for what is gone, or was never there: a list lacks nothing of it.
func unlessGone(err error) error {
	if providers.KindOf(err) == providers.NotFound {
		return nil
	}
	return err
}
