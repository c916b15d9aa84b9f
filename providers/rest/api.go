// Package rest speaks JSON over HTTP for the adapters. [API] makes one call into a value or a [*providers.Error];
// [Transport], inside the adapter's [http.Client], endures: retry, breaker, request budget, time limits, health.
//
// No error, log line or observation of this package holds an address, a query, a body or a credential. What the
// vendor said to the caller travels in [providers.Error.Message] alone.
package rest

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"regtok/providers"
)

// Options describe one base URL at a provider.
type Options struct {
	// Provider is the driver's name, for errors.
	Provider string
	// Setting is the setting that Base came from, for Invalid errors: "base_url".
	Setting string
	// Base is absolute: https, or http on loopback only. It may have a path; no query, fragment or user.
	Base string
	// Authorization is the whole header value, "Bearer …". It is sent to Base's host only.
	Authorization providers.Secret
	// Header holds further headers that every request carries.
	Header http.Header
	// Client sends the requests; nil means a plain one. Its CheckRedirect is replaced.
	Client *http.Client
	// MaxBody bounds a response's body in bytes, after decompression; 0 means 32 MiB.
	MaxBody int64
	// Explain reads an error answer's body, at most its first 64 KiB, for people and programs. It never fails.
	// Nil: errors carry no message.
	Explain func(status int, header http.Header, body []byte) Explanation
}

// Explanation is what an error answer tells. All of it may be empty.
type Explanation struct {
	// Message is the vendor's own; it is cleaned and cut before it is used.
	Message string
	// Field is the input at fault, RequiredScope the right that is missing. Both are single words or are dropped.
	Field, RequiredScope string
	// RetryAfter is the wait that the body asks for.
	RetryAfter time.Duration
}

const (
	defaultMaxBody = 32 << 20
	maxErrorBody   = 64 << 10
	// maxDrain is how much of an unwanted body is read so that its connection can be used again.
	maxDrain     = 64 << 10
	maxRedirects = 5
)

// API calls one base URL. It is safe for concurrent use.
type API struct {
	provider      string
	base          *url.URL
	authorization providers.Secret
	header        http.Header
	client        http.Client
	maxBody       int64
	explain       func(status int, header http.Header, body []byte) Explanation
}

// New checks the options and sends nothing. An unusable Base is an Invalid error whose Field is Setting; an
// unusable Authorization is one without a Field, because only the caller knows which setting it was.
func New(options Options) (*API, error) {
	invalid := &providers.Error{Kind: providers.Invalid, Provider: options.Provider, Op: "configure"}
	base, err := parseBase(options.Base)
	if err != nil {
		invalid.Field, invalid.Err = options.Setting, err
		return nil, invalid
	}
	if !validHeaderValue(options.Authorization.Reveal()) {
		invalid.Err = errCredential
		return nil, invalid
	}
	a := &API{
		provider:      options.Provider,
		base:          base,
		authorization: options.Authorization,
		header:        options.Header.Clone(),
		maxBody:       options.MaxBody,
		explain:       options.Explain,
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.maxBody <= 0 {
		a.maxBody = defaultMaxBody
	}
	if options.Client != nil {
		a.client = *options.Client
	}
	a.client.CheckRedirect = a.checkRedirect
	return a, nil
}

// checkRedirect follows a read within the host. Everything else ends here with the redirect as the answer, so that
// neither credential nor body goes to where an answer points.
func (a *API) checkRedirect(next *http.Request, via []*http.Request) error {
	home := next.URL.Scheme == a.base.Scheme && bareHost(next.URL) == bareHost(a.base)
	if !home || via[0].Method != http.MethodGet || len(via) > maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// Do sends the call and decodes the body of a 2xx into out; with a nil out the body is ignored, unless it is HTML. JSON
// that out does not name is ignored; names are case-sensitive; null, an empty body and trailing data are refused. After
// an error, out may be partly filled, and the Answer holds what came of it.
//
// A DELETE that was repeated after a lost answer, and then finds nothing, has done its work: that is no error.
func (a *API) Do(ctx context.Context, call Call, out any) (Answer, error) {
	ctx, m := mark(ctx, call.Op, call.Idempotent)
	req, failed := a.request(ctx, call)
	if failed != nil {
		return Answer{}, a.finished(call, m, failed)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return Answer{}, a.finished(call, m, m.failure(call.write(), ctx.Err(), err))
	}
	defer resp.Body.Close()
	answer := Answer{Status: resp.StatusCode, Header: resp.Header}
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		failed = a.refusal(call, m, req, resp)
	case out == nil:
		failed = ignore(call, m, resp)
	default:
		failed = a.decode(ctx, call, m, resp, out)
	}
	return answer, a.finished(call, m, failed)
}

// request builds what is sent.
func (a *API) request(ctx context.Context, call Call) (*http.Request, *providers.Error) {
	if err := ctx.Err(); err != nil {
		return nil, gone(err)
	}
	target, ok := a.target(call)
	if !ok {
		return nil, &providers.Error{Kind: providers.NotFound}
	}
	body, err := encode(call.Body)
	if err != nil {
		return nil, &providers.Error{Kind: providers.Invalid, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, target.String(), body)
	if err != nil {
		return nil, &providers.Error{Kind: providers.Invalid, Err: errRequest}
	}
	req.Header = a.header.Clone()
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !a.authorization.Empty() {
		req.Header.Set("Authorization", a.authorization.Reveal())
	}
	return req, nil
}

// finished gives an error its names, and says what an earlier, lost try of a write makes doubtful.
func (a *API) finished(call Call, m *marks, failed *providers.Error) error {
	if failed == nil {
		return nil
	}
	e := *failed
	e.Provider, e.Op = a.provider, call.Op
	doubtful := call.write() && m.lost
	switch {
	case doubtful && e.Kind == providers.NotFound && call.Method == http.MethodDelete:
		return nil
	case doubtful && e.Kind == providers.RateLimited:
		e.Kind, e.Reason = providers.OutcomeUnknown, providers.Unreachable
	case doubtful && e.Kind == providers.Unavailable:
		e.Kind = providers.OutcomeUnknown
	}
	return &e
}
