package rest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// result is what one try brought: an answer or an error.
type result struct {
	resp *http.Response
	err  error
}

// try is one request on the wire, from its admission to the end of its answer.
type try struct {
	transport *Transport
	marks     *marks
	method    string
	number    int
	started   time.Time
	status    int
	callerErr func() error // the caller's context's Err
	settle    func(error)
	once      sync.Once
}

// try sends the request once. The answer's body is governed by the same time limit as its header.
func (t *Transport) try(req *http.Request, m *marks, number int, pass pass) result {
	ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
	run := &try{
		transport: t, marks: m, method: req.Method, number: number,
		started: time.Now(), callerErr: req.Context().Err, settle: pass.settle,
	}
	defer pass.counted.forgotten()
	connections := m.connections.Load()
	resp, err := t.roundTrip(req.WithContext(ctx), number)
	if err != nil {
		if m.unsent(connections) {
			pass.counted.never()
		} else {
			pass.counted.lost()
		}
		run.finish(err)
		cancel()
		return result{err: err}
	}
	run.status = resp.StatusCode
	if resp.StatusCode != http.StatusTooManyRequests {
		t.learn(pass.counted, req, m, resp, nil)
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
		// Held whole, because it is the answer only if no later try brings a better one.
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		_ = resp.Body.Close()
		cancel()
		resp.Body = io.NopCloser(bytes.NewReader(text))
		if resp.StatusCode == http.StatusTooManyRequests {
			t.learn(pass.counted, req, m, resp, text)
		}
		run.finish(nil)
		return result{resp: resp}
	}
	b := &body{ReadCloser: resp.Body, try: run, cancel: cancel}
	b.stop = context.AfterFunc(ctx, b.abandoned(ctx))
	resp.Body = b
	return result{resp: resp}
}

// roundTrip sends the request with a fresh body from the second try on.
func (t *Transport) roundTrip(req *http.Request, number int) (*http.Response, error) {
	if number > 1 && req.GetBody != nil {
		fresh, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = fresh
	}
	resp, err := t.base.RoundTrip(req)
	if err == nil && resp.Body == nil {
		resp.Body = http.NoBody
	}
	return resp, err
}

// body is an answer's body that tells its try how it ended.
type body struct {
	io.ReadCloser
	try    *try
	cancel context.CancelFunc
	stop   func() bool
	whole  atomic.Bool // read to its end
	err    error
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.whole.Store(true)
	case err != nil:
		b.err = err
	}
	return n, err
}

// Close ends the try. Not the body's end does, because only the reader knows whether it could be understood.
func (b *body) Close() error {
	b.stop()
	b.try.finish(b.err)
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}

// abandoned ends the try of a body that nobody closes in time: a breaker's probe must not hang on it.
func (b *body) abandoned(ctx context.Context) func() {
	return func() {
		if b.whole.Load() {
			b.try.finish(nil)
			return
		}
		b.try.finish(ctx.Err())
	}
}
