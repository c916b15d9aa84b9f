package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"regtok/cache"
	"regtok/ledger"
	"regtok/providers"
)

// A call with an idempotency key is entered in the ledger before anything else is done. What it did is entered when it is
// done; when it did nothing its key is free again. When nobody can tell, because the answer was lost or the process died, the
// key stays taken, and nothing is sent by it.

// longestKey is in characters.
const longestKey = 255

// cutOff is how old a call is that cannot be running any more: older than any operation may take.
const cutOff = ledger.RotationLease

// repeatable is a call that may have an idempotency key.
type repeatable struct {
	Repeat
	op    string
	input any // marshals as JSON, the same for the same input
	write write
}

// once makes a call, unless one with its key was made before: then what that one made is told, without its secret.
func (c *Catalog) once(ctx context.Context, r repeatable, do func(context.Context) (Rotated, error)) (Rotated, error) {
	if r.IdempotencyKey == nil || !c.mine(ctx, r.write) { // what is nobody's is refused in any case
		return do(ctx)
	}
	if !validKey(*r.IdempotencyKey) {
		return refusal(invalid(fmt.Sprintf("an idempotency key has 1 to %d characters, none of them a control character; "+
			"leave it out to do without", longestKey), "idempotencyKey")), nil
	}
	key := ledger.Key{Caller: r.Caller, Key: *r.IdempotencyKey}
	mine := ledger.Call{Fingerprint: fingerprint(r.op, r.input), State: ledger.Running, Began: time.Now().UTC()}
	var present ledger.Call
	var claimed bool
	err := c.aside(ctx, func(ctx context.Context) (err error) {
		present, claimed, err = c.ledger.Claim(ctx, key, mine)
		return err
	})
	switch {
	case err != nil:
		written, err := r.write.failed(err)
		for i := range written.Problems {
			written.Problems[i].Path = []string{"idempotencyKey"}
		}
		return Rotated{Written: written}, err
	case !claimed && present.Fingerprint != mine.Fingerprint:
		return refusal(Problem{Kind: providers.Conflict, Path: []string{"idempotencyKey"},
			Message: "this idempotency key was used for something else in the last 24 hours; choose another"}), nil
	case !claimed:
		return c.earlier(ctx, r, present)
	}
	done, err := do(ctx)
	c.remember(ctx, key, mine, done, err)
	return done, err
}

func validKey(key string) bool {
	n := utf8.RuneCountInString(key)
	return n > 0 && n <= longestKey && utf8.ValidString(key) && !strings.ContainsFunc(key, unicode.IsControl)
}

// remember enters what became of a call. Where that fails it stays as running, so that it is not made twice.
func (c *Catalog) remember(ctx context.Context, key ledger.Key, call ledger.Call, done Rotated, failure error) {
	enter := func(ctx context.Context) error { return c.ledger.Release(ctx, key) }
	switch {
	case done.Token != nil:
		call.State, call.Token, call.PreviousEnds = ledger.Done, done.Token.ID, done.PreviousEnds
		if done.Previous != nil {
			call.Previous = done.Previous.ID
			call.Unended = len(done.Problems) > 0
		}
		enter = func(ctx context.Context) error { return c.ledger.Settle(ctx, key, call) }
	case failure != nil && !before(failure), has(done.Problems, providers.OutcomeUnknown):
		call.State = ledger.Lost
		enter = func(ctx context.Context) error { return c.ledger.Settle(ctx, key, call) }
	}
	err := survived(func() error { return c.aside(ctx, enter) })
	if err != nil {
		c.log.Warn("what became of a call with an idempotency key is not remembered: a repetition will be refused", "err", err)
	}
}

// before tells whether an error that is no Problem came before anything was sent: the caller left, or this server's time was
// over. Adapters' errors are *providers.Error; what else there is may have come at any time.
func before(err error) bool {
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cache.ErrClosed)
	return ended && providers.KindOf(err) == ""
}

// earlier tells what became of an earlier call of the same key and input.
func (c *Catalog) earlier(ctx context.Context, r repeatable, call ledger.Call) (Rotated, error) {
	began := call.Began.UTC().Format(time.RFC3339)
	switch {
	case call.State == ledger.Lost:
		return refusal(r.lost(began, "lost its answer")), nil
	case call.State == ledger.Running && time.Since(call.Began) > cutOff:
		return refusal(r.lost(began, "was cut off")), nil
	case call.State == ledger.Running:
		return refusal(Problem{Kind: providers.Conflict, Path: []string{"idempotencyKey"},
			Message: "the first call with this key, of " + began + ", is still running: repeat this one in a moment"}), nil
	}
	ids := []providers.ID{call.Token}
	if !call.Previous.IsZero() {
		ids = append(ids, call.Previous)
	}
	entries := c.TokensByID(ctx, ids)
	if providers.KindOf(entries[0].Err) == providers.NotFound { // this process may not have heard yet that it was made
		entries = c.TokensByID(cache.NoCache(ctx), ids)
	}
	told := Rotated{Written: Written{Token: entries[0].Value}, repeated: true, PreviousEnds: call.PreviousEnds}
	err := r.missing(&told, entries[0].Err, "token")
	if len(entries) > 1 && err == nil {
		told.Previous = entries[1].Value
		err = r.missing(&told, unlessGone(entries[1].Err), "previous")
	}
	if told.Previous != nil && call.Unended {
		told.Problems = append(told.Problems, Problem{
			Kind: providers.OutcomeUnknown, Provider: r.write.driver.Name, Path: []string{"overlap"},
			Message: "the first call with this key made the new token, but could not set the old one's end; " + string(lookAtPrevious),
		})
	}
	return told, err
}

// lost says that nobody can tell what became of an earlier call.
func (r repeatable) lost(began, why string) Problem {
	return Problem{Kind: providers.OutcomeUnknown, Provider: r.write.driver.Name, Path: []string{"idempotencyKey"},
		Message: "the first call with this key, of " + began + ", " + why + ", and nothing was sent now; " + string(r.write.advice) +
			", with another key"}
}

// missing tells why a token that an earlier call made or left cannot be told.
func (r repeatable) missing(told *Rotated, err error, which string) error {
	if err == nil {
		return nil
	}
	p, fault := r.write.problem(err)
	if fault != nil {
		return fault
	}
	p.Path = []string{"idempotencyKey"}
	p.Message = "the first call with this key was done, but its " + which + " cannot be read now: " + p.Message
	if p.Kind == providers.NotFound {
		p.Message = "the first call with this key made a token that is gone since; use another key to make another"
	}
	told.Problems = append(told.Problems, p)
	return nil
}

// MarshalJSON writes an expiry for a fingerprint: one moment alike in every zone, and any moment at all.
func (e Expiry) MarshalJSON() ([]byte, error) {
	at := ""
	if e.At != nil {
		at = instant(*e.At)
	}
	return json.Marshal(struct {
		At    string
		In    *time.Duration
		Never *bool
	}{at, e.In, e.Never})
}

// fingerprint is the same for the same operation and input, in every process.
func fingerprint(op string, input any) string {
	text, err := json.Marshal(input)
	if err != nil {
		panic("an input does not encode: " + err.Error())
	}
	sum := sha256.Sum256([]byte(cache.Join(op, string(text))))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// refusal is what became of a call that made nothing.
func refusal(problems ...Problem) Rotated {
	return Rotated{Written: Written{Problems: problems}}
}
