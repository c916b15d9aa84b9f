package server

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"

	"regtok/server/requestid"
)

// preflightAge is for how long a browser need not ask again what an allowed origin may send. Longer ones they cut.
const preflightAge = time.Hour

// ParseOrigin reads the origin of pages for Config.Origins: scheme, host and, unless it is the scheme's own, port.
func ParseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "*"):
		return "", errors.New("an origin has no wildcard: name each one whose pages may use this server")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		return "", errors.New("an origin has a scheme and a host, like https://app.example.com or http://localhost:5173")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#"):
		return "", errors.New("an origin ends with its host or port: leave out the slash and what follows")
	case strings.HasSuffix(u.Host, ":") || !plainHost(u.Host):
		return "", errors.New("an origin's host is written as browsers send it: in ASCII, with xn-- for other letters, and a port only after a colon")
	}
	host := strings.ToLower(u.Host)
	if standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]; u.Port() == standard {
		host = strings.TrimSuffix(host, ":"+standard) // browsers leave it out
	}
	return u.Scheme + "://" + host, nil
}

func plainHost(host string) bool {
	return strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == ""
}

// origins are those whose pages may use this server, besides its own.
type origins []string

// foreign tells whether a page made a browser send r that may not: the one rule for operations, upgrades and streams. Whoever
// is no browser passes, and so does the person who follows a link to a page of this server.
func (o origins) foreign(r *http.Request) bool {
	origin, site := r.Header.Values("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case len(origin) > 1 || len(origin) == 1 && origin[0] == "null":
		return true
	case len(origin) == 1 && slices.Contains(o, origin[0]):
		return false
	case site == "same-origin": // what browsers say of the names that they see, whatever a proxy makes of Host
		return false
	case len(origin) == 1: // a browser that says nothing of sites: an old one, or by plain HTTP
		return !own(origin[0], r)
	}
	// Requests of which pages see no answer have no Origin. They could still open streams, and keep them open.
	followed := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Dest") == "document"
	return site != "" && site != "none" && !followed
}

// own tells whether an origin is that of the server itself, by the name that r calls it.
func own(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || r.TLS != nil && u.Scheme != "https" {
		return false // a page that came without TLS may be anybody's
	}
	return u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// shared lets pages of the allowed origins read answers, and answers their browsers' question whether they may ask, which
// comes without a credential.
func (s *Server) shared(next http.Handler) http.Handler {
	if len(s.config.Origins) == 0 {
		return next // the library would take none for all
	}
	return cors.New(cors.Options{
		AllowedOrigins: s.config.Origins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"Authorization", "Cache-Control", "Content-Type", "Last-Event-ID", requestid.Header},
		ExposedHeaders: []string{requestid.Header, "Retry-After", "WWW-Authenticate"},
		MaxAge:         int(preflightAge.Seconds()),
	}).Handler(next)
}
