package providertest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
)

// inProcess is an http.RoundTripper that calls its handler instead of a network, so that a case can run in a synctest
// bubble, where waiting takes no time. It ends and breaks off as a connection does: a handler that panics with
// http.ErrAbortHandler leaves the caller with half an answer, and a caller who leaves ends the handler's context.
type inProcess struct {
	handler http.Handler
	serving sync.WaitGroup
}

// newInProcess serves until the test ends, and lets no handler outlive it.
func newInProcess(t *testing.T, handler http.Handler) *inProcess {
	p := &inProcess{handler: handler}
	t.Cleanup(p.serving.Wait)
	return p
}

// RoundTrip implements http.RoundTripper.
func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	reader, writer := io.Pipe()
	w := &responder{header: http.Header{}, pipe: writer, begun: make(chan struct{})}
	p.serving.Go(func() { p.serve(w, serverSide(ctx, r)) })
	select {
	case <-w.begun:
	case <-ctx.Done():
	}
	if err := w.failure(ctx); err != nil {
		cancel()
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		ContentLength: w.length(),
		Body:          &body{PipeReader: reader, close: func() { stop(); cancel() }},
		Request:       r,
	}, nil
}

// serverSide is the request as a server would have read it.
func serverSide(ctx context.Context, r *http.Request) *http.Request {
	s := r.Clone(ctx)
	s.Host = cmp.Or(r.Host, r.URL.Host)
	s.RequestURI = r.URL.RequestURI()
	s.RemoteAddr = "127.0.0.1:1"
	if s.Body == nil {
		s.Body = http.NoBody
	}
	return s
}

func (p *inProcess) serve(w *responder, r *http.Request) {
	defer func() {
		_ = r.Body.Close()
		switch cause := recover(); cause {
		case nil:
			w.end(r.Context().Err())
		case http.ErrAbortHandler:
			w.end(io.ErrUnexpectedEOF)
		default:
			panic(cause)
		}
	}()
	p.handler.ServeHTTP(w, r)
}

// body is the client's end of an answer.
type body struct {
	*io.PipeReader
	close func()
}

func (b *body) Close() error {
	b.close()
	return b.PipeReader.Close()
}

// responder is the handler's end of an answer.
type responder struct {
	header http.Header
	pipe   *io.PipeWriter

	once   sync.Once
	begun  chan struct{} // closed when what follows is known
	status int
	sent   http.Header // header as it was then
	err    error       // why there is no answer
}

func (w *responder) Header() http.Header { return w.header }

func (w *responder) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

func (w *responder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(p)
}

// Flush implements http.Flusher: what is written is already with the client.
func (w *responder) Flush() { w.WriteHeader(http.StatusOK) }

// end is the end of the answer, or of the connection if err says why.
func (w *responder) end(err error) {
	w.once.Do(func() {
		w.status, w.sent, w.err = http.StatusOK, w.header.Clone(), err
		close(w.begun)
	})
	_ = w.pipe.CloseWithError(err)
}

// failure is what a client sees instead of an answer.
func (w *responder) failure(ctx context.Context) error {
	select {
	case <-w.begun:
		return w.err
	default:
		return ctx.Err()
	}
}

func (w *responder) length() int64 {
	n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
