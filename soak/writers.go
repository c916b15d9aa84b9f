package soak

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// writer changes tokens of one account at a pace that its provider allows.
type writer struct {
	account string
	renames bool // tokens of this account can be given other names
	most    int  // tokens that it keeps
	turns   atomic.Int64
	pace    *rate.Limiter
	client  *client
	pool    *pool
	history *History
	figures *figures
}

const (
	createToken = `mutation($in: CreateTokenInput!) { done: createToken(input: $in) { token { id name expiresAt } errors { code message } } }`
	patchToken  = `mutation($in: PatchTokenInput!) { done: patchToken(input: $in) { token { id name expiresAt } errors { code message } } }`
	deleteToken = `mutation($in: DeleteTokenInput!) { done: deleteToken(input: $in) { deletedTokenId errors { code message } } }`
)

// acts are what a writer does in turn, over and over.
var acts = [...]string{"create", "create", "patch", "delete", "create", "patch", "patch", "patch"}

// run writes until the context ends, and leaves a write that has begun to its fate. Several may run at once.
func (w *writer) run(ctx context.Context) {
	for w.pace.Wait(ctx) == nil {
		act := acts[int(w.turns.Add(1)-1)%len(acts)]
		if act == "create" && w.pool.size(w.account) < w.most {
			w.create(ctx)
			continue
		}
		token := w.pool.take(w.account)
		switch {
		case token == nil: // all are being written to
		case act == "delete":
			w.delete(ctx, token)
		default:
			w.patch(ctx, token)
		}
	}
}

func (w *writer) create(ctx context.Context) {
	token := &kept{place: w.pool.pick(w.account), renames: w.renames, number: w.pool.number()}
	name, expiry, value := token.shape()
	input := map[string]any{"registryId": token.place.Registry, "name": name}
	if expiry != nil {
		input["expiry"] = expiry
	}
	var done struct{ Token tokenShown }
	wrote := w.write(ctx, "create", createToken, input, &done)
	if wrote.outcome != acknowledged {
		return // what may have been made is nobody's
	}
	token.id = done.Token.ID
	w.history.Created(token.id, token.place, value, wrote.via, wrote.begin, wrote.end)
	w.pool.put(token)
}

func (w *writer) patch(ctx context.Context, token *kept) {
	token.turn++
	name, expiry, value := token.shape()
	input := map[string]any{"token": map[string]any{"id": token.id}}
	if expiry != nil {
		input["expiry"] = expiry
	} else {
		input["name"] = name
	}
	change := w.history.Patch(token.id, value, w.account, time.Now())
	switch wrote := w.write(ctx, "patch", patchToken, input, nil); wrote.settle(change) {
	case acknowledged, undone:
		w.pool.put(token)
	}
}

func (w *writer) delete(ctx context.Context, token *kept) {
	change := w.history.Delete(token.id, w.account, time.Now())
	input := map[string]any{"token": map[string]any{"id": token.id}}
	if w.write(ctx, "delete", deleteToken, input, nil).settle(change) == undone {
		w.pool.put(token)
	}
}

// wrote is how a write went.
type wrote struct {
	via        string
	begin, end time.Time
	outcome    outcome
}

// settle tells the history how the change went. A token whose state is not known is left alone from then on.
func (w wrote) settle(change *Change) outcome {
	change.by(w.via)
	switch w.outcome {
	case acknowledged:
		change.Acknowledged(w.end)
	case undone:
		change.Undone()
	default:
		change.Unknown(w.end)
	}
	return w.outcome
}

// write sends a mutation.
func (w *writer) write(ctx context.Context, kind, mutation string, input map[string]any, done any) wrote {
	got, via, begin, sent, err := w.client.ask(ctx, question{query: mutation, variables: map[string]any{"in": input}})
	end := time.Now()
	var payload struct {
		Errors []struct{ Code, Message string }
	}
	switch whole := got.into("done", &payload); {
	case ctx.Err() != nil:
		return wrote{via, begin, end, unknown}
	case !sent:
		w.figures.wrote(w.account, kind, end.Sub(begin), "NOBODY SERVES")
		return wrote{via, begin, end, undone}
	case err != nil:
		w.figures.wrote(w.account, kind, end.Sub(begin), "CONNECTION LOST")
		return wrote{via, begin, end, unknown}
	case !whole:
		w.figures.wrote(w.account, kind, end.Sub(begin), got.codes()...)
		return wrote{via, begin, end, unknown}
	}
	var codes []string
	for _, e := range payload.Errors {
		codes = append(codes, e.Code)
	}
	w.figures.wrote(w.account, kind, end.Sub(begin), codes...)
	switch {
	case slices.Contains(codes, "OUTCOME_UNKNOWN"):
		return wrote{via, begin, end, unknown}
	case len(codes) > 0:
		return wrote{via, begin, end, undone}
	}
	if done != nil {
		got.into("done", done)
	}
	return wrote{via, begin, end, acknowledged}
}
