// Package requestid gives each request a name that its answer, its errors and its log lines share.
// It imports nothing of ours, so that every layer may read the name.
package requestid

import (
	"context"
	"crypto/rand"
	"net/http"
)

// Header carries the id, both ways.
const Header = "X-Request-Id"

const maxLength = 64

type key struct{}

// FromContext returns the id of the request that ctx belongs to, and "" outside of a request.
func FromContext(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}

// NewContext returns ctx with id.
func NewContext(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// Handler gives every request an id before next sees it, and tells it in the answer's X-Request-Id. The caller's own
// id is kept when it has 1 to 64 characters of A-Z a-z 0-9 . _ -, so that it can do no harm in a log; otherwise a new one is made.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(Header)
		if !sane(id) {
			id = rand.Text()
		}
		w.Header().Set(Header, id)
		next.ServeHTTP(w, r.WithContext(NewContext(r.Context(), id)))
	})
}

func sane(id string) bool {
	if id == "" || len(id) > maxLength {
		return false
	}
	for _, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
