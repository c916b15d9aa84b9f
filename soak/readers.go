package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/time/rate"
)

// reader looks in all the ways there are, at a pace.
type reader struct {
	pace    *rate.Limiter
	client  *client
	pool    *pool
	history *History
	figures *figures
}

// run reads until the context ends.
func (r *reader) run(ctx context.Context) {
	var deck []look
	for _, l := range looks() {
		for range l.share {
			deck = append(deck, l)
		}
	}
	for r.pace.Wait(ctx) == nil {
		_ = r.look(ctx, deck[rand.IntN(len(deck))])
	}
}

// look asks once, and returns what the answer lacks; empty: nothing.
func (r *reader) look(ctx context.Context, l look) string {
	asked, ok := l.ask(r.pool)
	if !ok {
		return "there is nothing to ask for"
	}
	got, via, begin, _, err := r.client.ask(ctx, question{l.query, asked.variables(), l.fresh})
	end := time.Now()
	if ctx.Err() != nil {
		return "there was no time left"
	}
	read := Read{Of: l.name, Via: via, Begin: begin, End: end, Shown: map[string]Sight{}}
	whole := err == nil && l.read(got, asked, &read)
	if whole {
		r.figures.stale(r.history.Judge(read)...)
	}
	codes := got.codes()
	switch {
	case errors.Is(err, errNobody):
		codes = []string{"NOBODY SERVES"}
	case err != nil:
		codes = []string{"CONNECTION LOST"}
	case !whole && len(codes) == 0:
		codes = []string{"NO DATA"}
	}
	r.figures.read(read, codes...)
	if len(codes) == 0 && len(read.Notes) == 0 {
		return ""
	}
	return fmt.Sprint(codes, read.Notes)
}
