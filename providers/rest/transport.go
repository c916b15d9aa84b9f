package rest

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"regtok/providers"
	"regtok/providers/budget"
)

// TransportConfig is what a [Transport] needs. Zero values mean the defaults.
type TransportConfig struct {
	// Provider is the driver's name, Account the account's in the configuration.
	Provider, Account string
	// Base sends the requests. Nil: http.DefaultTransport's settings, with room for 64 idle connections to a host.
	Base http.RoundTripper
	// Limits is Driver.Limits; nil: the provider tells of no allowance.
	Limits func(r *http.Request, status int, header http.Header, body []byte) []providers.Limit
	// LimitedBy is Driver.LimitedBy; nil: no allowance is one of several.
	LimitedBy func(*http.Request) string
	// Budget counts the account's requests; whoever made it closes it, after the last request. Nil: one of the
	// transport's own, that learns from answers alone.
	Budget *budget.Budget
	// Timeout bounds one try, from sending to the last byte of the body. 0: 10 s. It is also how long a caller
	// without a deadline is taken to wait for an allowance or a repetition.
	Timeout time.Duration
	// Tries is how often a request is sent at most. 0: 3.
	Tries int
	// BreakerFailures in a row open the breaker, 0: 5. After BreakerDelay one request may try again, 0: 10 s.
	BreakerFailures int
	BreakerDelay    time.Duration
	// Log gets a warning about what was coped with; nil: none.
	Log *slog.Logger
	// Observe is called once for each try, when its answer has been read. It must be quick and safe for
	// concurrent use. Nil: nobody looks.
	Observe func(Observation)
}

const (
	defaultTimeout         = 10 * time.Second
	defaultTries           = 3
	defaultBreakerFailures = 5
	defaultBreakerDelay    = 10 * time.Second
	idleConnections        = 64
	// At most retryBurst repetitions at once and then one a second, so that an account does not multiply its calls
	// while its provider struggles.
	retryBurst = 10
)

// Transport carries one account's requests through the provider's bad days:
//
//   - a request that may be repeated is, after a broken connection, a time-out, or 500, 502, 503 or 504, with
//     jittered pauses that fit the caller's deadline and within a budget that the account's requests share;
//   - a 429 was not executed, so whatever the method the wait that it asks for is waited and the request repeated,
//     if that fits the deadline;
//   - an allowance that is known to be used up is waited for in the same way, or refused as RateLimited unsent; who
//     gets nothing out of waiting, a sweep or a caller with old data, is refused at once;
//   - after failures in a row the breaker refuses with Unavailable and CircuitOpen for a while, unsent.
//
// What a request is called and whether it may be repeated comes from [API.Do]; other requests may be repeated when
// they are GETs. Make one Transport for each account; it is safe for concurrent use.
type Transport struct {
	provider, account string
	base              http.RoundTripper
	limits            func(r *http.Request, status int, header http.Header, body []byte) []providers.Limit
	limitedBy         func(*http.Request) string
	timeout           time.Duration
	tries             int
	breaker           *breaker
	budget            *budget.Budget
	pauses            pauses
	news              news
	repeats           *rate.Limiter
	health            health
	log               *slog.Logger
	observe           func(Observation)
}

var _ http.RoundTripper = (*Transport)(nil)

// NewTransport makes the transport of one account.
func NewTransport(config TransportConfig) *Transport {
	t := &Transport{
		provider:  config.Provider,
		account:   config.Account,
		base:      config.Base,
		limits:    config.Limits,
		limitedBy: config.LimitedBy,
		timeout:   config.Timeout,
		tries:     config.Tries,
		budget:    config.Budget,
		repeats:   rate.NewLimiter(rate.Every(time.Second), retryBurst),
		log:       config.Log,
		observe:   config.Observe,
	}
	if t.base == nil {
		t.base = newBase()
	}
	if t.limitedBy == nil {
		t.limitedBy = func(*http.Request) string { return "" }
	}
	if t.timeout <= 0 {
		t.timeout = defaultTimeout
	}
	if t.tries <= 0 {
		t.tries = defaultTries
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.observe == nil {
		t.observe = func(Observation) {}
	}
	t.log = t.log.With("provider", t.provider, "account", t.account)
	if t.budget == nil {
		t.budget = budget.New(budget.Config{})
	}
	if config.BreakerFailures <= 0 {
		config.BreakerFailures = defaultBreakerFailures
	}
	if config.BreakerDelay <= 0 {
		config.BreakerDelay = defaultBreakerDelay
	}
	t.breaker = newBreaker(config.BreakerFailures, config.BreakerDelay, t.log)
	return t
}

// newBase copies the default transport. Its two idle connections a host would make nearly every one of many
// parallel calls dial anew.
func newBase() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	base := standard.Clone()
	base.MaxIdleConns = 2 * idleConnections
	base.MaxIdleConnsPerHost = idleConnections
	// All calls may share one HTTP/2 connection: one that died without a word must not swallow try after try.
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 3 * time.Second}
	return base
}

// RoundTrip implements http.RoundTripper. Refusals of its own are *providers.Error.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	m, ok := req.Context().Value(marksKey{}).(*marks)
	if !ok {
		var ctx context.Context
		ctx, m = mark(req.Context(), req.Method, req.Method == http.MethodGet)
		req = req.WithContext(ctx)
	}
	ctx := req.Context()
	var last result
	for number := 1; ; number++ {
		pass, err := t.admit(req, m)
		if err != nil && number > 1 && ctx.Err() == nil {
			// What went wrong upstream says more than that we do not ask again.
			return last.resp, last.err
		}
		if err != nil {
			closeBody(req)
			return nil, err
		}
		last = t.try(req, m, number, pass)
		wait, again := t.again(req, m, number, last)
		if !again {
			return last.resp, last.err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// CloseIdleConnections closes the connections on which nothing is under way. The transport stays usable;
// http.Client.CloseIdleConnections calls this.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// pass is what a request may leave with. What came of it is to be told to both, once.
type pass struct {
	counted *counted
	settle  func(error) // of the breaker
}

// admit waits for the allowance and asks the breaker.
func (t *Transport) admit(req *http.Request, m *marks) (pass, error) {
	counted, err := t.acquire(req, m)
	if err != nil {
		return pass{}, t.named(m, err)
	}
	settle, refused := t.breaker.allow()
	if refused != nil {
		counted.never()
		return pass{}, t.named(m, refused)
	}
	return pass{counted, settle}, nil
}

// named gives a refusal its names.
func (t *Transport) named(m *marks, e *providers.Error) *providers.Error {
	e.Provider, e.Op = t.provider, m.op
	return e
}

// closeBody keeps the promise of a RoundTripper for a request that is not sent.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
