package rest

import (
	"context"
	"net/http"
	"sync"
	"time"

	"regtok/providers"
	"regtok/providers/budget"
)

const (
	// maxLimitsBody is how much of a 429's body Driver.Limits is promised.
	maxLimitsBody = 4 << 10
	// coveredPatience is how long a caller waits who has old data: for another request's answer, that tells what is left,
	// and not until an allowance is new.
	coveredPatience = 500 * time.Millisecond
	// sweepPatience is how long a sweep waits. It keeps a pace of its own, beside which a window may end somewhat late.
	sweepPatience = 3 * time.Second
	// momentary is the longest wait that is for another request's answer and not for an allowance: it says nothing of a
	// limit, so whoever runs out of time meanwhile has met a provider that does not answer.
	momentary = 50 * time.Millisecond
	// forAnAnswer is what has to be left of a caller's time after a wait.
	forAnAnswer = time.Second
	// worthTelling is the shortest wait for an allowance that the log tells of.
	worthTelling = time.Second
	// shortestReset stands for a reset of 0 s on a used up allowance: less than a second is left.
	shortestReset = time.Second
)

// acquire takes one request out of the budget. When the budget is used up it waits, or is RateLimited with the wait
// when that does not fit. An operation that has sent all it may is RateLimited, too. A sweep whose term is over is Canceled.
func (t *Transport) acquire(req *http.Request, m *marks) (*counted, *providers.Error) {
	ctx, began := req.Context(), time.Now()
	if err := providers.CountRequest(ctx); err != nil {
		return nil, &providers.Error{Kind: providers.RateLimited, Err: err}
	}
	request := budget.Request{
		Priority: providers.PriorityOf(ctx), Term: providers.TermOf(ctx), Of: t.limitedBy(req), Covered: renews(ctx),
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, gone(err)
		}
		// Before the wait, because an open breaker answers at once.
		if err := t.breaker.check(); err != nil {
			return nil, err
		}
		heard := t.news.next()
		request.Patience = t.patience(ctx, began)
		ticket, wait := t.budget.Take(ctx, request)
		switch {
		case ticket != nil:
			return &counted{ticket: ticket, news: &t.news}, nil
		case wait == budget.Never:
			return nil, &providers.Error{Kind: providers.Canceled, Err: errTermOver}
		case wait > request.Patience:
			return nil, &providers.Error{Kind: providers.RateLimited, RetryAfter: wait}
		}
		// A sweep keeps a pace, and waiting belongs to that.
		if request.Priority != providers.Sweeping && t.pauses.begins(time.Now(), wait) {
			t.log.Warn("waiting for the provider's allowance", "op", m.op, "wait", wait)
		}
		if wait >= worthTelling {
			heard = nil // an answer changes nothing
		}
		if err := sleepUntil(ctx, wait, heard); err != nil {
			return nil, gone(err)
		}
	}
}

// renews tells whether a read is for readers who have old data.
func renews(ctx context.Context) bool {
	return providers.Covered(ctx) && providers.PriorityOf(ctx) == providers.Reading
}

// patience is how much longer who has waited for an allowance since began can wait, and has time left then in which an
// answer can come. For somebody's answer a caller with a deadline waits until that. It is never 0.
func (t *Transport) patience(ctx context.Context, began time.Time) time.Duration {
	patience, least := t.timeout, time.Nanosecond
	deadline, limited := ctx.Deadline()
	if limited {
		whole := deadline.Sub(began)
		patience = whole - min(whole/4, forAnAnswer)
	}
	switch {
	case providers.PriorityOf(ctx) == providers.Sweeping:
		patience = min(patience, sweepPatience)
	case providers.Covered(ctx):
		patience = min(patience, coveredPatience)
	case limited:
		least = momentary
	}
	return max(patience-time.Since(began), least)
}

// counted is a request that the budget has counted, until it is told what came of it. Those who wait to know are woken.
type counted struct {
	ticket *budget.Ticket
	news   *news
	told   bool
}

// settle tells that there is an answer, lost that there may be one which nobody hears, never that nothing was sent.
func (c *counted) settle(a budget.Answer) { c.tell(func() { c.ticket.Settle(a) }) }
func (c *counted) lost()                  { c.tell(c.ticket.Lost) }
func (c *counted) never()                 { c.tell(c.ticket.Return) }

func (c *counted) tell(what func()) {
	c.told = true
	what()
	c.news.tell()
}

// forgotten is for a request that panicked.
func (c *counted) forgotten() {
	if !c.told {
		c.lost()
	}
}

// news wakes who waits for another request's answer.
type news struct {
	mu      sync.Mutex
	waiting chan struct{} // nil: nobody waits
}

// next is closed at the next news.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting == nil {
		n.waiting = make(chan struct{})
	}
	return n.waiting
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting != nil {
		close(n.waiting)
		n.waiting = nil
	}
}

// pauses are the times in which an account's requests wait, for the log: many wait for the same.
type pauses struct {
	mu   sync.Mutex
	ends time.Time
}

// begins tells whether a wait is the first of a pause that is worth telling of.
func (p *pauses) begins(now time.Time, wait time.Duration) bool {
	if wait < worthTelling {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.ends) {
		return false
	}
	p.ends = now.Add(wait)
	return true
}

// learn tells the budget what came of a request. body is what was read of a refusal's.
func (t *Transport) learn(c *counted, req *http.Request, m *marks, resp *http.Response, body []byte) {
	answer := budget.Answer{Refused: resp.StatusCode == http.StatusTooManyRequests}
	if t.limits != nil {
		answer.Told = t.limits(req, resp.StatusCode, resp.Header, body[:min(len(body), maxLimitsBody)])
	}
	if answer.Refused {
		t.log.Warn("allowance used up", "op", m.op)
		answer.RetryAfter = retryAfter(resp.Header, time.Now())
		m.wait = wantedWait(answer)
	}
	c.settle(answer)
}

// wantedWait is how long a refusal asks to wait; 0: it does not say.
func wantedWait(refusal budget.Answer) time.Duration {
	if refusal.RetryAfter > 0 {
		return refusal.RetryAfter
	}
	var wait time.Duration
	for _, limit := range refusal.Told {
		if limit.Remaining <= 0 {
			wait = max(wait, limit.Reset, shortestReset)
		}
	}
	return wait
}
