package transport

import (
	"net/http"
	"net/url"
	"strings"
)

// foreign refuses what a page of another site makes a browser send. Methods that change nothing pass the server's own guard,
// but a socket is opened by one, and answers the page whatever its origin.
func foreign(r *http.Request) *refusal {
	origin := r.Header.Get("Origin")
	if origin == "" || len(r.Header.Values("Origin")) == 1 && ours(origin, r.Host) {
		return nil
	}
	return &refusal{http.StatusForbidden, "FORBIDDEN", "pages of other sites may not use this server"}
}

func ours(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
