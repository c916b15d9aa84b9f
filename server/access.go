package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"regtok/auth"
	"regtok/codes"
)

// How much of what a caller chose stands in a log line, in bytes.
const (
	longestPath   = 200
	longestMethod = 20
)

// observed sees every request and its end.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, patience: s.limits.Write}
		r = r.WithContext(context.WithValue(r.Context(), recorderKey{}, rec))
		defer s.logRequest(rec, r, time.Now())
		defer s.answerPanic(rec, r)
		next.ServeHTTP(rec, r)
	})
}

// logRequest writes a line. No query string, no header and no body is in it, since they may hold secrets.
func (s *Server) logRequest(rec *recorder, r *http.Request, start time.Time) {
	level := slog.LevelInfo
	switch r.URL.Path {
	case "/livez", "/readyz", "/metrics":
		level = slog.LevelDebug // they come every few seconds
	}
	line := []slog.Attr{
		slog.String("method", r.Method[:min(len(r.Method), longestMethod)]),
		slog.String("path", r.URL.Path[:min(len(r.URL.Path), longestPath)]),
		slog.Int("status", rec.answered()),
		slog.Int64("bytes", rec.bytes),
		slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
	}
	if ip, ok := parseHop(r.RemoteAddr); ok {
		line = append(line, slog.String("from", ip.String()))
	}
	if rec.caller != "" {
		line = append(line, slog.String("caller", rec.caller))
	}
	s.log.LogAttrs(r.Context(), level, "request", line...)
}

type recorderKey struct{}

// admitted notes who calls, for the line of the request.
func admitted(ctx context.Context, viewer auth.Viewer) {
	if rec, ok := ctx.Value(recorderKey{}).(*recorder); ok {
		rec.caller = viewer.Subject
	}
}

// answerPanic answers for a bug of ours with INTERNAL, and logs the whole story. What was begun cannot be taken back:
// then the connection is cut, so that nobody takes the beginning for all.
func (s *Server) answerPanic(rec *recorder, r *http.Request) {
	panicked := recover()
	if panicked == nil {
		return
	}
	if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(panicked)
	}
	s.log.ErrorContext(r.Context(), "a handler panicked", "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
	if rec.status != 0 {
		panic(http.ErrAbortHandler)
	}
	refuse(rec, r, http.StatusInternalServerError, codes.Internal,
		"something went wrong in this server; its log has the details under the request id")
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status   int    // 0: nothing yet
	caller   string // empty: nobody was admitted, or nobody has to be
	bytes    int64
	patience time.Duration // for whoever reads the answer, from its beginning; 0: as long as they like
}

// begins notes what is answered. Streams set a limit of their own for each of their events.
func (r *recorder) begins(status int) {
	r.status = status
	if r.patience > 0 && status != http.StatusSwitchingProtocols {
		_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(r.patience)) // who cannot has the connection's
	}
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) { // the others are hints, and no answer
		r.begins(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.begins(http.StatusOK)
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// FlushError is what http.ResponseController asks for first: a stream has to learn that its caller is gone.
func (r *recorder) FlushError() error { return http.NewResponseController(r.ResponseWriter).Flush() }

// Flush implements http.Flusher.
func (r *recorder) Flush() { _ = r.FlushError() } // a writer that cannot flush has nothing to flush

// Unwrap lets http.ResponseController find the connection's own writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// answered is what the caller saw: a handler that writes nothing answers 200.
func (r *recorder) answered() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
