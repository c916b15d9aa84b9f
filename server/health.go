package server

import (
	"context"
	"net/http"
	"time"
)

const readyTimeout = time.Second

// livez says that the process runs: whoever gets no answer may restart it.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") }

// readyz says whether requests make sense. The reason stays in the log: it may name what is nobody's business.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.door.closed() {
		text(w, http.StatusServiceUnavailable, "shutting down\n")
		return
	}
	if s.config.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := s.config.Ready(ctx); err != nil {
			s.log.WarnContext(ctx, "not ready", "err", err)
			text(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
	}
	text(w, http.StatusOK, "ok\n")
}
