package server

import (
	"net/http"

	"regtok/codes"
)

// refusing answers in GraphQL's form for paths that there are not, and for methods that a path does not take.
func refusing(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		status := statusOnly{ResponseWriter: w}
		handler.ServeHTTP(&status, r) // its headers, such as Allow, stay
		switch status.code {
		case http.StatusMethodNotAllowed:
			refuse(w, r, status.code, codes.MethodNotAllowed, "this path does not take that method")
		case http.StatusNotFound:
			refuse(w, r, status.code, codes.NoSuchPath, "there is nothing here: GraphQL is at /graphql")
		default: // it leads to a path without detours
			mux.ServeHTTP(w, r)
		}
	})
}

// statusOnly takes the headers of an answer, and notes its status.
type statusOnly struct {
	http.ResponseWriter
	code int
}

func (s *statusOnly) WriteHeader(code int)        { s.code = code }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
