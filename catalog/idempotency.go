package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"regtok/cache"
	"regtok/ledger"
	"regtok/providers"
)

const longestKey = 255

// repeatable is a call that may have an idempotency key.
type repeatable struct {
	Repeat
	op    string
	input any // marshals as JSON, the same for the same input
	write write
}

// once makes a call, unless one with its key was made before: then what that one made is told, without its secret.
func (c *Catalog) once(ctx context.Context, r repeatable, do func(context.Context) (Rotated, error)) (Rotated, error) {
	if r.IdempotencyKey == nil {
		return do(ctx)
	}
	if n := len(*r.IdempotencyKey); n == 0 || n > longestKey {
		return refusedRotation(invalid(fmt.Sprintf("an idempotency key has 1 to %d characters; leave it out to do without", longestKey), "idempotencyKey")), nil
	}
	key := ledger.Key{Caller: r.Caller, Key: *r.IdempotencyKey}
	mine := ledger.Call{Fingerprint: fingerprint(r.op, r.input), State: ledger.Running, Began: time.Now().UTC()}
	present, claimed, err := c.ledger.Claim(ctx, key, mine)
	switch {
	case err != nil:
		written, err := r.write.failed(err)
		return Rotated{Written: written}, err
	case !claimed && present.Fingerprint != mine.Fingerprint:
		return refusedRotation(Problem{Kind: providers.Conflict, Path: []string{"idempotencyKey"},
			Message: "this idempotency key was used for something else in the last 24 hours; choose another"}), nil
	case !claimed:
		return c.earlier(ctx, r, present)
	}
	done, err := do(ctx)
	c.remember(context.WithoutCancel(ctx), key, mine, done, err)
	return done, err
}

// remember enters what became of a call. Where that fails it stays as running, so that it is not made twice.
func (c *Catalog) remember(ctx context.Context, key ledger.Key, call ledger.Call, done Rotated, failure error) {
	var err error
	switch {
	case done.Token != nil:
		call.State, call.Token, call.PreviousEnds = ledger.Done, done.Token.ID, done.PreviousEnds
		if done.Previous != nil {
			call.Previous = done.Previous.ID
		}
		err = c.ledger.Settle(ctx, key, call)
	case failure != nil || done.unknown():
		call.State = ledger.Lost
		err = c.ledger.Settle(ctx, key, call)
	default:
		err = c.ledger.Release(ctx, key)
	}
	if err != nil && c.log != nil {
		c.log.Warn("what became of a call with an idempotency key is not remembered: a repetition will be refused", "err", err)
	}
}

// unknown tells whether something may have been made that nobody can tell of.
func (r Rotated) unknown() bool {
	for _, p := range r.Problems {
		if p.Kind == providers.OutcomeUnknown {
			return true
		}
	}
	return false
}

// earlier tells what became of an earlier call of the same key and input.
func (c *Catalog) earlier(ctx context.Context, r repeatable, call ledger.Call) (Rotated, error) {
	switch call.State {
	case ledger.Running:
		return refusedRotation(Problem{Kind: providers.Conflict, Path: []string{"idempotencyKey"},
			Message: "the first call with this key, of " + call.Began.Format(time.RFC3339) + ", is still running, or was cut off: repeat this one in a moment; " +
				"if it is refused for minutes, look for the token before you use another key"}), nil
	case ledger.Lost:
		return refusedRotation(Problem{Kind: providers.OutcomeUnknown, Provider: r.write.driver.Name,
			Message: "the answer to the first call with this key, of " + call.Began.Format(time.RFC3339) + ", was lost, and nothing was sent now; " + string(r.write.advice)}), nil
	}
	told := Rotated{PreviousEnds: call.PreviousEnds}
	ids := []providers.ID{call.Token}
	if !call.Previous.IsZero() {
		ids = append(ids, call.Previous)
	}
	entries := c.TokensByID(ctx, ids)
	if err := entries[0].Err; err != nil {
		p, err := r.write.problem(err)
		if err != nil {
			return Rotated{}, err
		}
		p.Path = []string{"idempotencyKey"}
		if p.Kind == providers.NotFound {
			p.Message = "the first call with this key made a token that is gone since; use another key to make another"
		}
		told.Problems = []Problem{p}
		return told, nil
	}
	told.Token = entries[0].Value
	if len(entries) > 1 {
		told.Previous = orGone(entries[1])
	}
	return told, nil
}

// orGone is the token, and nil when it is not to be had.
func orGone(entry cache.Entry[*Token]) *Token {
	if entry.Err != nil {
		return nil
	}
	return entry.Value
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

func refusedRotation(problems ...Problem) Rotated { return Rotated{Written: Written{Problems: problems}} }
